// Two passes over each argument. The first takes out what looks like a token (redact_tokens.cpp).
// The second knows names: it walks over the words of an argument, as a shell would part them,
// because a whole script may be one argument (sh -c "PGPASSWORD=x psql") and a JSON text another.
//
// Redacting twice must be redacting once, or a recording of a recording would differ. Hence the
// order (the second pass sees only words that the first one leaves alone), and hence what is taken
// out never changes how the rest is parted into words: it begins and ends in the same quotes.
#include "host/redact.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "host/redact_rules.h"

namespace hark::host {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool is_quote(char c) {
  return c == '"' || c == '\'';
}
bool is_blank(char c) {
  return kBlanks.find(c) != std::string_view::npos;
}
bool in_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

/// What `c` does to quoting, as a shell reads it: a backslash takes the meaning of what follows,
/// but not in single quotes.
void step(char c, char& open, bool& escaped) {
  if (escaped) {
    escaped = false;
  } else if (c == '\\' && open != '\'') {
    escaped = true;
  } else if (is_quote(c) && (open == 0 || open == c)) {
    open = open == 0 ? c : '\0';
  }
}

/// The secret part of a value, as a length that stays in front.
std::size_t kept_in_front(std::string_view value, SecretPart part) {
  constexpr std::array<char, 4> kMarks = {'\0', ':', '%', ','};
  if (part == SecretPart::All) return 0;
  const std::size_t at = value.find(kMarks[static_cast<std::size_t>(part)]);
  return at == std::string_view::npos ? value.size() : at + 1;
}

/// A word, and in which quotes each place of it is.
struct Word {
  std::string text;
  std::vector<char> quote;  ///< before the byte; one more for the end; 0: none

  explicit Word(std::string_view whole) : text(whole) {
    quote.reserve(text.size() + 1);
    char open = 0;
    bool escaped = false;
    for (const char c : text) {
      quote.push_back(open);
      step(c, open, escaped);
    }
    quote.push_back(open);
  }
};

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Where the value that begins at `at` ends; `stops` are characters that end it, if not quoted.
Range value_range(const Word& word, std::size_t at, std::string_view stops) {
  const std::string& text = word.text;
  if (at >= text.size()) return {at, at};
  if (is_quote(text[at]) && word.quote[at] != text[at]) {
    std::size_t end = at + 1;
    while (end < text.size() && text[end] != text[at]) end += text[end] == '\\' ? 2U : 1U;
    if (end < text.size() && word.quote[end + 1] == word.quote[at]) return {at + 1, end};
  }
  if (!stops.empty()) {
    const std::size_t stop = text.find_first_of(std::string(stops) + "'\"", at);
    if (stop != std::string::npos && !is_quote(text[stop])) return {at, stop};
  }
  if (word.quote[at] != 0) {
    std::size_t end = at;
    while (end < text.size() && word.quote[end + 1] != 0) ++end;
    return {at, end};
  }
  return {at, text.size()};
}

class Redaction {
 public:
  /// `first`: of the command line. `script`: the argument is a shell's program text.
  std::string argument(std::string_view text, bool first, bool script) {
    const bool whole = !first && !script;
    if (whole && waiting_) {
      const bool is_value = !text.starts_with('-');
      const Waiting asked = *waiting_;
      waiting_.reset();
      if (is_value) return value(text, asked);
    }
    if (whole && (text == "password" || text == "passphrase" || text == "psk")) {
      wait({});
      return std::string(text);
    }
    if (whole && (begins_with_name(text) || text.starts_with('{'))) return one_word(text);
    std::string out;
    while (!text.empty()) {
      const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
      out += text.substr(0, begin);
      text.remove_prefix(begin);
      const std::size_t length = word_length(text);
      out += one_word(text.substr(0, length));
      text.remove_prefix(length);
    }
    return out;
  }

 private:
  /// The next word is a secret, because of the one before.
  struct Waiting {
    NameSays says = NameSays::Secret;
    SecretPart part = SecretPart::All;
    std::size_t shortest = 1;
  };
  void wait(Waiting waiting) { waiting_ = waiting; }

  static std::size_t word_length(std::string_view text) {
    char open = 0;
    bool escaped = false;
    std::size_t i = 0;
    for (; i < text.size() && (open != 0 || escaped || !is_blank(text[i])); ++i) {
      step(text[i], open, escaped);
    }
    return i;
  }

