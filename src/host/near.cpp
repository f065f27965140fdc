// What comes near to a filter that selected nothing.
//
// Three questions, each bounded by listeners times a few terms:
//   1. What would be selected without one of the demands? The demand tells the relation: without
//      the protocol of tcp/8080 it is another protocol, without the address another address. Only
//      if something that points at one service is still asked for; "udp" alone says too little.
//   2. Which ports are written or numbered almost like the one asked for?
//   3. Which names are spelled almost like it, or are the same but of another kind?
// Answers are ranked, told once per service, and written only for the five that are shown.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "host/near_words.h"
#include "host/select.h"

namespace hark::host {
namespace {

constexpr std::size_t kShown = 5;
constexpr std::size_t kMostPerDemand = 1000;
constexpr std::size_t kMostTries = 16;  // of one kind; a filter may have any number of terms

struct FieldKind {
  const char* relation;
  bool identifies;  ///< what remains with this alone points at one service, not at many
  unsigned rank;    ///< how near the answers are that lack only this
};
constexpr std::array<FieldKind, kFieldCount> kKinds = {{
    {"other-name", true, 6},        // Word
    {"other-protocol", false, 0},   // Protocol
    {"other-family", false, 1},     // Family
    {"other-port", true, 5},        // Port
    {"other-address", true, 2},     // Address
    {"other-address", false, 2},    // Interface
    {"other-namespace", false, 2},  // Netns
    {"other-state", false, 1},      // State
    {"other-address", false, 2},    // Scope
    {"other-name", false, 4},       // User
    {"other-name", true, 6},        // Unit
    {"other-name", true, 6},        // Container
    {"other-name", true, 6},        // Name
    {"other-name", true, 6},        // Pid
    {"other-name", true, 6},        // Exe
    {"other-name", true, 6},        // CommandLine
    {"other-name", true, 6},        // Cgroup
    {"other-name", true, 6},        // Inode
    {"other-reach", false, 3},      // Reachable
    {"other-reach", false, 3},      // ReachableFrom
    {"other-name", false, 4},       // Kind
}};
constexpr unsigned kNearPortRank = 10;
constexpr unsigned kNearNameRank = 20;

const FieldKind& kind_of(Field field) {
  return kKinds[static_cast<std::size_t>(field)];
}

/// A filter with one demand less.
struct Relaxed {
  Filter filter;
  const char* relation;
  unsigned rank;
  std::string behind;  ///< ends the sentence
};

/// A near miss before it is written out.
struct Candidate {
  unsigned rank;
  std::size_t listener;
  const char* relation;
  std::string before;
  std::string behind;
};

bool identifies(const Filter& filter) {
  return std::ranges::any_of(filter.terms, [](const Term& term) {
    return !term.negated && kind_of(term.field).identifies;
  });
}

std::string asked_for(const std::vector<std::string>& words) {
  return ", but you asked for " + join(words, " or ");
}

Relaxed without_field(const Filter& filter, Field field) {
  const FieldKind& kind = kind_of(field);
  Relaxed out{{}, kind.relation, kind.rank, {}};
  std::vector<std::string> words;
  for (const Term& term : filter.terms) {
    if (term.field == field && !term.negated) {
      words.push_back(term.written);
    } else {
      out.filter.terms.push_back(term);
    }
  }
  out.behind = asked_for(words);
  return out;
}

Relaxed without_not(const Filter& filter, std::size_t at) {
  const FieldKind& kind = kind_of(filter.terms[at].field);
  Relaxed out{filter, kind.relation, kind.rank, {}};
  out.behind = ", but you asked for not " + filter.terms[at].written;
  out.filter.terms.erase(out.filter.terms.begin() + static_cast<std::ptrdiff_t>(at));
  return out;
}

/// Terms such as tcp/10.0.0.5:80 have demands inside: `demand` is the member that switches one.
Relaxed without_part(const Filter& filter, bool Term::*demand, Field field) {
  const FieldKind& kind = kind_of(field);
  Relaxed out{filter, kind.relation, kind.rank, {}};
  std::vector<std::string> words;
  for (Term& term : out.filter.terms) {
    if (term.negated || !(term.*demand)) continue;
    term.*demand = false;
    words.push_back(term.written);
  }
  if (words.empty()) out.filter.terms.clear();
  out.behind = asked_for(words);
  return out;
}

std::vector<Relaxed> relaxations(const Filter& filter) {
  std::vector<Relaxed> all;
  all.push_back(without_part(filter, &Term::has_protocol, Field::Protocol));
  all.push_back(without_part(filter, &Term::has_address, Field::Address));
  std::set<Field> fields;
  for (const Term& term : filter.terms) {
    if (!term.negated) fields.insert(term.field);
  }
  for (const Field field : fields) all.push_back(without_field(filter, field));
  for (std::size_t i = 0; i < filter.terms.size() && all.size() < kMostTries + fields.size(); ++i) {
    if (filter.terms[i].negated) all.push_back(without_not(filter, i));
  }
  std::erase_if(all, [](const Relaxed& r) { return !identifies(r.filter); });
  return all;
}

/// How far a port is from those asked for, if it is near: 1 for a neighbour or one slip of the
/// finger, 2 for the usual other port of the same service.
std::optional<unsigned> port_distance(std::uint16_t port, const Term& asked) {
  constexpr std::array<std::array<std::uint16_t, 2>, 5> kTwins = {
      {{80, 8080}, {443, 8443}, {80, 443}, {8080, 8443}, {80, 8000}}};
  if (port + 1 == asked.first_port || port == asked.last_port + 1) return 1;
  if (asked.first_port != asked.last_port) return std::nullopt;
  if (edit_distance(std::to_string(port), std::to_string(asked.first_port)) == 1) return 1;
  const auto twin = [&](const std::array<std::uint16_t, 2>& pair) {
    return (pair[0] == port && pair[1] == asked.first_port) ||
           (pair[1] == port && pair[0] == asked.first_port);
  };
  return std::ranges::any_of(kTwins, twin) ? std::optional(2U) : std::nullopt;
}

void add_near_ports(const Host& host, const Filter& filter, std::vector<Candidate>& out) {
  const Filter others = without_field(filter, Field::Port).filter;
  std::size_t tries = 0;
  for (const Term& term : filter.terms) {
    if (term.negated || term.field != Field::Port || ++tries > kMostTries) continue;
    for (std::size_t i = 0; i < host.listeners.size(); ++i) {
      const Listener& listener = host.listeners[i];
      const auto distance = port_distance(listener.port, term);
      if (!distance || listener.protocol == Protocol::Raw) continue;
      const bool same_protocol = !term.has_protocol || term.protocol == listener.protocol;
      const unsigned strange = (same_protocol && matches(host, listener, others)) ? 0 : 3;
      out.push_back(
          {kNearPortRank + *distance + strange, i, "other-port", {}, asked_for({term.written})});
    }
  }
}

struct Name {
  NameKind kind;
  std::string text;
  auto operator<=>(const Name&) const = default;
};

/// Every name on the host, with the first listener that bears it.
std::map<Name, std::size_t> names_of(const Host& host) {
  std::map<Name, std::size_t> names;
  std::vector<bool> seen(host.processes.size());
  for (std::size_t i = 0; i < host.listeners.size(); ++i) {
    const auto add = [&](NameKind kind, std::string_view text) {
      if (!text.empty()) names.try_emplace(Name{kind, std::string(text)}, i);
    };
    const Listener& listener = host.listeners[i];
    add(NameKind::Unit, listener.unit);
    add(NameKind::User, listener.socket.user);
    add(NameKind::Interface, listener.interface);
    add(NameKind::Netns, host.at(listener.netns).name);
    if (listener.container) add(NameKind::Container, listener.container->name);
    for (const KernelOwner& owner : listener.kernel_owners) {
      add(NameKind::Process, owner.name());
      add(NameKind::Process, owner.kind);
    }
    if (!listener.owners) continue;
    for (const Owner& owner : *listener.owners) {
      const auto id = static_cast<std::size_t>(owner.process);
      if (seen[id]) continue;
      seen[id] = true;
      const Process& process = host.at(owner.process);
      add(NameKind::Process, process.name);
      add(NameKind::Process, process.program);
      add(NameKind::Unit, process.unit);
      add(NameKind::User, process.user);
      if (!process.exe_name.empty()) add(NameKind::Program, process.exe_name);
      if (process.container) add(NameKind::Container, process.container->name);
    }
  }
  return names;
}

void add_near_names(const Host& host, const Filter& filter, std::vector<Candidate>& out) {
  std::map<Name, std::size_t> names;
  std::size_t tries = 0;
  for (const Term& term : filter.terms) {
    const auto wanted = wanted_name(term);
    if (!wanted || ++tries > kMostTries) continue;
    if (names.empty()) names = names_of(host);
    for (const auto& [name, listener] : names) {
      const auto distance = name_distance(*wanted, name.kind, name.text);
      if (!distance) continue;
      const bool own_kind = covers(term.field, name.kind);
      // The same name of the kind asked for exists: another demand is in the way, see relaxations.
      if (*distance == 0 && own_kind) continue;
      out.push_back({kNearNameRank + 2 * *distance + (own_kind ? 0 : 1),
                     listener,
                     "other-name",
                     "no " + missing_words(term) + ", but " +
                         found_words(name.kind, name.text, own_kind) + "; ",
                     {}});
    }
  }
}

/// Two answers about the same service are one.
auto service_of(const Host& host, std::size_t at) {
  const Listener& listener = host.listeners[at];
  const bool owned = listener.owners && !listener.owners->empty();
  const std::uint64_t holder = owned ? std::uint64_t{host.at(listener.owners->front().process).pid}
                                           << 32U
                                     : std::uint64_t{listener.socket.inode};
  return std::tuple(listener.netns, listener.protocol, listener.port, holder);
}

std::vector<Near> write_out(const Host& host, std::vector<Candidate> candidates) {
  std::ranges::sort(candidates, {},
                    [](const Candidate& c) { return std::tie(c.rank, c.listener); });
  std::vector<Near> out;
  std::set<decltype(service_of(host, 0))> told;
  for (const Candidate& candidate : candidates) {
    if (out.size() == kShown) break;
    if (!told.insert(service_of(host, candidate.listener)).second) continue;
    out.push_back({candidate.relation, candidate.listener,
                   candidate.before + listener_words(host, host.listeners[candidate.listener]) +
                       candidate.behind});
  }
  return out;
}

}  // namespace

std::vector<Near> near_misses(const Host& host, const Filter& filter) {
  std::vector<Candidate> candidates;
  for (const Relaxed& relaxed : relaxations(filter)) {
    std::vector<std::size_t> selected = select(host, relaxed.filter);
    if (selected.size() > kMostPerDemand) selected.resize(kMostPerDemand);
    for (const std::size_t at : selected) {
      candidates.push_back({relaxed.rank, at, relaxed.relation, {}, relaxed.behind});
    }
  }
  add_near_ports(host, filter, candidates);
  add_near_names(host, filter, candidates);
  std::erase_if(candidates, [&](const Candidate& candidate) {
    return matches(host, host.listeners[candidate.listener], filter);
  });
  return write_out(host, std::move(candidates));
}

}  // namespace hark::host
