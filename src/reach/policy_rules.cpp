// Rules of policy routing, in the order of fib_rules_lookup of net/core/fib_rules.c; and the two
// roads past them that the kernel takes while nobody has added a rule.
#include <algorithm>
#include <array>
#include <cerrno>

#include "reach/fib.h"
#include "reach/routing_index.h"

namespace hark::reach::fib {
namespace {

using host::PolicyRule;

/// fib_default_rules_init, fib6_rules_net_init
PolicyRule plain_rule(Family family, std::uint32_t priority, std::uint32_t table) {
  PolicyRule rule;
  rule.family = family;
  rule.priority = priority;
  rule.action = kToTable;
  rule.table = table;
  return rule;
}

const std::array<PolicyRule, 3>& default_rules4() {
  static const std::array<PolicyRule, 3> kRules = {plain_rule(Family::Inet, 0, kTableLocal),
                                                   plain_rule(Family::Inet, 32766, kTableMain),
                                                   plain_rule(Family::Inet, 32767, kTableDefault)};
  return kRules;
}

const std::array<PolicyRule, 2>& default_rules6() {
  static const std::array<PolicyRule, 2> kRules = {plain_rule(Family::Inet6, 0, kTableLocal),
                                                   plain_rule(Family::Inet6, 32766, kTableMain)};
  return kRules;
}

/// fib_rule_port_match: with a mask the range is one port, of which only those bits count.
bool inside(const std::optional<decode::PortRange>& range, std::uint16_t mask, std::uint16_t port) {
  if (!range) return true;
  if (mask != 0) return ((range->first ^ port) & mask) == 0;
  return port >= range->first && port <= range->last;
}

bool has_vrf_kind(const host::Network& network, std::uint32_t link) {
  const host::Link* found = network.link(link);
  return found != nullptr && found->kind == "vrf";
}

/// fib_rule_iif_match and fib_rule_oif_match: a name that no link has matches nothing. Since Linux
/// 6.11 a rule that names a VRF takes what comes in by its members.
bool link_matches(const host::Network& network, const std::string& name, std::uint32_t actual,
                  std::uint32_t vrf) {
  if (name.empty()) return true;
  const host::Link* link = network.link(name);
  if (link == nullptr) return false;
  return link->index == actual || (vrf == link->index && link->kind == "vrf");
}

/// fib4_rule_match compares the TOS alone (fib_dscp_masked_match), fib6_rule_match the DSCP. A rule
/// made with `dscp` compares that in both.
bool tos_matches(const PolicyRule& rule, const Key& key) {
  if (rule.dscp) return ((*rule.dscp ^ key.tos >> 2U) & rule.dscp_mask) == 0;
  const unsigned mask = rule.family == Family::Inet ? 0x1cU : 0xfcU;
  return rule.tos == 0 || rule.tos == (key.tos & mask);
}

bool addresses_match(const PolicyRule& rule, const Key& key) {
  if (rule.destination && !rule.destination->contains(key.destination)) return false;
  if (!rule.source || rule.source->length == 0) return true;
  // fib6_rule_match: a source that is yet to be chosen is of no prefix.
  if (rule.family == Family::Inet6 && !key.has_source) return false;
  return rule.source->contains(key.source);
}

bool matches_plainly(const World& world, const PolicyRule& rule, const Key& key) {
  if (!link_matches(world.network, rule.iif, key.in, key.vrf_by_out ? 0 : key.vrf)) return false;
  if (!link_matches(world.network, rule.oif, key.out, key.vrf_by_out ? key.vrf : 0)) return false;
  if (((rule.mark ^ key.mark) & rule.mask) != 0) return false;
  if (rule.tunnel_id != 0) return false;  // packets out of tunnels with metadata are not modelled
  if (rule.l3mdev && !has_vrf_kind(world.network, key.vrf)) return false;
  if (key.uid < rule.first_uid.value_or(0) || key.uid > rule.last_uid.value_or(UINT32_MAX)) {
    return false;
  }
  if (!addresses_match(rule, key) || !tos_matches(rule, key)) return false;
  if (rule.protocol != 0 && rule.protocol != key.protocol) return false;
  return inside(rule.source_ports, rule.source_port_mask, key.source_port) &&
         inside(rule.destination_ports, rule.destination_port_mask, key.destination_port);
}

bool matches(World& world, const PolicyRule& rule, const Key& key) {
  bool plain = matches_plainly(world, rule, key);
  // The flow label is a matter of the client's; and what is not understood may go either way.
  if (plain && (rule.not_understood || rule.flow_label_mask != 0)) {
    plain = world.choices.pick({.code = rule.not_understood ? "ip-rule" : "flow-label",
                                .text = "whether the packet fits " + words_of(rule),
                                .key = words_of(rule),
                                .doubt = rule.not_understood ? Doubt::Opaque : Doubt::Packet});
  }
  return plain != rule.inverted;
}

/// fib4_rule_suppress, fib6_rule_suppress: of what was found, not of refusals.
bool is_suppressed(const host::Network& network, const PolicyRule& rule, const Found& found) {
  if (found.route == nullptr) return false;
  if (rule.suppress_prefix_length &&
      found.route->destination.length <= *rule.suppress_prefix_length) {
    return true;
  }
  if (!rule.suppress_group) return false;
  const bool v4 = rule.family == Family::Inet;
  const std::uint32_t index =
      v4 || found.hop == nullptr ? hops_of(*found.route).front().link : found.hop->link;
  const host::Link* link = network.link(index);
  return link != nullptr && link->group == *rule.suppress_group;
}

Found act(World& world, const PolicyRule& rule, const Key& key) {
  const int error = error_of_rule(rule.action);
  if (error != 0) return {.error = error, .type = rule.action, .from_rule = true};
  const std::uint32_t table =
      rule.l3mdev ? vrf_table_of(world.network, key.vrf, rule.table) : rule.table;
  return rule.family == Family::Inet ? table_lookup4(world, table, key)
                                     : table_lookup6(world, table, key);
}

/// The rule that a goto leads to; the end: nowhere, the rule has no effect.
std::size_t target_of(std::span<const PolicyRule> rules, std::size_t from) {
  for (std::size_t i = from + 1; i < rules.size(); ++i) {
    if (rules[i].priority == rules[from].goto_priority) return i;
  }
  return rules.size();
}

}  // namespace

Found walk_rules(World& world, std::span<const PolicyRule> rules, const Key& key) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const PolicyRule& rule = rules[i];
    if (!matches(world, rule, key) || rule.action == kNop) continue;
    if (rule.action == kGoto) {
      const std::size_t target = target_of(rules, i);
      if (target < rules.size()) i = target - 1;
      continue;
    }
    Found found = act(world, rule, key);
    found.rule = &rule;
    // A rule that refuses and is waived is passed over as if it had been deleted.
    if (found.from_rule && world.is_waived(refusal_code(found.error))) continue;
    if (found.error == EAGAIN) continue;
    // ip6_pol_route has chosen among the hops by the time that its group is looked at. The same
    // choice comes out again when it is asked for later.
    if (rule.family == Family::Inet6 && rule.suppress_group) select_hop(world, key, found);
    if (found.error == 0 && is_suppressed(world.network, rule, found)) continue;
    return found;
  }
  return {.error = ENETUNREACH};
}