  static bool begins_with_name(std::string_view text) {
    std::size_t end = 0;
    while (end < text.size() && in_name(text[end])) ++end;
    return end > 0 && end < text.size() && (text[end] == '=' || text[end] == ':') &&
           name_says(text.substr(0, end)) != NameSays::Nothing;
  }

  static std::string value(std::string_view text, const Waiting& asked) {
    if (text.size() < asked.shortest || is_harmless_value(text)) return std::string(text);
    if (asked.says == NameSays::Key && is_path_like(text)) return std::string(text);
    const std::size_t kept = kept_in_front(text, asked.part);
    std::string out(text.substr(0, kept));
    if (kept < text.size()) out += kRedacted;
    return out;
  }

  /// The word, with the secret taken out of the value that begins at `at`.
  static std::string with_value(const Word& word, std::size_t at, Waiting asked) {
    const Range range = value_range(word, at, {});
    const std::string_view text = word.text;
    const std::string_view all = text.substr(range.begin, range.end - range.begin);
    // A part that does not begin and end in the same quotes cannot be taken out by itself.
    const std::size_t secret = range.begin + kept_in_front(all, asked.part);
    if (word.quote[secret] != word.quote[range.end]) asked.part = SecretPart::All;
    std::string out(text.substr(0, range.begin));
    out += value(all, asked);
    return out += text.substr(range.end);
  }

  std::string one_word(std::string_view text) {
    if (text.empty()) return {};
    if (waiting_) {
      // "Authorization: Bearer x" in three words
      if (is_scheme(text)) {
        wait({});
        return std::string(text);
      }
      const Waiting asked = *waiting_;
      waiting_.reset();
      if (std::string_view("-|&;<>").find(text.front()) == std::string_view::npos) {
        return with_value(Word(text), 0, asked);
      }
    }
    if (is_scheme(text)) wait({.says = NameSays::Secret, .part = SecretPart::All, .shortest = 8});
    if (auto done = short_options(text)) return *done;
    if (text.front() == '-' && std::ranges::all_of(text, in_name)) {
      const NameSays says = name_says(text);
      if (says != NameSays::Nothing) wait({.says = says});
      return std::string(text);
    }
    std::string out = names(urls(text));
    // Only now: what is taken out may look like a path, and its last part like a program.
    options_ |= options_of_program(out);
    return out;
  }

  static bool is_scheme(std::string_view text) {
    return lower(text) == "bearer" || lower(text) == "basic";
  }

  /// -p X and -pX of the programs seen so far.
  std::optional<std::string> short_options(std::string_view text) {
    if (options_ == 0 || text.size() < 2) return std::nullopt;
    for (std::size_t row = 0; const ShortOption* option = short_option(row); ++row) {
      if ((options_ >> row & 1U) == 0 || !text.starts_with(option->option)) continue;
      const std::size_t length = option->option.size();
      const bool separate = text.size() == length;
      if (!(separate ? option->separate : option->attached)) continue;
      if (option->once) options_ &= ~(std::uint64_t{1} << row);
      if (separate) {
        wait({.says = NameSays::Secret, .part = option->part});
        return std::string(text);
      }
      return with_value(Word(text), length, {.part = option->part});
    }
    return std::nullopt;
  }

  /// Where the secret of `user:x@host` stands in what follows a "://".
  static Range url_secret(std::string_view text) {
    constexpr std::string_view kEnds = "/?#\"'";
    constexpr std::size_t kLongest = 256;
    text = text.substr(0, kLongest);
    std::string_view authority = text.substr(0, text.find_first_of(kEnds));
    const std::size_t colon = authority.find(':');
    if (colon == std::string_view::npos || authority.starts_with('[')) return {};
    if (authority.find('@') == std::string_view::npos) {
      // A secret with a slash in it, if what follows the colon is no port.
      const bool port = authority.find_first_not_of("0123456789", colon + 1) == authority.npos;
      const std::size_t later = text.find_first_of("@\"'", authority.size());
      if (port || later == std::string_view::npos || text[later] != '@') return {};
      authority = text.substr(0, text.find_first_of(kEnds, later));
    }
    const std::size_t at = authority.rfind('@');
    return at <= colon ? Range{} : Range{colon + 1, at};
  }

