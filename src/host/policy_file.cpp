#include "host/policy_file.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>

#include "base/text.h"
#include "host/select_words.h"

namespace hark::host {
namespace {

using decode::TextPlace;
using decode::TomlArray;
using decode::TomlEntry;
using decode::TomlTable;
using decode::TomlValue;

constexpr std::size_t kLongestLinkName = 15;  // IFNAMSIZ of linux/if.h without the zero
constexpr const char* kPortForms = "for example \"tcp/443\", \"tcp/8000-8010\" or \"udp/53\"";

Result<Term> one_term(const std::string& word) {
  const auto filter = parse_filter(std::span(&word, 1));
  if (!filter) return fail(filter.error());
  return filter->terms.front();
}

std::string with_hint(const Error& error) {
  const std::string out = error.what.empty() ? reason(error) : error.what + ": " + reason(error);
  return error.hint.empty() ? out : out + " (" + error.hint + ")";
}

/// "did you mean X" or what there is.
std::string offer(std::string_view word, const std::vector<std::string>& all) {
  const auto near = nearest(word, all);
  return near ? "did you mean " + *near + "?" : "there are: " + join(all, ", ");
}

bool looks_like_address(std::string_view text) {
  return text.find('/') != std::string_view::npos || text.find(':') != std::string_view::npos ||
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool is_link_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestLinkName &&
         text.find_first_of(" /\t\n") == std::string_view::npos;
}

class Reader {
 public:
  void read(const TomlTable& file);
  tl::expected<Policy, std::vector<PolicyProblem>> take();

 private:
  using Put = std::function<void(const TomlValue&)>;
  struct Key {
    std::string name;
    Put put;
  };

  void problem(TextPlace place, std::string what) {
    problems_.push_back({.place = place, .what = std::move(what)});
  }
  /// Each entry to its key; keys that do not exist are told with the nearest that does.
  void read_table(const TomlTable& table, const std::string& where, const std::vector<Key>& keys);
  const std::string* text_of(const TomlValue& value, const std::string& key);
  /// A text, or a list of texts: each is put.
  void each_text(const TomlValue& value, const std::string& key,
                 const std::function<void(const std::string&, TextPlace)>& put);

  void read_default(const TomlValue& value);
  void read_expectations(const TomlValue& value);
  void read_expectation(const TomlValue& value);
  void put_port(const std::string& word, TextPlace place, std::vector<Expectation>& ports);
  void put_ports(const TomlValue& value, std::vector<Expectation>& ports);
  void put_address(const TomlValue& value, Expectation& into);
  void put_family(const TomlValue& value, Expectation& into);
  void put_reach(const TomlValue& value, Expectation& into);
  void put_reach_word(const std::string& word, TextPlace place, Expectation& into);
  void put_source(const std::string& word, TextPlace place, ReachWish& into);
  void put_flag(const TomlValue& value, const std::string& key, std::optional<bool>& into);
  void put_word(const TomlValue& value, const std::string& key, std::string& into);

