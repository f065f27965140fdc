// What a name can be is any bytes; what comes out of show/escape.h must be harmless whatever it is.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "show/escape.h"
#include "show/unicode.h"

namespace {

using namespace hark;

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const show::CodePoint point = show::first_code_point(text);
    if (!point.valid) return false;
    text.remove_prefix(point.length);
  }
  return true;
}

bool is_printable(std::string_view text) {
  while (!text.empty()) {
    const show::CodePoint point = show::first_code_point(text);
    if (!point.valid || show::is_unprintable(point.value)) return false;
    text.remove_prefix(point.length);
  }
  return true;
}

void check_terminal(std::string_view text, std::size_t width) {
  const std::string escaped = show::for_terminal(text);
  require(is_printable(escaped));
  require(show::for_terminal(escaped) == escaped);
  const std::string ascii = show::for_terminal(text, true);
  require(std::all_of(ascii.begin(), ascii.end(), [](char c) { return c >= 0x20 && c < 0x7F; }));
  require(show::display_width(ascii) == ascii.size());
  for (const std::string_view whole : {std::string_view(escaped), std::string_view(ascii), text}) {
    for (const bool plain : {false, true}) {
      const std::string cut = show::cut_to_width(whole, width, plain);
      require(show::display_width(cut) <= width);
      if (show::display_width(whole) <= width) require(cut == whole);
    }
  }
}

void check_json(std::string_view text) {
  const std::string json = show::for_json(text);
  require(is_utf8(json));
  require(!is_utf8(text) || json == text);
  const std::string harmless = show::json_for_terminal(json);
  require(is_utf8(harmless));
  require(harmless.find('\x7f') == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_terminal(text, data[0] % 64U);
  check_json(text);
  return 0;
}
