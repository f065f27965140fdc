#include "reach/shell_word.h"

#include <algorithm>

namespace hark::reach {
namespace {

constexpr std::string_view kPlain = "_-.,:/@%+=^";  // of no meaning to a shell within a word
constexpr std::string_view kNftInside = "_-./";

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

std::string shell_word(std::string_view text) {
  const bool plain = !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_letter_or_digit(c) || kPlain.find(c) != std::string_view::npos;
  });
  if (plain) return std::string(text);
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

bool is_nft_name(std::string_view text) {
  if (text.empty() || !(is_letter_or_digit(text.front()) || text.front() == '_')) return false;
  return std::ranges::all_of(text, [](char c) {
    return is_letter_or_digit(c) || kNftInside.find(c) != std::string_view::npos;
  });
}

}  // namespace hark::reach
