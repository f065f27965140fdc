// Each listener is given the tightest words that the policy has for it and that are met today: what
// is written is tried by the very judgement that `hark check` makes.
#include "diagnose/policy_learn.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "diagnose/policy_match.h"
#include "diagnose/words.h"
#include "host/holders.h"

namespace hark::diagnose {
namespace {

using host::Listener;
using host::ReachWish;
using host::WishedSource;
using Kind = ReachWish::Kind;

/// More prefixes than a person would read: who reaches it is decided elsewhere.
constexpr std::size_t kMostSources = 64;
constexpr const char* kNoReach =
    "who reaches it could not be told, or not in the words of a policy";
constexpr const char* kNoOwner = "who owns it could not be told";

Protocol transport_of(Protocol protocol) {
  return protocol == Protocol::Mptcp ? Protocol::Tcp : protocol;
}

std::string protocol_word(Protocol protocol) {
  return std::string(name_of(transport_of(protocol)));
}

/// Text that a policy can hold: UTF-8 is checked by what reads it, and control characters are
/// nothing that a person would want to see in a file.
bool can_be_written(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f'; });
}

/// Scopes and slices have names that are new each time.
bool is_lasting(std::string_view unit) {
  return !unit.ends_with(".scope") && !unit.ends_with(".slice");
}

class Learner {
 public:
  explicit Learner(const PolicyFacts& facts) : facts_(facts) {}
  std::vector<LearntExpectation> learn();

 private:
  using Group = std::vector<PolicySubject>;

  [[nodiscard]] const Listener& listener(const PolicySubject& one) const {
    return facts_.host.listeners[*one.listener];
  }
  [[nodiscard]] const reach::PublishedPort& published(const PolicySubject& one) const {
    return facts_.reach.published()[*one.published];
  }
  [[nodiscard]] host::NetnsId netns_of(const PolicySubject& one) const {
    return one.listener ? listener(one).netns : published(one).netns;
  }

  [[nodiscard]] std::vector<std::string> port_words(const PolicySubject& one) const;
  [[nodiscard]] std::string address_word(const PolicySubject& one) const;
  [[nodiscard]] std::string netns_word(const PolicySubject& one) const;
  [[nodiscard]] std::vector<std::string> owner_candidates(const PolicySubject& one) const;
  [[nodiscard]] std::vector<std::string> owners_of(const Listener& one) const;
  [[nodiscard]] std::string owner_of(const Group& group) const;
  [[nodiscard]] std::vector<ReachWish> reach_candidates(const PolicySubject& one) const;
  [[nodiscard]] Deviation deviation(const PolicySubject& one, const ReachWish& wish) const;
  static void add_prefixes(const Deviation& sources, const std::vector<std::size_t>& parts,
                           std::uint32_t link, const WishedSource& like, ReachWish& to);
  [[nodiscard]] ReachWish open_to(const PolicySubject& one, bool with_interfaces) const;
  [[nodiscard]] ReachWish but_closed_to(const PolicySubject& one) const;
  [[nodiscard]] bool is_met(const PolicySubject& one, const ReachWish& wish) const;
  [[nodiscard]] ReachWish reach_of(const Group& group) const;
  [[nodiscard]] bool can_be_asked(const PolicySubject& one) const;

  [[nodiscard]] bool any_reach_is_told(const Group& group) const;
  [[nodiscard]] bool is_shared(const PolicySubject& one) const;

  void add(const Group& group, bool by_address);
  void put(LearntExpectation one);