std::span<const PolicyRule> rules_of(const host::Network& network, Family family) {
  const auto first = std::ranges::find(network.rules, family, &PolicyRule::family);
  const auto last = std::find_if(first, network.rules.end(), [family](const PolicyRule& rule) {
    return rule.family != family;
  });
  if (!network.rules.empty()) return {first, last};
  if (family == Family::Inet) return default_rules4();
  return default_rules6();
}

bool only_default_rules(const host::Network& network, const RoutingIndex* index) {
  if (index != nullptr) return index->only_default_rules();
  const std::span<const PolicyRule> rules = rules_of(network, Family::Inet);
  return std::ranges::equal(rules, default_rules4(), [](const PolicyRule& a, const PolicyRule& b) {
    PolicyRule told = a;
    // What the kernel tells of a rule that asks for everything.
    if (told.source && told.source->length == 0) told.source.reset();
    if (told.destination && told.destination->length == 0) told.destination.reset();
    if (told.suppress_prefix_length == -1) told.suppress_prefix_length.reset();
    return told == b;
  });
}

bool never_had_custom_rules(World& world) {
  if (world.network.rules_never_changed == true) return true;
  return world.choices.pick({.code = "rules-once-changed",
                             .text = "whether an ip rule or a local route was ever added here; the "
                                     "kernel remembers that and does not tell",
                             .key = "rules-once-changed",
                             .doubt = Doubt::Unread});
}

Found lookup(World& world, Key key) {
  update_vrf(world.network, key);
  const std::span<const PolicyRule> rules = rules_of(world.network, key.family());
  if (key.family() == Family::Inet6 || !only_default_rules(world.network, world.routes)) {
    return walk_rules(world, rules, key);
  }
  // As long as nobody has added a rule, local and main are one trie, of which the longest prefix
  // counts wherever it stands (fib_lookup of include/net/ip_fib.h).
  Found merged = merged_lookup4(world, key);
  if (merged.error == EAGAIN) merged = table_lookup4(world, kTableDefault, key);
  if (merged.error == EAGAIN) merged = {.error = ENETUNREACH};
  const auto rule = std::ranges::find(rules, merged.route == nullptr ? 0 : merged.route->table,
                                      &PolicyRule::table);
  if (rule != rules.end()) merged.rule = &*rule;
  Found apart = walk_rules(world, rules, key);
  if (apart == merged) return merged;
  return never_had_custom_rules(world) ? merged : apart;
}

Found local_lookup4(World& world, const IpAddress& address) {
  const Key key{.source = {}, .destination = address};
  Found apart = table_lookup4(world, kTableLocal, key);
  if (!only_default_rules(world.network, world.routes)) return apart;
  Found merged = merged_lookup4(world, key);
  if (apart == merged) return merged;
  return never_had_custom_rules(world) ? merged : apart;
}

std::uint32_t vrf_of(const host::Network& network, std::uint32_t link) {
  const host::Link* found = network.link(link);
  if (found == nullptr) return 0;
  if (found->kind == "vrf") return found->index;
  return has_vrf_kind(network, found->master) ? found->master : 0;
}

std::uint32_t vrf_table_of(const host::Network& network, std::uint32_t link,
                           std::uint32_t otherwise) {
  const host::Link* vrf = network.link(vrf_of(network, link));
  return vrf != nullptr && vrf->vrf_table != 0 ? vrf->vrf_table : otherwise;
}

void update_vrf(const host::Network& network, Key& key) {
  if (key.out != 0 && network.link(key.out) != nullptr) {
    if (key.vrf == 0) {
      key.vrf = vrf_of(network, key.out);
      key.vrf_by_out = key.vrf != 0;
    }
    if (has_vrf_kind(network, key.out)) key.out = 0;
    return;
  }
  if (key.in > kLo && key.vrf == 0) key.vrf = vrf_of(network, key.in);
}

}  // namespace hark::reach::fib
