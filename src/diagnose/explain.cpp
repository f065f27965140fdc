#include "diagnose/explain.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#include "base/address.h"
#include "base/text.h"

namespace hark::diagnose {
namespace {

constexpr std::size_t kMostRead = 16384;
constexpr int kLastErrno = 133;  // EHWPOISON, asm-generic/errno.h
constexpr std::size_t kMostNear = 3;

bool is_word_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// `word` in `text`, not as a part of a longer one.
bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || !is_word_byte(text[at - 1]);
    if (begins && (end == text.size() || !is_word_byte(text[end]))) return true;
  }
  return false;
}

struct Known {
  std::string code;
  int number = 0;
};

/// By its name (ECONNREFUSED), its number alone or after "errno", or its text.
Known errno_in(std::string_view text, const std::string& small) {
  for (int number = 1; number <= kLastErrno; ++number) {
    const char* const name = ::strerrorname_np(number);
    if (name != nullptr && has_word(text, name)) return {name, number};
  }
  std::string_view digits = text;
  const std::size_t at = small.find("errno ");
  if (at != std::string::npos) digits = std::string_view(small).substr(at + 6);
  digits = digits.substr(0, std::min(digits.find_first_not_of("0123456789"), digits.size()));
  const bool alone = at != std::string::npos || digits.size() == text.size();
  const auto number = alone ? parse_number<int>(digits) : std::nullopt;
  if (number && *number > 0 && *number <= kLastErrno) {
    if (const char* const name = ::strerrorname_np(*number)) return {name, *number};
  }
  // The longest text wins: "Too many open files" is a part of another's.
  Known best;
  std::size_t longest = 0;
  for (int each = 1; each <= kLastErrno; ++each) {
    const char* const name = ::strerrorname_np(each);
    const char* const words = name == nullptr ? nullptr : ::strerrordesc_np(each);
    if (words == nullptr) continue;
    const std::string said = lower(words);
    if (said.size() > longest && small.find(said) != std::string::npos) {
      longest = said.size();
      best = {name, each};
    }
  }
  return best;
}

std::string row_in(std::span<const MessageRow> rows, const std::string& small) {
  for (const MessageRow& row : rows) {
    if (small.find(row.text) != std::string::npos) return std::string(row.code);
  }
  return {};
}

/// Could it be a host in a message: an address, or a name with a letter.
bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  if (IpAddress::parse(text)) return true;
  const auto name_byte = [](char c) { return is_word_byte(c) || c == '.' || c == '-'; };
  return std::ranges::all_of(text, name_byte) && std::ranges::any_of(text, [](char c) {
           return std::isalpha(static_cast<unsigned char>(c));
         });
}

/// Quotes, brackets and stops around a word of a sentence.
std::string_view bare(std::string_view word) {
  constexpr std::string_view kAround = "'\"`(),;<>|";
  while (!word.empty() && kAround.find(word.front()) != std::string_view::npos)
    word.remove_prefix(1);
  while (!word.empty() && (kAround.find(word.back()) != std::string_view::npos ||
                           word.back() == ':' || word.back() == '.')) {
    if (word == "::" || word.ends_with("::")) break;
    word.remove_suffix(1);
  }
  return word;
}

/// HOST:PORT or [ADDRESS]:PORT, both parts of it.
std::optional<MessageTarget> pair_of(std::string_view word) {
  const std::size_t colon = word.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = word.substr(0, colon);
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  const auto port = parse_port(word.substr(colon + 1));
  if (!port || !is_host(host)) return std::nullopt;
  if (!brackets && host.find(':') != std::string_view::npos) return std::nullopt;
  return MessageTarget{std::string(host), port};
}

/// scheme://HOST[:PORT]/…
std::optional<MessageTarget> url_of(std::string_view word) {
  const std::size_t at = word.find("://");
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = word.substr(0, at);
  std::string_view rest = word.substr(at + 3);
  rest = rest.substr(0, rest.find_first_of("/?#'\""));
  if (const std::size_t user = rest.find('@'); user != std::string_view::npos) {
    rest.remove_prefix(user + 1);
  }
  rest = bare(rest);
  if (auto pair = pair_of(rest)) return pair;
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  if (!is_host(rest)) return std::nullopt;
  MessageTarget out{std::string(rest), std::nullopt};
  if (scheme.ends_with("https")) out.port = 443;
  if (scheme.ends_with("http")) out.port = 80;
  return out;
}

/// After these words a host may come: "connect to host web port 80", "server at "db"", "host: x".
bool introduces_host(std::string_view word) {
  constexpr std::array<std::string_view, 5> kWords = {"host", "to", "at", "on", "host:"};
  return std::ranges::find(kWords, word) != kWords.end();
}

