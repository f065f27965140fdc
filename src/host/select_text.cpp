#include "host/select_text.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace hark::host {
namespace {

char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool is_glob(std::string_view text) {
  return text.find_first_of("*?") != std::string_view::npos;
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, small, small);
}

bool same_text(std::string_view pattern, std::string_view text) {
  return is_glob(pattern) ? matches_glob(lower(pattern), lower(text)) : same_letters(pattern, text);
}

bool contains_text(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return small(a) == small(b); }) != text.end() ||
         part.empty();
}

std::string_view last_part(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::string_view without_unit_type(std::string_view unit) {
  constexpr std::array<std::string_view, 11> kTypes = {"service", "socket", "scope",     "slice",
                                                       "mount",   "swap",   "automount", "target",
                                                       "timer",   "path",   "device"};
  const std::size_t dot = unit.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return unit;
  return std::ranges::find(kTypes, unit.substr(dot + 1)) == kTypes.end() ? unit
                                                                         : unit.substr(0, dot);
}

}  // namespace hark::host
