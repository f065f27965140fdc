#include "show/escape.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "show/unicode.h"

namespace hark::show {
namespace {

/// Vietnamese and Hebrew need two or three marks on a letter; a tower of them covers other lines.
constexpr unsigned kMostMarks = 4;

/// Walks over a text and says of each code point whether it may be shown as it is.
class Inspector {
 public:
  explicit Inspector(bool ascii) : ascii_(ascii) {}

  [[nodiscard]] bool shown(const CodePoint& point) {
    const bool mark = point.valid && is_combining(point.value);
    marks_ = mark ? marks_ + 1 : 0;
    const bool misplaced = mark && (!after_letter_ || marks_ > kMostMarks);
    const bool good = point.valid && !misplaced && !is_unprintable(point.value) &&
                      (!ascii_ || point.value < 0x7F);
    after_letter_ = good && point.value != ' ';
    return good;
  }

 private:
  bool ascii_;
  bool after_letter_ = false;
  unsigned marks_ = 0;
};

void append_escape(std::string& to, const CodePoint& point) {
  const auto out = std::back_inserter(to);
  if (point.valid && point.value == '\n') {
    to += "\\n";
  } else if (point.valid && point.value == '\t') {
    to += "\\t";
  } else if (point.valid && point.value == 0x1B) {
    to += "\\e";
  } else if (!point.valid || point.value < 0x80) {
    fmt::format_to(out, "\\x{:02x}", point.value);
  } else {
    fmt::format_to(out, "\\u{{{:04x}}}", point.value);
  }
}

/// Printable ASCII, which nearly every text is.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_shown_as_it_is(std::string_view text, bool ascii) {
  if (is_plain(text)) return true;
  Inspector inspector(ascii);
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    if (!inspector.shown(point)) return false;
    text.remove_prefix(point.length);
  }
  return true;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    if (!point.valid) return false;
    text.remove_prefix(point.length);
  }
  return true;
}

}  // namespace

std::string for_terminal(std::string_view text, bool ascii) {
  if (is_shown_as_it_is(text, ascii)) return std::string(text);
  std::string out;
  Inspector inspector(ascii);
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    const std::string_view piece = text.substr(0, point.length);
    if (!inspector.shown(point)) {
      append_escape(out, point);
    } else {
      out += piece == "\\" ? "\\\\" : piece;
    }
    text.remove_prefix(point.length);
  }
  return out;
}

std::string for_json(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    const std::string_view piece = text.substr(0, point.length);
    if (!point.valid) {
      append_escape(out, point);
    } else {
      out += piece == "\\" ? "\\\\" : piece;
    }
    text.remove_prefix(point.length);
  }
  return out;
}

std::string json_for_terminal(std::string_view json) {
  const auto is_plain = [](char c) { return static_cast<unsigned char>(c) < 0x7F; };
  if (std::all_of(json.begin(), json.end(), is_plain)) return std::string(json);
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const CodePoint point = first_code_point(json);
    // Below U+0020 serialised JSON has only the white space between its values.
    if (!point.valid || point.value < 0x20 || !is_unprintable(point.value)) {
      out += json.substr(0, point.length);
    } else if (point.value < 0x10000) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", point.value);
    } else {
      const std::uint32_t rest = point.value - 0x10000;
      fmt::format_to(std::back_inserter(out), "\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10U),
                     0xDC00 + (rest & 0x3FFU));
    }
    json.remove_prefix(point.length);
  }
  return out;
}

std::size_t display_width(std::string_view escaped) {
  if (is_plain(escaped)) return escaped.size();
  std::size_t width = 0;
  while (!escaped.empty()) {
    const CodePoint point = first_code_point(escaped);
    width += point.valid ? columns_of(point.value) : 1;
    escaped.remove_prefix(point.length);
  }
  return width;
}

std::string cut_to_width(std::string_view escaped, std::size_t width, bool ascii) {
  // No character has more columns than bytes.
  if (escaped.size() <= width) return std::string(escaped);
  std::size_t columns = 0;
  std::size_t kept = 0;  // bytes that leave one column free for the sign of the cut
  std::size_t seen = 0;
  while (seen < escaped.size()) {
    const CodePoint point = first_code_point(escaped.substr(seen));
    columns += point.valid ? columns_of(point.value) : 1;
    if (columns > width) {
      if (width == 0) return {};
      return std::string(escaped.substr(0, kept)) + (ascii ? "~" : "…");
    }
    seen += point.length;
    if (columns + 1 <= width) kept = seen;
  }
  return std::string(escaped);
}

}  // namespace hark::show