  Policy policy_;
  std::vector<PolicyProblem> problems_;
};

void Reader::read_table(const TomlTable& table, const std::string& where,
                        const std::vector<Key>& keys) {
  for (const TomlEntry& entry : table) {
    const auto found = std::ranges::find(keys, entry.key, &Key::name);
    if (found != keys.end()) {
      found->put(entry.value);
      continue;
    }
    std::vector<std::string> names;
    for (const Key& key : keys) names.push_back(key.name);
    problem(entry.place, "no key " + entry.key + where + ": " + offer(entry.key, names));
  }
}

const std::string* Reader::text_of(const TomlValue& value, const std::string& key) {
  const auto* text = std::get_if<std::string>(&value.value);
  if (text == nullptr) {
    problem(value.place, key + " is " + std::string(kind_of(value)) + ", not text");
  } else if (text->empty()) {
    problem(value.place, key + " is empty");
    return nullptr;
  }
  return text;
}

void Reader::each_text(const TomlValue& value, const std::string& key,
                       const std::function<void(const std::string&, TextPlace)>& put) {
  const auto* list = std::get_if<TomlArray>(&value.value);
  if (list == nullptr) {
    if (const std::string* text = text_of(value, key)) put(*text, value.place);
    return;
  }
  if (list->empty()) problem(value.place, key + " is an empty list");
  for (const TomlValue& one : *list) {
    if (const std::string* text = text_of(one, "an entry of " + key)) put(*text, one.place);
  }
}

void Reader::read_default(const TomlValue& value) {
  policy_.default_place = value.place;
  const std::string* word = text_of(value, "default");
  if (word == nullptr) return;
  policy_.deny = *word != "allow";
  if (*word == "deny" || *word == "allow") return;
  problem(value.place, "no default " + *word + ": " + offer(*word, {"deny", "allow"}));
}

void Reader::put_port(const std::string& word, TextPlace place, std::vector<Expectation>& ports) {
  const auto term = one_term(word);
  if (!term) return problem(place, with_hint(term.error()));
  if (term->field != Field::Port || term->negated) {
    return problem(place, word + " names no port: " + kPortForms);
  }
  Expectation one;
  one.port = word;
  if (term->has_protocol) one.protocol = term->protocol;
  if (one.protocol == Protocol::Mptcp) one.protocol = Protocol::Tcp;
  one.first_port = term->first_port;
  one.last_port = term->last_port;
  if (term->has_address) {
    one.address = *term;
    one.address->field = Field::Address;
    one.address->has_protocol = false;
  }
  ports.push_back(std::move(one));
}

void Reader::put_ports(const TomlValue& value, std::vector<Expectation>& ports) {
  const auto* list = std::get_if<TomlArray>(&value.value);
  // A number is a port over any protocol, in a list as well.
  for (const TomlValue& one : list != nullptr ? *list : TomlArray{value}) {
    if (const auto* number = std::get_if<std::int64_t>(&one.value)) {
      put_port(std::to_string(*number), one.place, ports);
    } else if (const std::string* word =
                   text_of(one, list != nullptr ? "an entry of port" : "port")) {
      put_port(*word, one.place, ports);
    }
  }
  if (list != nullptr && list->empty()) problem(value.place, "port is an empty list");
}

void Reader::put_address(const TomlValue& value, Expectation& into) {
  const std::string* word = text_of(value, "address");
  if (word == nullptr) return;
  const auto term = one_term("address:" + *word);
  if (!term)
    return problem(value.place,
                   *word + ": " + with_hint(plain_error("", term.error().why, term.error().hint)));
  into.address = *term;
  into.address_written = *word;
}

void Reader::put_family(const TomlValue& value, Expectation& into) {
  const std::string* word = text_of(value, "family");
  if (word == nullptr) return;
  const ValueWord* row = find_value(Field::Family, lower(*word));
  if (row == nullptr) {
    return problem(value.place, "no family " + *word + ": " + offer(*word, {"ipv4", "ipv6"}));
  }
  into.family = static_cast<Family>(row->value);
}

void Reader::put_source(const std::string& word, TextPlace place, ReachWish& into) {
  constexpr std::string_view kVia = " via ";
  constexpr std::string_view kNot = "not ";
  WishedSource one;
  one.excluded = word.starts_with(kNot);
  const std::size_t begin = one.excluded ? kNot.size() : 0;
  const std::size_t via = word.find(kVia);
  const std::string from = word.substr(begin, via == std::string::npos ? via : via - begin);
  if (via != std::string::npos) {
    one.interface = word.substr(via + kVia.size());
    if (!is_link_name(one.interface)) {
      return problem(place, one.interface + " is no name of an interface");
    }
  }
  one.from = Prefix::parse(from);
  if (!one.from && from == "anywhere" && word == from) {
    into.kind = ReachWish::Kind::Anywhere;
    return;
  }
  if (!one.from && (via != std::string::npos || looks_like_address(from) || !is_link_name(from))) {
    return problem(place, from + " is no address, prefix or interface: for example " +
                              "\"10.0.0.0/8\", \"lo\" or \"10.0.0.0/8 via eth0\"");
  }
  if (!one.from) one.interface = from == "loopback" ? "lo" : from;
  into.sources.push_back(std::move(one));
}

void Reader::put_reach_word(const std::string& word, TextPlace place, Expectation& into) {
  using Kind = ReachWish::Kind;
  constexpr std::array<std::pair<std::string_view, Kind>, 3> kWords = {
      {{"loopback", Kind::Loopback}, {"anywhere", Kind::Anywhere}, {"none", Kind::Nobody}}};
  for (const auto& [name, kind] : kWords) {
    if (word != name) continue;
    into.reach.kind = kind;
    return;
  }
  if (looks_like_address(word.substr(0, word.find(' ')))) {
    into.reach.kind = Kind::Sources;
    return put_source(word, place, into.reach);
  }
  problem(place, "no reach " + word + ": " + offer(word, {"loopback", "anywhere", "none"}) +
                     " An interface stands in a list: reach = [\"" + word + "\"]");
}

void Reader::put_reach(const TomlValue& value, Expectation& into) {
  if (!std::holds_alternative<TomlArray>(value.value)) {
    if (const std::string* word = text_of(value, "reach")) put_reach_word(*word, value.place, into);
    return;
  }
  ReachWish& wish = into.reach;
  wish.kind = ReachWish::Kind::Sources;
  const std::size_t before = problems_.size();
  each_text(value, "reach",
            [&](const std::string& word, TextPlace place) { put_source(word, place, wish); });
  const bool only_not = std::ranges::all_of(wish.sources, &WishedSource::excluded);
  if (wish.kind == ReachWish::Kind::Anywhere && !only_not) {
    problem(value.place,
            "anywhere stands alone, or with what it is not: [\"anywhere\", \"not eth1\"]");
  } else if (wish.kind == ReachWish::Kind::Sources && only_not && problems_.size() == before) {
    problem(value.place, "says only who should not reach it: [\"anywhere\", \"not eth1\"]");
  }
}

void Reader::put_flag(const TomlValue& value, const std::string& key, std::optional<bool>& into) {
  if (const bool* flag = std::get_if<bool>(&value.value)) {
    into = *flag;
  } else {
    problem(value.place, key + " is " + std::string(kind_of(value)) + ", not true or false");
  }
}

void Reader::put_word(const TomlValue& value, const std::string& key, std::string& into) {
  if (const std::string* word = text_of(value, key)) into = *word;
}

void Reader::read_expectation(const TomlValue& value) {
  const auto* table = std::get_if<TomlTable>(&value.value);
  if (table == nullptr) {
    return problem(value.place, "expect is " + std::string(kind_of(value)) + ", not a table");
  }
  Expectation one;
  one.place = value.place;
  std::vector<Expectation> ports;
  const std::size_t before = problems_.size();
  bool says_port = false;
  std::optional<bool> optional;
  read_table(*table, " in [[expect]]",
             {{"port",
               [&](const TomlValue& v) {
                 says_port = true;
                 put_ports(v, ports);
               }},
              {"owner",
               [&](const TomlValue& v) {
                 each_text(v, "owner", [&](const std::string& word, TextPlace place) {
                   auto owner = parse_owner(word);
                   if (!owner) return problem(place, with_hint(owner.error()));
                   one.owners.push_back(std::move(*owner));
                 });
               }},
              {"reach", [&](const TomlValue& v) { put_reach(v, one); }},
              {"optional", [&](const TomlValue& v) { put_flag(v, "optional", optional); }},
              {"published", [&](const TomlValue& v) { put_flag(v, "published", one.published); }},
              {"as", [&](const TomlValue& v) { put_word(v, "as", one.as); }},
              {"address", [&](const TomlValue& v) { put_address(v, one); }},
              {"family", [&](const TomlValue& v) { put_family(v, one); }},
              {"netns", [&](const TomlValue& v) { put_word(v, "netns", one.netns); }},
              {"why", [&](const TomlValue& v) { put_word(v, "why", one.why); }}});
  one.optional = optional.value_or(false);
  if (says_port && !one.as.empty()) {
    return problem(value.place, "port and as: which of the two says the port?");
  }
  if (!says_port && one.as.empty()) {
    if (problems_.size() == before) {
      problem(value.place, std::string("[[expect]] without a port: ") + kPortForms);
    }
    return;
  }
  if (!one.as.empty()) ports.push_back({});
  for (Expectation& port : ports) {
    Expectation whole = one;
    whole.port = std::move(port.port);
    whole.protocol = port.protocol;
    whole.first_port = port.first_port;
    whole.last_port = port.last_port;
    if (port.address && whole.address) {
      problem(value.place, "the address is said twice: in port and in address");
    }
    if (port.address) whole.address = std::move(port.address);
    policy_.expectations.push_back(std::move(whole));
  }
}

void Reader::read_expectations(const TomlValue& value) {
  const auto* list = std::get_if<TomlArray>(&value.value);
  if (list == nullptr) {
    return problem(value.place, "expect is " + std::string(kind_of(value)) +
                                    ", not a list of tables: write [[expect]]");
  }
  for (const TomlValue& one : *list) {
    if (policy_.expectations.size() > kMostExpectations) {
      return problem(one.place, "more than " + std::to_string(kMostExpectations) + " expectations");
    }
    read_expectation(one);
  }
}

void Reader::read(const TomlTable& file) {
  read_table(file, "",
             {{"default", [this](const TomlValue& value) { read_default(value); }},
              {"expect", [this](const TomlValue& value) { read_expectations(value); }}});
}

tl::expected<Policy, std::vector<PolicyProblem>> Reader::take() {
  if (problems_.empty()) return std::move(policy_);
  std::ranges::stable_sort(problems_, {}, &PolicyProblem::place);
  return tl::unexpected<std::vector<PolicyProblem>>(std::move(problems_));
}

}  // namespace

Result<OwnerWish> parse_owner(const std::string& written) {
  constexpr std::array kOfOwners = {Field::Unit, Field::Name, Field::User, Field::Container,
                                    Field::Exe};
  OwnerWish out{.written = written, .terms = {}};
  const std::size_t colon = written.find(':');
  if (colon != std::string::npos) {
    const FieldRow* row = find_field(lower(written.substr(0, colon)));
    if (row != nullptr && std::ranges::find(kOfOwners, row->field) != kOfOwners.end()) {
      auto term = one_term(written);
      if (!term) return fail(term.error());
      out.terms.push_back(std::move(*term));
      return out;
    }
  }
  for (const Field field : kOfOwners) {
    // A path is an executable's, and nothing else is.
    if ((field == Field::Exe) != written.starts_with('/')) continue;
    Term term;
    term.field = field;
    term.written = written;
    term.text = written;
    out.terms.push_back(std::move(term));
  }
  return out;
}

std::string words_of(const WishedSource& source) {
  const std::string before = source.excluded ? "not " : "";
  if (!source.from) return before + source.interface;
  const bool one = source.from->length == source.from->address.bits();
  const std::string from = before + (one ? source.from->address.text() : source.from->text());
  return source.interface.empty() ? from : from + " via " + source.interface;
}

std::string words_of(const ReachWish& wish) {
  using Kind = ReachWish::Kind;
  switch (wish.kind) {
    case Kind::NotSaid:
      return {};
    case Kind::Nobody:
      return "none";
    case Kind::Loopback:
      return "loopback";
    case Kind::Anywhere:
      if (wish.sources.empty()) return "anywhere";
      break;
    case Kind::Sources:
      break;
  }
  return join(entries_of(wish), ", ");
}

std::vector<std::string> entries_of(const ReachWish& wish) {
  std::vector<std::string> out;
  if (wish.kind == ReachWish::Kind::Anywhere && !wish.sources.empty()) out.push_back("anywhere");
  for (const WishedSource& one : wish.sources) out.push_back(words_of(one));
  return out;
}

std::string words_of(const Expectation& expectation) {
  std::string out =
      expectation.as.empty() ? expectation.port : "what " + expectation.as + " is configured for";
  if (!expectation.address_written.empty()) out += " at " + expectation.address_written;
  if (expectation.family) out += *expectation.family == Family::Inet ? " over IPv4" : " over IPv6";
  if (expectation.published == true) out += ", published";
  if (!expectation.netns.empty()) out += " in " + expectation.netns;
  return out;
}

std::string owner_words(const Expectation& expectation) {
  std::vector<std::string> out;
  for (const OwnerWish& owner : expectation.owners) out.push_back(owner.written);
  return join(out, " or ");
}

tl::expected<Policy, std::vector<PolicyProblem>> parse_policy(std::string_view text) {
  const auto file = decode::decode_toml(text);
  if (!file) {
    return tl::unexpected<std::vector<PolicyProblem>>(
        {PolicyProblem{.place = file.error().place, .what = file.error().what}});
  }
  Reader reader;
  reader.read(*file);
  return reader.take();
}

}  // namespace hark::host