  const PolicyFacts& facts_;
  Group published_;
  std::vector<LearntExpectation> out_;
};

std::vector<std::string> Learner::port_words(const PolicySubject& one) const {
  if (one.listener) {
    return {protocol_word(listener(one).protocol) + "/" + std::to_string(listener(one).port)};
  }
  std::vector<std::string> out;
  for (const auto& range : published(one).ports.ranges()) {
    const std::string first = std::to_string(std::max<std::uint16_t>(range.first, 1));
    std::string word = protocol_word(published(one).protocol) + "/" + first;
    if (range.last != range.first) word += "-" + std::to_string(range.last);
    out.push_back(std::move(word));
  }
  return out;
}

std::string Learner::address_word(const PolicySubject& one) const {
  if (one.listener) {
    const Listener& it = listener(one);
    return it.address.text() + (it.interface.empty() ? "" : "%" + it.interface);
  }
  const reach::PublishedPort& port = published(one);
  if (!port.addresses) return port.family == hark::Family::Inet ? "0.0.0.0" : "::";
  const std::vector<Prefix> prefixes = prefixes_of(*port.addresses);
  // Of several the policy has no word but for all of the family.
  if (prefixes.size() != 1) return {};
  const Prefix& prefix = prefixes.front();
  return prefix.length == prefix.address.bits() ? prefix.address.text() : prefix.text();
}

std::string Learner::netns_word(const PolicySubject& one) const {
  const host::Netns& netns = facts_.host.at(netns_of(one));
  if (facts_.netns || netns.own) return {};
  if (can_be_written(netns.name)) return netns.name;
  return netns.inode ? "net:[" + std::to_string(*netns.inode) + "]" : std::string();
}

std::vector<std::string> Learner::owners_of(const Listener& one) const {
  std::vector<std::string> out;
  const auto add_container = [&](const host::Container& container) {
    if (!container.name.empty()) out.push_back("container:" + container.name);
  };
  std::vector<std::string> names;
  std::vector<std::string> units;
  for (const host::ProcessId id : servers_of(facts_.host, one)) {
    const host::Process& process = facts_.host.at(id);
    if (process.door && process.door->container) add_container(*process.door->container);
    if (process.container) add_container(*process.container);
    if (is_lasting(process.unit)) units.push_back(process.unit);
    names.push_back(host::program_name(process));
    names.push_back(process.name);
  }
  if (one.container) add_container(*one.container);
  if (is_lasting(one.unit)) out.push_back(one.unit);
  out.insert(out.end(), units.begin(), units.end());
  out.insert(out.end(), names.begin(), names.end());
  for (const host::KernelOwner& owner : one.kernel_owners) out.push_back(owner.name());
  if (!one.owners && one.kernel_owners.empty() && !one.socket.user.empty()) {
    out.push_back("user:" + one.socket.user);
  }
  return out;
}

std::vector<std::string> Learner::owner_candidates(const PolicySubject& one) const {
  if (one.listener) return owners_of(listener(one));
  std::vector<std::string> out;
  for (const reach::LeadsTo& lead : published(one).leads_to) {
    if (lead.container && !lead.container->name.empty()) {
      out.push_back("container:" + lead.container->name);
    }
    if (!lead.service.empty()) out.push_back(lead.service.substr(0, lead.service.rfind(':')));
    if (lead.listener) {
      const auto more = owners_of(facts_.host.listeners[*lead.listener]);
      out.insert(out.end(), more.begin(), more.end());
    }
  }
  return out;
}

std::string Learner::owner_of(const Group& group) const {
  for (const std::string& word : owner_candidates(group.front())) {
    if (!can_be_written(word)) continue;
    const auto owner = host::parse_owner(word);
    if (!owner) continue;
    const auto fits = [&](const PolicySubject& one) {
      return owner_fits(facts_, *owner, one) == Fit::Yes;
    };
    if (std::ranges::all_of(group, fits)) return word;
  }
  return {};
}

bool Learner::can_be_asked(const PolicySubject& one) const {
  const host::Network* network = facts_.reach.network(netns_of(one));
  if (network == nullptr || network->gap(host::NetworkFact::Links) != nullptr) return false;
  return one.published ||
         (listener(one).protocol != Protocol::Raw && listener(one).protocol != Protocol::Udplite);
}

bool Learner::is_met(const PolicySubject& one, const ReachWish& wish) const {
  const Deviation sources = deviation(one, wish);
  return sources.too_many.empty() && sources.too_few.empty() && sources.open.empty() &&
         !sources.nobody_at_all && (one.listener || published(one).certain);
}

/// Tightest first: nobody, this host; then anywhere, which is shorter than a list that says the
/// same; then whole interfaces and the prefixes that come by the others, the same with their
/// interfaces, and anywhere but whom it is closed to, the shortest first.
std::vector<ReachWish> Learner::reach_candidates(const PolicySubject& one) const {
  std::vector<ReachWish> out = {
      {.kind = Kind::Nobody}, {.kind = Kind::Loopback}, {.kind = Kind::Anywhere}};
  std::vector<ReachWish> lists = {open_to(one, false), open_to(one, true), but_closed_to(one)};
  std::ranges::stable_sort(lists, {}, [](const ReachWish& wish) { return wish.sources.size(); });
  for (ReachWish& wish : lists) {
    if (!wish.sources.empty() && wish.sources.size() <= kMostSources) out.push_back(wish);
  }
  return out;
}

Deviation Learner::deviation(const PolicySubject& one, const ReachWish& wish) const {
  const reach::Reachability& now =
      one.listener ? facts_.reach.reachability({*one.listener}) : published(one).reach;
  return deviation_of(*facts_.reach.network(netns_of(one)), now, wish);
}

/// Prefixes of these clients, each once; `link` 0: of every interface.
void Learner::add_prefixes(const Deviation& sources, const std::vector<std::size_t>& parts,
                           std::uint32_t link, const WishedSource& like, ReachWish& to) {
  std::map<std::size_t, AddressSet> by_place;
  for (const std::size_t i : parts) {
    const reach::ClientPart& part = sources.clients.parts[i];
    if (link != 0 && sources.clients.places[part.place].interface != link) continue;
    by_place[part.place] = by_place[part.place].unite(part.addresses);
  }
  for (const auto& [place, some] : by_place) {
    const AddressSet& all = sources.clients.places[place].clients;
    for (const Prefix& prefix : reach::prefixes_among(some, all, kMostSources + 1)) {
      WishedSource source = like;
      source.from = prefix;
      if (std::ranges::find(to.sources, source) == to.sources.end()) to.sources.push_back(source);
    }
  }
}

ReachWish Learner::open_to(const PolicySubject& one, bool with_interfaces) const {
  const host::Network& network = *facts_.reach.network(netns_of(one));
  // Who reaches it is who would be too many if nobody should.
  const Deviation all = deviation(one, {.kind = Kind::Nobody});
  ReachWish out{.kind = Kind::Sources};
  std::set<std::uint32_t> done;
  for (const std::size_t i : all.too_many) {
    const std::uint32_t index = all.clients.places[all.clients.parts[i].place].interface;
    const host::Link* link = network.link(index);
    if (link == nullptr || !done.insert(index).second) continue;
    const WishedSource whole{.interface = link->name};
    const Deviation rest = deviation(one, {.kind = Kind::Sources, .sources = {whole}});
    if (rest.too_few.empty() && rest.open.empty()) {
      out.sources.push_back(whole);
    } else {
      add_prefixes(all, all.too_many, index, with_interfaces ? whole : WishedSource{}, out);
    }
  }
  return out;
}

ReachWish Learner::but_closed_to(const PolicySubject& one) const {
  const Deviation closed = deviation(one, {.kind = Kind::Anywhere});
  ReachWish out{.kind = Kind::Anywhere};
  add_prefixes(closed, closed.too_few, 0, {.excluded = true}, out);
  return out;
}

ReachWish Learner::reach_of(const Group& group) const {
  const auto is_asked = [this](const auto& one) { return can_be_asked(one); };
  const bool asked = std::ranges::all_of(group, is_asked);
  for (const PolicySubject& one : asked ? group : Group{}) {
    for (const ReachWish& wish : reach_candidates(one)) {
      const auto met = [&](const PolicySubject& other) { return is_met(other, wish); };
      if (std::ranges::all_of(group, met)) return wish;
    }
  }
  const auto is_here = [this](const PolicySubject& one) {
    return one.listener && listener(one).scope == host::Scope::Loopback &&
           listener(one).protocol != Protocol::Raw && listener(one).protocol != Protocol::Udplite;
  };
  return std::ranges::all_of(group, is_here) ? ReachWish{.kind = Kind::Loopback} : ReachWish{};
}

void Learner::put(LearntExpectation one) {
  if (one.owner.empty()) one.note = kNoOwner;
  if (one.reach.kind == Kind::NotSaid) {
    one.note = one.note.empty() ? kNoReach : one.note + "; " + kNoReach;
  }
  if (one.heading.empty()) one.heading = one.owner;
  const auto same = [&](const LearntExpectation& other) {
    return std::tie(one.owner, one.address, one.published, one.netns, one.note, one.heading) ==
               std::tie(other.owner, other.address, other.published, other.netns, other.note,
                        other.heading) &&
           one.reach == other.reach;
  };
  const auto found = std::ranges::find_if(out_, same);
  if (found == out_.end()) return out_.push_back(std::move(one));
  for (std::string& port : one.ports) {
    if (std::ranges::find(found->ports, port) == found->ports.end()) {
      found->ports.push_back(std::move(port));
    }
  }
}

/// One entry for all of them where the same holds of them, else one for each address, else one for
/// each.
void Learner::add(const Group& group, bool by_address) {
  LearntExpectation one{.ports = port_words(group.front()), .owner = owner_of(group)};
  one.reach = reach_of(group);
  one.netns = netns_word(group.front());
  if (is_shared(group.front())) one.published = group.front().published.has_value();
  const bool whole = !one.owner.empty() &&
                     (by_address || one.reach.kind != Kind::NotSaid || !any_reach_is_told(group));
  if (whole || group.size() == 1) {
    if (by_address) one.address = address_word(group.front());
    if (one.owner.empty() && group.front().listener) {
      one.heading = host::holder_words(facts_.host, *group.front().listener);
    }
    return put(std::move(one));
  }
  std::map<std::string, Group> parts;
  for (std::size_t i = 0; i < group.size(); ++i) {
    parts[by_address ? std::to_string(i) : address_word(group[i])].push_back(group[i]);
  }
  for (const auto& [key, part] : parts) add(part, true);
}

bool Learner::any_reach_is_told(const Group& group) const {
  return std::ranges::any_of(
      group, [this](const PolicySubject& one) { return reach_of({one}).kind != Kind::NotSaid; });
}

std::vector<LearntExpectation> Learner::learn() {
  // By port, so that twins of two families and workers that share a port come together.
  using Key = std::tuple<std::uint16_t, std::string, std::vector<std::string>, bool>;
  std::map<Key, Group> groups;
  for (const PolicySubject& one : policy_subjects(facts_)) {
    const std::uint16_t first = one.listener ? listener(one).port : published(one).first_port();
    groups[Key(first, netns_word(one), port_words(one), one.published.has_value())].push_back(one);
    if (one.published) published_.push_back(one);
  }
  for (const auto& [key, group] : groups) add(group, false);
  // An entry stands with the first of its heading.
  std::map<std::string, std::size_t> order;
  for (const LearntExpectation& one : out_) order.emplace(one.heading, order.size());
  std::ranges::stable_sort(out_, {},
                           [&](const LearntExpectation& one) { return order.at(one.heading); });
  return std::move(out_);
}

/// Does a socket and a published port have the same number?
bool Learner::is_shared(const PolicySubject& one) const {
  const auto has = [&](const PolicySubject& port, const Listener& socket) {
    return published(port).ports.contains(socket.port) && published(port).netns == socket.netns &&
           published(port).protocol == transport_of(socket.protocol);
  };
  if (one.listener) {
    return std::ranges::any_of(published_,
                               [&](const auto& port) { return has(port, listener(one)); });
  }
  return std::ranges::any_of(facts_.host.listeners,
                             [&](const Listener& socket) { return has(one, socket); });
}

}  // namespace

std::vector<LearntExpectation> learn_policy(const PolicyFacts& facts) {
  return Learner(facts).learn();
}

bool loosen(std::vector<LearntExpectation>& learnt, const host::Policy& policy,
            const std::vector<PolicyResult>& results) {
  // A list of ports made an expectation of each.
  std::vector<std::size_t> of;
  for (std::size_t i = 0; i < learnt.size(); ++i) of.insert(of.end(), learnt[i].ports.size(), i);
  bool any = false;
  for (const PolicyResult& one : results) {
    if (one.status == PolicyStatus::Met || !one.expectation) continue;
    if (of.size() != policy.expectations.size()) continue;
    LearntExpectation& entry = learnt[of[*one.expectation]];
    const bool owner = one.status == PolicyStatus::WrongOwner || one.owner_unknown;
    if (owner && !entry.owner.empty()) {
      entry.owner.clear();
      entry.note = "its port has several owners";
      any = true;
    } else if (!owner && entry.reach.kind != Kind::NotSaid) {
      entry.reach = {};
      entry.note = kNoReach;
      any = true;
    }
  }
  return any;
}

}  // namespace hark::diagnose
