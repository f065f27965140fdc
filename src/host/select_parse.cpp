// Filter words to terms.
//
// A word is tried as each of its forms in turn, the strictest first: a keyword, a port, an address,
// protocol/rest, field:value. What is none of them, and does not look like a mistyped one, is a
// plain word. Looking like one is an error on purpose: a filter that silently means a process
// named "10.0.0.300" or "usr:root" answers a question nobody asked.
#include <algorithm>

#include "base/text.h"
#include "host/select.h"
#include "host/select_words.h"

namespace hark::host {
namespace {

constexpr std::uint32_t kLargestPort = 65535;
constexpr const char* kPortRule = "a port is a number from 1 to 65535";
constexpr std::string_view kDigits = "0123456789";

tl::unexpected<Error> bad(std::string_view word, std::string why, std::string hint = {}) {
  return fail(plain_error(std::string(word), std::move(why), std::move(hint)));
}

bool only_of(std::string_view text, std::string_view set) {
  return !text.empty() && text.find_first_not_of(set) == std::string_view::npos;
}

/// "8080" or "8000-9000" into the term.
Result<void> put_ports(Term& term, std::string_view word, std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_number<std::uint32_t>(text.substr(0, dash));
  const auto last =
      dash == std::string_view::npos ? first : parse_number<std::uint32_t>(text.substr(dash + 1));
  const auto usable = [](const std::optional<std::uint32_t>& port) {
    return port && *port >= 1 && *port <= kLargestPort;
  };
  if (!usable(first) || !usable(last)) {
    const bool lone_number = dash == std::string_view::npos && only_of(text, kDigits);
    return bad(word, kPortRule,
               lone_number && first && *first > 0 ? "for a process, write pid:" + std::string(text)
                                                  : std::string("a range is written 8000-9000"));
  }
  if (*first > *last) {
    return bad(word, "the range ends before it begins",
               "did you mean " + std::to_string(*last) + "-" + std::to_string(*first) + "?");
  }
  term.field = Field::Port;
  term.first_port = static_cast<std::uint16_t>(*first);
  term.last_port = static_cast<std::uint16_t>(*last);
  return {};
}

/// "10.0.0.5", "10.0.0.0/8", "[::1]", "fe80::1%eth0", "any", "*" into the term; false: none.
bool put_address(Term& term, std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  const std::size_t percent = text.find('%');
  if (percent != std::string_view::npos) {
    if (percent + 1 == text.size()) return false;
    term.device = text.substr(percent + 1);
    text = text.substr(0, percent);
    if (term.device.find_first_of("/]") != std::string::npos) return false;
  }
  term.any_address = text == "*" || lower(text) == "any";
  if (term.any_address) return true;
  const auto prefix = Prefix::parse(text);
  if (prefix) term.prefix = *prefix;
  return prefix.has_value();
}

/// Where "ADDRESS:PORT" has its colon, if the part before it is written like an address.
std::optional<std::size_t> port_colon(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view left = text.substr(0, colon);
  const bool brackets = left.size() > 2 && left.front() == '[' && left.back() == ']';
  const std::string_view address = left.substr(0, left.find('%'));
  const bool dotted =
      address.find('.') != std::string_view::npos && only_of(address, "0123456789.");
  if (brackets || dotted || left == "*" || lower(left) == "any") return colon;
  return std::nullopt;
}

bool written_like_an_address(std::string_view text) {
  const std::string_view plain = text.substr(0, text.find_first_of("/%"));
  if (text.front() == '[') return true;
  const auto count = [plain](char c) { return std::ranges::count(plain, c); };
  return (count('.') == 3 && only_of(plain, "0123456789.")) ||
         (count(':') >= 2 && only_of(plain, "0123456789abcdefABCDEF:."));
}

/// A port, an address or both, as they may stand alone or behind `tcp/`. False: neither.
Result<bool> put_endpoint(Term& term, std::string_view word, std::string_view text) {
  if (text.empty()) return false;
  if (only_of(text, "0123456789-") && text.find_first_of(kDigits) != std::string_view::npos) {
    return put_ports(term, word, text).map([] { return true; });
  }
  if (text.front() == ':' && only_of(text.substr(1), "0123456789-")) {
    return put_ports(term, word, text.substr(1)).map([] { return true; });
  }
  if (const auto colon = port_colon(text)) {
    if (!put_address(term, text.substr(0, *colon))) return bad(word, "not an address");
    term.has_address = true;
    return put_ports(term, word, text.substr(*colon + 1)).map([] { return true; });
  }
  const bool spelled = written_like_an_address(text);
  if (spelled && put_address(term, text)) {
    term.field = Field::Address;
    return true;
  }
  if (spelled) {
    return bad(word, text.find('/') == std::string_view::npos ? "not an address" : "not a prefix",
               "addresses are written 10.0.0.5, 10.0.0.0/8, ::1 or [::1]:80");
  }
  return false;
}

Result<void> put_chosen(Term& term, std::string_view word, std::string_view value) {
  if (const ValueWord* row = find_value(term.field, lower(value))) {
    put_value(term, *row);
    return {};
  }
  return fail(unknown_value(word, term.field, value));
}

Result<void> put_number(Term& term, std::string_view word, std::string_view value) {
  const std::uint64_t largest = 0xffffffffU;  // pid_t and the inodes of sockfs are 32 bits wide
  const auto number = parse_number<std::uint64_t>(value);
  if (!number || *number == 0 || *number > largest) {
    return bad(word, "not a number from 1 to " + std::to_string(largest));
  }
  term.number = *number;
  return {};
}

Result<void> put_address_value(Term& term, std::string_view word, std::string_view value) {
  if (put_address(term, value)) return {};
  return bad(word, "not an address or prefix",
             "addresses are written 10.0.0.5, 10.0.0.0/8, ::1 or any");
}

Result<void> put_source(Term& term, std::string_view word, std::string_view value) {
  if (put_address(term, value) && !term.any_address && term.device.empty()) return {};
  return bad(word, "not an address or prefix",
             "clients are written 203.0.113.9, 10.0.0.0/8 or fd00::/8");
}

Result<void> put_text(Term& term, std::string_view, std::string_view value) {
  term.text = value;
  return {};
}

Result<void> put_field_value(Term& term, std::string_view word, std::string_view value) {
  using enum Field;
  switch (term.field) {
    case Protocol:
    case Family:
    case State:
    case Scope:
    case Reachable:
    case Kind:
      return put_chosen(term, word, value);
    case Port:
      return put_ports(term, word, value);
    case Address:
      return put_address_value(term, word, value);
    case ReachableFrom:
      return put_source(term, word, value);
    case Pid:
    case Inode:
      return put_number(term, word, value);
    case Word:
    case Interface:
    case Netns:
    case User:
    case Unit:
    case Container:
    case Name:
    case Exe:
    case CommandLine:
    case Cgroup:
      return put_text(term, word, value);
  }
  return {};
}

Result<Term> parse_field(Term term, std::string_view word, std::size_t colon) {
  const std::string left = lower(word.substr(0, colon));
  const std::string_view value = word.substr(colon + 1);
  if (const ValueWord* protocol = find_value(Field::Protocol, left)) {
    put_value(term, *protocol);
    term.has_protocol = true;
    const auto done = put_endpoint(term, word, value);
    if (!done) return fail(done.error());
    if (!*done) return bad(word, kPortRule);
    return term;
  }
  const FieldRow* row = find_field(left);
  if (row == nullptr) return fail(unknown_field(word, std::string(word.substr(0, colon))));
  if (value.empty()) return bad(word, "a value is missing", row->shown.help);
  term.field = row->field;
  const auto done = put_field_value(term, word, value);
  if (!done) return fail(done.error());
  return term;
}

/// "tcp/REST" and "8080/tcp". False: neither.
Result<bool> put_protocol_pair(Term& term, std::string_view word) {
  const std::size_t slash = word.find('/');
  if (slash == std::string_view::npos || slash == 0) return false;
  std::string_view left = word.substr(0, slash);
  std::string_view right = word.substr(slash + 1);
  const ValueWord* protocol = find_value(Field::Protocol, lower(left));
  if (protocol == nullptr && only_of(left, "0123456789-")) {
    protocol = find_value(Field::Protocol, lower(right));
    std::swap(left, right);
  }
  const bool port_follows = !right.empty() && only_of(right, "0123456789-");
  if (protocol == nullptr) {
    const bool one_word = left.find_first_of(":.[") == std::string_view::npos;
    if (!port_follows || !one_word) return false;
    return fail(unknown_value(word, Field::Protocol, left));
  }
  put_value(term, *protocol);
  term.has_protocol = true;
  auto done = put_endpoint(term, word, right);
  if (!done) return done;
  if (!*done) return bad(word, "no port or address behind the protocol", "write tcp/8080");
  return true;
}

Result<bool> put_lone_endpoint(Term& term, std::string_view word) {
  return put_endpoint(term, word, word);
}

Result<Term> parse_term(std::string_view word) {
  Term term;
  term.written = word;
  const std::string small = lower(word);
  if (word.empty()) return bad("''", "an empty word selects nothing");
  if (small == "and" || small == "or") {
    return bad(word, "filters have no such word",
               "terms of one field are alternatives, terms of different fields must all hold");
  }
  if (const ValueWord* row = find_bare_value(small)) {
    put_value(term, *row);
    return term;
  }
  if (word.front() == '/') {
    term.field = Field::Exe;
    term.text = word;
    return term;
  }
  // Every attempt starts from a clean term: a failed one may leave members behind.
  const Term clean = term;
  for (const auto attempt : {put_lone_endpoint, put_protocol_pair}) {
    term = clean;
    const auto done = attempt(term, word);
    if (!done) return fail(done.error());
    if (*done) return term;
  }
  const std::size_t colon = word.find(':');
  if (colon != std::string_view::npos) return parse_field(clean, word, colon);
  term = clean;
  term.text = word;
  return term;
}

}  // namespace

Result<Filter> parse_filter(std::span<const std::string> words) {
  Filter filter;
  bool negated = false;
  for (const std::string& word : words) {
    if (lower(word) == "not") {
      if (negated) return bad(word, "not follows not", "write one of them, or none");
      negated = true;
      continue;
    }
    auto term = parse_term(word);
    if (!term) return fail(term.error());
    term->negated = negated;
    negated = false;
    filter.terms.push_back(std::move(*term));
  }
  if (negated) return bad("not", "nothing follows it", "write what is not wanted: not loopback");
  return filter;
}

}  // namespace hark::host
