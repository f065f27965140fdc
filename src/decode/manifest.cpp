#include "decode/manifest.h"

#include "base/text.h"

namespace hark::decode {
namespace {

constexpr std::size_t kLongestName = 255;

std::optional<std::string> sensible(std::string_view name) {
  if (name.empty() || name.size() > kLongestName) return std::nullopt;
  return std::string(name);
}

/// Walks over the tokens of a JSON text without understanding them.
class JsonTokens {
 public:
  explicit JsonTokens(std::string_view text) : rest_(text) {}

  /// The next of {}[]:, or '"' for a string, which string() then gives, or 'x' for anything else;
  /// 0 at the end.
  char next() {
    skip();
    if (rest_.empty()) return 0;
    const char first = rest_.front();
    rest_.remove_prefix(1);
    if (first == '"') return read_string() ? '"' : '\0';
    if (std::string_view("{}[]:,").find(first) != std::string_view::npos) return first;
    while (!rest_.empty() && kEnds.find(rest_.front()) == std::string_view::npos) {
      rest_.remove_prefix(1);
    }
    return 'x';
  }
  [[nodiscard]] const std::string& string() const { return string_; }

 private:
  static constexpr std::string_view kEnds = "{}[]:,\" \t\r\n";

  void skip() {
    for (;;) {
      const std::size_t begin = rest_.find_first_not_of(" \t\r\n");
      rest_.remove_prefix(std::min(begin, rest_.size()));
      if (!rest_.starts_with("//") && !rest_.starts_with("/*")) return;
      const std::string_view end = rest_.starts_with("//") ? "\n" : "*/";
      const std::size_t at = rest_.find(end, 2);
      rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + end.size());
    }
  }

  /// Escapes other than of one character stay as they are: no name of a package has one.
  bool read_string() {
    string_.clear();
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c == '\\' && !rest_.empty()) {
        if (rest_.front() == 'u') string_ += '\\';
        string_ += rest_.front();
        rest_.remove_prefix(1);
        continue;
      }
      string_ += c;
    }
    return false;
  }

  std::string_view rest_;
  std::string string_;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

std::optional<std::string> name_in_json(ByteView text) {
  std::string_view whole = as_text(text);
  if (whole.starts_with("\xef\xbb\xbf")) whole.remove_prefix(3);
  JsonTokens tokens(whole);
  if (tokens.next() != '{') return std::nullopt;
  std::size_t depth = 1;
  bool key = true;  // of the outer object: what comes next is a name
  bool found = false;
  while (depth > 0) {
    const char token = tokens.next();
    if (token == 0) return std::nullopt;
    if (token == '{' || token == '[') ++depth;
    if (token == '}' || token == ']') --depth;
    if (depth != 1) {
      found = false;
      continue;
    }
    if (token == '"' && found) return sensible(tokens.string());
    if (token == '"' && key) {
      found = tokens.string() == "name";
    } else if (token == 'x') {
      found = false;
    }
    if (token == ':') key = false;
    if (token == ',') {
      key = true;
      found = false;
    }
  }
  return std::nullopt;
}

std::optional<std::string> name_in_toml(ByteView text) {
  std::string_view rest = as_text(text);
  bool inside = false;
  while (!rest.empty()) {
    std::string_view line = trimmed(next_piece(rest, '\n'));
    if (line.starts_with('[')) {
      line = trimmed(line.substr(0, line.find('#')));
      inside = line == "[project]" || line == "[tool.poetry]";
      continue;
    }
    const std::size_t equals = line.find('=');
    if (!inside || equals == std::string_view::npos) continue;
    if (trimmed(line.substr(0, equals)) != "name") continue;
    const std::string_view value = trimmed(line.substr(equals + 1));
    if (value.size() < 2 || (value.front() != '"' && value.front() != '\'')) return std::nullopt;
    const std::size_t end = value.find(value.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    return sensible(value.substr(1, end - 1));
  }
  return std::nullopt;
}

}  // namespace hark::decode
