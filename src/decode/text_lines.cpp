#include "decode/text_lines.h"

#include "base/text.h"

namespace hark::decode {

std::optional<std::string_view> TextLines::next() {
  if (error_ || rest_.empty()) return std::nullopt;
  ++number_;
  if (rest_.find('\n') == std::string_view::npos) {
    error_ = reject("the line is cut off");
    return std::nullopt;
  }
  return next_piece(rest_, '\n');
}

Error TextLines::reject(std::string_view why) const {
  return plain_error(what_, "line " + std::to_string(number_) + ": " + std::string(why));
}

}  // namespace hark::decode