  /// scheme://user:x@host, as often as it comes.
  static std::string urls(std::string_view text) {
    constexpr std::string_view kMark = "://";
    std::string out;
    for (;;) {
      const std::size_t mark = text.find(kMark);
      if (mark == std::string_view::npos) return out += text;
      const std::size_t begin = mark + kMark.size();
      const Range secret = url_secret(text.substr(begin));
      out += text.substr(0, begin + secret.begin);
      if (secret.begin < secret.end) out += kRedacted;
      text.remove_prefix(begin + secret.end);
    }
  }

  /// NAME=x, NAME: x, "NAME": "x", anywhere in a word.
  std::string names(const std::string& whole) {
    const Word word(whole);
    const std::string& text = word.text;
    std::string out;
    std::size_t done = 0;
    std::size_t i = 0;
    while (i < text.size()) {
      if (!in_name(text[i])) {
        ++i;
        continue;
      }
      std::size_t end = i;
      while (end < text.size() && in_name(text[end])) ++end;
      const std::optional<Found> found = find_value(word, i, end);
      i = end;
      if (!found) continue;
      out += text.substr(done, found->value.begin - done);
      out += value(
          std::string_view(text).substr(found->value.begin, found->value.end - found->value.begin),
          {.says = found->says});
      done = i = found->value.end;
    }
    return out += text.substr(done);
  }

  struct Found {
    NameSays says;
    Range value;
  };

  /// The value that belongs to the name from `begin` to `end`, if it tells of a secret.
  std::optional<Found> find_value(const Word& word, std::size_t begin, std::size_t end) {
    const std::string& text = word.text;
    const char before = begin > 0 ? text[begin - 1] : '\0';
    std::size_t at = end;
    const bool json = is_quote(before) && at < text.size() && text[at] == before;
    if (json) ++at;
    const auto skip_blanks = [&] {
      while (at < text.size() && is_blank(text[at])) ++at;
    };
    skip_blanks();
    if (at >= text.size() || (text[at] != '=' && text[at] != ':')) return std::nullopt;
    const bool colon = text[at] == ':';
    // http://token:8080 has a host of that name, token::x a namespace.
    if (colon && (before == '/' || before == '@')) return std::nullopt;
    ++at;
    while (at < text.size() && text[at] == '=') ++at;
    skip_blanks();
    if (colon && at < text.size() && (text[at] == '/' || text[at] == ':')) return std::nullopt;
    const NameSays says = name_says(std::string_view(text).substr(begin, end - begin));
    if (says == NameSays::Nothing) return std::nullopt;
    if (at >= text.size()) {
      if (colon) wait({.says = says});
      return std::nullopt;
    }
    std::string_view stops;
    if (before == '?' || before == '&') stops = "&";
    if (before == ';') stops = ";";
    if (before == ',') stops = ",";
    if (json) stops = ",}";
    return Found{says, value_range(word, at, stops)};
  }

  std::uint64_t options_ = 0;
  std::optional<Waiting> waiting_;
};

/// sh -c TEXT, bash -lc TEXT
bool gives_script(std::string_view option) {
  constexpr std::size_t kLongest = 5;
  return option.size() >= 2 && option.size() <= kLongest && option.front() == '-' &&
         option.back() == 'c' &&
         std::ranges::all_of(option.substr(1), [](char c) { return c >= 'a' && c <= 'z'; });
}

}  // namespace

Bytes redact_command_line(ByteView cmdline) {
  std::string_view rest = as_text(cmdline);
  Redaction redaction;
  Bytes out;
  std::string before;  // the argument before, as it was put out
  bool keeps_ids = false;
  for (bool first = true;; first = false) {
    const std::size_t end = rest.find('\0');
    const std::string_view argument = rest.substr(0, end);
    const bool keep = keeps_ids || before == "-id" || before == "--id";
    std::string text =
        redaction.argument(without_tokens(argument, keep), first, gives_script(before));
    if (first) keeps_ids = handles_containers(text);
    append(out, text);
    if (end == std::string_view::npos) return out;
    out.push_back(std::byte{0});
    before = std::move(text);
    rest.remove_prefix(end + 1);
  }
}

}  // namespace hark::host
