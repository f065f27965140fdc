// Lines of a text of /proc, with what an error about one of them needs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

/// Gives the lines of a text without their newlines. The kernel ends every line of these files, so
/// a last line without newline is a text that was cut off, and an error.
class TextLines {
 public:
  /// `what` names the text in errors: "/proc/net/tcp".
  TextLines(ByteView text, std::string what) : rest_(as_text(text)), what_(std::move(what)) {}

  [[nodiscard]] std::optional<std::string_view> next();
  /// Why next() gave nothing; empty at the proper end.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  /// An error about the line given last, with its number.
  [[nodiscard]] Error reject(std::string_view why) const;

 private:
  std::string_view rest_;
  std::string what_;
  std::size_t number_ = 0;
  std::optional<Error> error_;
};

}  // namespace hark::decode
