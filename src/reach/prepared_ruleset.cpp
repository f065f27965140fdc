#include "reach/prepared_ruleset.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "reach/rule_words.h"

namespace hark::reach {

namespace nft = decode::nft;

namespace {

// linux/netfilter_ipv4.h: enum nf_ip_hook_priorities; IPv6 has the same.
constexpr std::int32_t kPriorityRaw = -300;
constexpr std::int32_t kPriorityConntrack = -200;
constexpr std::int32_t kPriorityMangle = -150;
constexpr std::int32_t kPriorityNatDestination = -100;
constexpr std::int32_t kPriorityFilter = 0;
constexpr std::int32_t kPrioritySecurity = 50;
constexpr std::int32_t kPriorityNatSource = 100;
constexpr std::int32_t kPriorityConfirm = std::numeric_limits<std::int32_t>::max();

/// The kernel's numbers of a hook: of ip, ip6 and inet (NF_INET_*), of the others.
constexpr std::uint32_t kNone = 0xff;
struct HookNumbers {
  std::uint32_t inet = kNone, netdev = kNone, arp = kNone, bridge = kNone;
};
HookNumbers numbers_of(HookPoint hook) {
  switch (hook) {
    case HookPoint::Prerouting:
      return {.inet = 0};
    case HookPoint::Input:
      return {.inet = 1};
    case HookPoint::Forward:
      return {.inet = 2};
    case HookPoint::Output:
      return {.inet = 3};
    case HookPoint::Postrouting:
      return {.inet = 4};
    case HookPoint::Ingress:
      return {.inet = 5, .netdev = 0};
    case HookPoint::Egress:
      return {.netdev = 1};
    case HookPoint::ArpIn:
      return {.arp = 0};
    case HookPoint::ArpOut:
      return {.arp = 1};
    case HookPoint::BridgePrerouting:
      return {.bridge = 0};
    case HookPoint::BridgeInput:
      return {.bridge = 1};
  }
  return {};
}

bool hangs_at(const nft::Chain& chain, HookPoint hook, Family family) {
  const HookNumbers numbers = numbers_of(hook);
  const std::uint32_t number = chain.hook->number;
  const bool by_device = hook == HookPoint::Ingress;
  switch (chain.family) {
    case nft::TableFamily::Inet:
      return number == numbers.inet;
    case nft::TableFamily::Ip:
      return number == numbers.inet && !by_device && family == Family::Inet;
    case nft::TableFamily::Ip6:
      return number == numbers.inet && !by_device && family == Family::Inet6;
    case nft::TableFamily::Netdev:
      return number == numbers.netdev;
    case nft::TableFamily::Arp:
      return number == numbers.arp;
    case nft::TableFamily::Bridge:
      return number == numbers.bridge;
  }
  return false;
}

/// A device of a chain may be given as the beginning of a name: "eth*".
bool names_device(const nft::Hook& hook, std::string_view device) {
  return std::ranges::any_of(hook.devices, [device](const std::string& name) {
    if (!name.empty() && name.back() == '*') {
      return device.starts_with(std::string_view(name).substr(0, name.size() - 1));
    }
    return name == device;
  });
}

bool is_inet_hook(HookPoint hook) {
  return numbers_of(hook).inet != kNone && hook != HookPoint::Ingress;
}

Registered registered(const HookEntry& entry, const std::vector<HookEntry>& nat_chains) {
  if (entry.kind == HookEntry::Kind::Chain) {
    return {.table = entry.chain->table->table->handle,
            .handle = entry.chain->chain->handle,
            .original = entry.chain->original};
  }
  if (entry.kind == HookEntry::Kind::Conntrack) return entry.since;
  if (entry.kind != HookEntry::Kind::Nat) return {.known = false};
  // The NAT core comes with the first chain of NAT of the family.
  std::optional<Registered> first;
  for (const HookEntry& chain : nat_chains) {
    const Registered at = registered(chain, {});
    if (!at.known) return {.known = false};
    if (!first || std::pair(at.table, at.handle) < std::pair(first->table, first->handle))
      first = at;
  }
  return first.value_or(Registered{.known = false});
}

/// Is it known which of the two was registered first?
bool is_order_known(const Registered& a, const Registered& b) {
  return a.known && b.known && (a.table == b.table || (a.original && b.original));
}

/// All orders of entries in which those whose order is known keep theirs.
class Orders {
 public:
  Orders(const std::vector<HookEntry>& entries, const std::vector<HookEntry>& nat_chains)
      : entries_(entries), placed_(entries.size()) {
    for (const HookEntry& entry : entries) registered_.push_back(registered(entry, nat_chains));
  }