/// Is a word that an introduction stands before a host, and not the next word of a sentence?
bool is_meant(std::string_view before, std::string_view raw, std::string_view word,
              std::string_view rest) {
  if (!introduces_host(before) || !is_host(word)) return false;
  const bool named = word.find_first_of(".:0123456789") != std::string_view::npos;
  const bool quoted = raw.front() == '"' || raw.front() == '\'';
  return named || quoted || before == "host:" || lower(next_word(rest)) == "port";
}

/// wget's "web.lan (web.lan)|10.0.0.5|:8080..."
std::optional<MessageTarget> barred(std::string_view raw) {
  const std::vector<std::string_view> parts = split(raw, '|');
  if (parts.size() != 3 || !parts[2].starts_with(':') || !is_host(parts[1])) return std::nullopt;
  return MessageTarget{std::string(parts[1]), parse_port(bare(parts[2].substr(1)))};
}

std::string filled(std::string_view pattern, const MessageTarget& target) {
  const bool v6 = target.host.find(':') != std::string::npos;
  const std::string name = target.host.empty() ? "HOST" : target.host;
  const std::string port = target.port ? std::to_string(*target.port) : "PORT";
  const std::array<std::pair<std::string_view, std::string>, 3> values = {{
      {"{target}", (v6 ? '[' + name + ']' : name) + ':' + port},
      {"{port}", port},
      {"{name}", name},
  }};
  std::string out(pattern);
  for (const auto& [key, value] : values) {
    const std::size_t at = out.find(key);
    if (at != std::string::npos) out.replace(at, key.size(), value);
  }
  return out;
}

/// The codes and texts that are most like a lone word or a phrase that nothing knows.
std::vector<std::string> near_to(std::string_view question) {
  std::vector<std::pair<unsigned, std::string>> all;
  std::string upper;
  for (const char c : question.substr(0, 64)) {
    upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  for (const ErrorMeaning& row : error_meanings()) {
    const std::string code(row.code);
    const unsigned by_code =
        edit_distance(row.number != 0 ? upper : lower(question.substr(0, 64)), code);
    const unsigned by_text = edit_distance(lower(question.substr(0, 64)), lower(row.text));
    all.emplace_back(std::min(by_code, by_text), code + ": " + std::string(row.text));
  }
  std::ranges::stable_sort(all, {}, &std::pair<unsigned, std::string>::first);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::min(kMostNear, all.size()); ++i) out.push_back(all[i].second);
  return out;
}

void fill_in(Explained& out, const Known& known) {
  out.code = known.code;
  out.number = known.number;
  const ErrorMeaning* const row = meaning_of(known.code);
  if (row == nullptr) {
    out.text = ::strerrordesc_np(known.number);
    out.means =
        "An error of the kernel, but none of connections: it comes from a file, a process, memory "
        "or "
        "a device.";
    return;
  }
  out.number = row->number;
  out.text = row->text;
  out.means = row->means;
  out.excludes = row->excludes;
  for (const NextQuestion& next : row->next) {
    out.next.push_back({filled(next.command, out.target), std::string(next.why)});
  }
}

}  // namespace

MessageTarget target_in(std::string_view message) {
  message = message.substr(0, kMostRead);
  MessageTarget out;
  std::string_view before;
  while (true) {
    const std::string_view raw = next_word(message);
    if (raw.empty()) break;
    const std::string_view word = bare(raw);
    if (const auto url = url_of(word)) {
      out = *url;
    } else if (const auto pair = pair_of(word)) {
      return *pair;
    } else if (const auto bars = barred(raw)) {
      return *bars;
    } else if (lower(before) == "port") {
      if (const auto port = parse_port(word)) out.port = port;
    } else if (is_meant(before, raw, word, message) ||
               (out.host.empty() && IpAddress::parse(word))) {
      out.host = word;
    }
    before = raw;
  }
  return out;
}

Explained explain(std::string_view question) {
  Explained out;
  std::string lines(question.substr(0, kMostRead));
  std::ranges::replace(lines, '\n', ' ');
  std::ranges::replace(lines, '\r', ' ');
  question = lines;
  while (!question.empty() && std::isspace(static_cast<unsigned char>(question.back()))) {
    question.remove_suffix(1);
  }
  while (!question.empty() && std::isspace(static_cast<unsigned char>(question.front()))) {
    question.remove_prefix(1);
  }
  out.question = question;
  const std::string small = lower(question);
  out.target = target_in(question);
  Known known;
  if (meaning_of(small) != nullptr) known.code = small;
  if (known.code.empty()) known.code = row_in(message_rows(), small);
  if (known.code.empty()) {
    std::string upper(question);
    const bool lone = question.find(' ') == std::string_view::npos;
    if (lone)
      std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
    known = errno_in(upper, small);
  }
  if (known.code.empty()) known.code = row_in(vague_message_rows(), small);
  if (known.code.empty()) {
    out.near = near_to(question);
  } else {
    fill_in(out, known);
  }
  return out;
}

}  // namespace hark::diagnose
