#include "line.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "base/text.h"

namespace hark::scene {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}

// The byte that the escape at `at` (just behind the backslash) stands for; moves `at` behind it.
Result<char> unescape(std::string_view text, std::size_t& at) {
  if (at >= text.size()) return fail(plain_error("line", "ends in a backslash"));
  const char c = text[at++];
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'e':
      return '\x1b';
    case '\\':
    case '"':
      return c;
    default:
      break;
  }
  if (c != 'x') return fail(plain_error("line", std::string("unknown escape \\") + c));
  const auto byte = parse_number<std::uint8_t>(text.substr(at, 2), 16);
  if (!byte) return fail(plain_error("line", "\\x without two hexadecimal digits"));
  at += 2;
  return static_cast<char>(*byte);
}

// The next word, quotes and escapes undone. `option_at` is where its first unquoted '=' stood.
Result<std::string> next_token(std::string_view text, std::size_t& at, std::size_t& option_at) {
  std::string token;
  bool inside = false;
  option_at = std::string::npos;
  while (at < text.size() && (inside || !is_blank(text[at]))) {
    const char c = text[at++];
    if (c == '"') {
      inside = !inside;
    } else if (inside && c == '\\') {
      const Result<char> byte = unescape(text, at);
      if (!byte) return fail(byte.error());
      token += *byte;
    } else {
      if (!inside && c == '=' && option_at == std::string::npos) option_at = token.size();
      token += c;
    }
  }
  if (inside) return fail(plain_error("line", "a quote is not closed"));
  return token;
}

void replace_all(std::string& text, std::string_view word, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += with.size()) {
    text.replace(at, word.size(), with);
  }
}

std::string with_id(std::string token, std::string_view id) {
  constexpr std::size_t kHexDigits = 64;
  const std::string zeros(kHexDigits - std::min(kHexDigits, id.size()), '0');
  replace_all(token, "$ID", id);
  // The id comes first: a container is known by the beginning of its own.
  replace_all(token, "$HEX", std::string(id) + zeros);
  return token;
}

}  // namespace

std::string Line::word(std::size_t n) const {
  return n < words.size() ? words[n] : std::string();
}

bool Line::has(std::string_view name) const {
  for (std::size_t i = 1; i < words.size(); i++) {
    if (words[i] == name) return true;
  }
  return !values(name).empty();
}

std::string Line::value(std::string_view name, std::string_view otherwise) const {
  const std::vector<std::string> all_values = values(name);
  return all_values.empty() ? std::string(otherwise) : all_values.front();
}

std::vector<std::string> Line::values(std::string_view name) const {
  std::vector<std::string> found;
  for (const auto& [key, value] : options) {
    if (key == name) found.push_back(value);
  }
  return found;
}

Result<Line> parse_line(std::string_view text, std::string_view id) {
  Line line;
  for (std::size_t at = 0; at < text.size();) {
    if (is_blank(text[at])) {
      at++;
      continue;
    }
    if (text[at] == '#') break;
    std::size_t option_at = 0;
    Result<std::string> token = next_token(text, at, option_at);
    if (!token) return fail(token.error());
    line.all.push_back(with_id(*token, id));
    if (option_at == std::string::npos || option_at == 0) {
      line.words.push_back(line.all.back());
    } else {
      line.options.emplace_back(token->substr(0, option_at),
                                with_id(token->substr(option_at + 1), id));
    }
  }
  return line;
}

std::string quote_word(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    char hex[5];
    std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    const bool plain = c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '$';
    out += plain ? std::string(1, c) : std::string(hex);
  }
  return out + '"';
}

}  // namespace hark::scene