  /// The first is that of `entries`.
  std::vector<std::vector<HookEntry>> all() {
    extend();
    return std::move(found_);
  }

 private:
  // Each is run through where it may matter: with more than four entries of unknown order some are
  // not tried.
  static constexpr std::size_t kMost = 24;

  [[nodiscard]] bool may_be_next(std::size_t i) const {
    if (placed_[i]) return false;
    for (std::size_t before = 0; before < i; ++before) {
      if (!placed_[before] && is_order_known(registered_[before], registered_[i])) return false;
    }
    return true;
  }

  void extend() {
    if (order_.size() == entries_.size()) found_.push_back(order_);
    for (std::size_t i = 0; i < entries_.size() && found_.size() < kMost; ++i) {
      if (!may_be_next(i)) continue;
      placed_[i] = true;
      order_.push_back(entries_[i]);
      extend();
      order_.pop_back();
      placed_[i] = false;
    }
  }

  const std::vector<HookEntry>& entries_;
  std::vector<Registered> registered_ = {};
  std::vector<bool> placed_;
  std::vector<HookEntry> order_ = {};
  std::vector<std::vector<HookEntry>> found_ = {};
};

/// Last registered first; what is not known as registered last.
void put_in_order(std::vector<HookEntry>& entries, const std::vector<HookEntry>& nat_chains) {
  std::stable_sort(entries.begin(), entries.end(),
                   [&nat_chains](const HookEntry& a, const HookEntry& b) {
                     const Registered x = registered(a, nat_chains);
                     const Registered y = registered(b, nat_chains);
                     if (x.known != y.known) return !x.known;
                     return std::pair(x.table, x.handle) > std::pair(y.table, y.handle);
                   });
}

std::vector<HookGroup> grouped(std::vector<HookEntry> entries,
                               const std::vector<HookEntry>& nat_chains) {
  std::ranges::stable_sort(entries, {}, &HookEntry::priority);
  std::vector<HookGroup> groups;
  for (const HookEntry& entry : entries) {
    if (groups.empty() || groups.back().entries.front().priority != entry.priority) {
      groups.emplace_back();
    }
    groups.back().entries.push_back(entry);
  }
  for (HookGroup& group : groups) {
    put_in_order(group.entries, nat_chains);
    group.others = Orders(group.entries, nat_chains).all();
    group.others.erase(group.others.begin());
  }
  return groups;
}

}  // namespace

PreparedRuleset::PreparedRuleset(const host::Network& network) : network_(network) {
  add_tables();
  add_chains();
  add_rules();
  find_trackers();
}

PreparedRuleset::~PreparedRuleset() = default;

PreparedTable* PreparedRuleset::table(nft::TableFamily family, std::string_view name) {
  const auto found = by_name_.find({family, name});
  return found == by_name_.end() ? nullptr : found->second;
}

void PreparedRuleset::add_tables() {
  for (const nft::Table& each : network_.nft.tables) {
    PreparedTable& added = tables_.emplace_back();
    added.table = &each;
    added.key = std::string(nft::name_of(each.family)) + " " + each.name;
    by_name_.emplace(TableKey{each.family, each.name}, &added);
  }
  for (const nft::Set& set : network_.nft.sets) {
    if (PreparedTable* owner = table(set.family, set.table)) owner->sets.emplace(set.name, &set);
  }
  for (const nft::Object& object : network_.nft.objects) {
    PreparedTable* owner = table(object.family, object.table);
    if (owner == nullptr) continue;
    owner->objects.emplace(std::pair(object.type, object.name), &object);
  }
}

void PreparedRuleset::add_chains() {
  for (const nft::Chain& chain : network_.nft.chains) {
    PreparedTable* owner = table(chain.family, chain.table);
    if (owner == nullptr) continue;
    PreparedChain& added = chains_.emplace_back();
    added.chain = &chain;
    added.table = owner;
    owner->chains.emplace(chain.name, &added);
  }
}

void PreparedRuleset::add_rules() {
  // Rules of one chain mostly stand together: look each chain up once.
  PreparedChain* chain = nullptr;
  std::map<const PreparedTable*, std::uint64_t> least_handle;
  for (const nft::Rule& rule : network_.nft.rules) {
    if (chain == nullptr || chain->chain->name != rule.chain || chain->chain->table != rule.table ||
        chain->chain->family != rule.family) {
      chain = nullptr;
      PreparedTable* owner = table(rule.family, rule.table);
      if (owner == nullptr) continue;
      const auto found = owner->chains.find(rule.chain);
      if (found == owner->chains.end()) continue;
      chain = found->second;
    }
    chain->rules.push_back(&rule);
    const auto [least, is_new] = least_handle.emplace(chain->table, rule.handle);
    if (!is_new) least->second = std::min(least->second, rule.handle);
  }
  for (PreparedChain& each : chains_) {
    each.by_port = RulesByPort(each.rules);
    const auto least = least_handle.find(each.table);
    each.original = least == least_handle.end() || each.chain->handle < least->second;
  }
}

std::shared_ptr<const ToldPlace> PreparedRuleset::place(const PreparedChain& chain,
                                                        const nft::Rule* rule, bool nat) const {
  const void* key = &chain;
  if (rule != nullptr) key = rule;
  std::shared_ptr<const ToldPlace>& ready = places_[nat ? 1 : 0][key];
  if (ready) return ready;
  RulePlace out;
  out.tool = "nft";
  out.family = nft::name_of(chain.chain->family);
  out.table = chain.chain->table;
  out.chain = chain.chain->name;
  out.policy = rule == nullptr;
  out.nat = nat;
  if (rule != nullptr) {
    out.handle = rule->handle;
    out.rule = rule_words(network_, *rule);
    out.comment = rule->comment;
  }
  ready = std::make_shared<const ToldPlace>(std::move(out));
  return ready;
}

const PreparedSet* PreparedRuleset::set(const PreparedTable& in, const std::string& name) const {
  const auto found = in.sets.find(name);
  if (found == in.sets.end()) return nullptr;
  std::unique_ptr<PreparedSet>& ready = sets_[found->second];
  if (!ready) ready = std::make_unique<PreparedSet>(*found->second);
  return ready.get();
}

const HookPlan& PreparedRuleset::plan(HookPoint hook, Family family, std::uint32_t link) const {
  const bool by_device = hook == HookPoint::Ingress || hook == HookPoint::Egress;
  std::unique_ptr<HookPlan>& ready = plans_[PlanKey{hook, family, by_device ? link : 0}];
  if (!ready) ready = std::make_unique<HookPlan>(make_plan(hook, family, link));
  return *ready;
}

void PreparedRuleset::add_chain_entries(std::vector<HookEntry>& to, HookPoint hook, Family family,
                                        std::uint32_t link) const {
  const bool by_device = hook == HookPoint::Ingress || hook == HookPoint::Egress;
  const host::Link* device = by_device ? network_.link(link) : nullptr;
  for (const PreparedChain& each : chains_) {
    if (!each.chain->hook || each.table->table->dormant) continue;
    if (!hangs_at(*each.chain, hook, family)) continue;
    if (by_device && (device == nullptr || !names_device(*each.chain->hook, device->name)))
      continue;
    to.push_back(
        {.kind = HookEntry::Kind::Chain, .priority = each.chain->hook->priority, .chain = &each});
  }
}

void PreparedRuleset::add_legacy_entries(std::vector<HookEntry>& to, HookPoint hook,
                                         Family family) const {
  if (!is_inet_hook(hook)) return;
  const bool routed = hook != HookPoint::Prerouting && hook != HookPoint::Postrouting;
  for (const host::LegacyTable& each : network_.legacy) {
    if (each.family != family) continue;
    std::optional<std::int32_t> priority;
    if (each.name == "filter" && routed) priority = kPriorityFilter;
    if (each.name == "security" && routed) priority = kPrioritySecurity;
    if (each.name == "mangle") priority = kPriorityMangle;
    if (each.name == "raw" && (hook == HookPoint::Prerouting || hook == HookPoint::Output)) {
      priority = kPriorityRaw;
    }
    if (each.name == "nat" && hook != HookPoint::Forward) {
      const bool destination = hook == HookPoint::Prerouting || hook == HookPoint::Output;
      priority = destination ? kPriorityNatDestination : kPriorityNatSource;
    }
    if (!priority) continue;
    to.push_back({.kind = HookEntry::Kind::Legacy, .priority = *priority, .legacy = &each});
  }
}

bool PreparedRuleset::has_nat(Family family) const {
  const nft::TableFamily own =
      family == Family::Inet ? nft::TableFamily::Ip : nft::TableFamily::Ip6;
  return std::ranges::any_of(
             chains_,
             [own](const PreparedChain& each) {
               return each.chain->type == "nat" && each.chain->hook &&
                      !each.table->table->dormant &&
                      (each.chain->family == own || each.chain->family == nft::TableFamily::Inet);
             }) ||
         std::ranges::any_of(network_.legacy, [family](const host::LegacyTable& each) {
           return each.family == family && each.name == "nat";
         });
}

void PreparedRuleset::add_core_entries(std::vector<HookEntry>& to, HookPoint hook,
                                       Family family) const {
  const bool first = hook == HookPoint::Prerouting || hook == HookPoint::Output;
  const bool last = hook == HookPoint::Input || hook == HookPoint::Postrouting;
  if (!first && !last) return;
  if (tracks(family)) {
    to.push_back({.kind = first ? HookEntry::Kind::Conntrack : HookEntry::Kind::Confirm,
                  .priority = first ? kPriorityConntrack : kPriorityConfirm,
                  .since = first ? tracker(family) : Registered{.known = false}});
  }
  if (has_nat(family)) {
    to.push_back({.kind = HookEntry::Kind::Nat,
                  .priority = first ? kPriorityNatDestination : kPriorityNatSource});
  }
}

HookPlan PreparedRuleset::make_plan(HookPoint hook, Family family, std::uint32_t link) const {
  std::vector<HookEntry> all;
  add_core_entries(all, hook, family);
  add_chain_entries(all, hook, family, link);
  add_legacy_entries(all, hook, family);
  std::vector<HookEntry> nat;
  std::vector<HookEntry> others;
  for (const HookEntry& entry : all) {
    const bool rewrites = (entry.chain != nullptr && entry.chain->chain->type == "nat") ||
                          (entry.legacy != nullptr && entry.legacy->name == "nat");
    (rewrites ? nat : others).push_back(entry);
  }
  // Where the NAT core comes from counts chains of NAT at every hook.
  std::vector<HookEntry> all_nat;
  for (const PreparedChain& each : chains_) {
    if (each.chain->type == "nat" && each.chain->hook) all_nat.push_back({.chain = &each});
  }
  for (const host::LegacyTable& each : network_.legacy) {
    if (each.name == "nat") {
      all_nat.push_back({.kind = HookEntry::Kind::Legacy, .legacy = &each});
    }
  }
  return {.groups = grouped(std::move(others), all_nat), .nat = grouped(std::move(nat), all_nat)};
}

}  // namespace hark::reach
