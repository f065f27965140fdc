// The lookup itself: rules, tables, longest prefix, next hop. What input and output routes, source
// addresses and neighbours have in common. Of routing alone: routing.h is for everybody else.
//
// net/core/fib_rules.c, net/ipv4/fib_rules.c, fib_trie.c (fib_table_lookup), fib_semantics.c;
// net/ipv6/fib6_rules.c, route.c (fib6_table_lookup, rt6_select, fib6_select_path).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reach/routing.h"
#include "reach/world.h"

namespace hark::reach::fib {

// linux/rtnetlink.h: RTN_*, tables, RTNH_F_*, scopes
constexpr std::uint8_t kUnicast = 1;
constexpr std::uint8_t kLocal = 2;
constexpr std::uint8_t kBroadcast = 3;
constexpr std::uint8_t kAnycast = 4;
constexpr std::uint8_t kMulticast = 5;
constexpr std::uint8_t kBlackhole = 6;
constexpr std::uint8_t kUnreachable = 7;
constexpr std::uint8_t kProhibit = 8;
constexpr std::uint8_t kThrow = 9;
constexpr std::uint32_t kTableDefault = 253;
constexpr std::uint32_t kTableMain = 254;
constexpr std::uint32_t kTableLocal = 255;
constexpr std::uint32_t kHopDead = 1;
constexpr std::uint32_t kHopLinkDown = 16;
constexpr std::uint8_t kScopeLink = 253;
constexpr std::uint8_t kScopeHost = 254;
constexpr std::uint8_t kProtocolKernel = 2;
// linux/fib_rules.h: FR_ACT_*
constexpr std::uint8_t kToTable = 1;
constexpr std::uint8_t kGoto = 2;
constexpr std::uint8_t kNop = 3;
constexpr std::uint8_t kRuleBlackhole = 6;
constexpr std::uint8_t kRuleUnreachable = 7;
constexpr std::uint8_t kRuleProhibit = 8;
// linux/if.h, linux/if_addr.h, linux/neighbour.h
constexpr std::uint32_t kLinkUp = 0x1;
constexpr std::uint32_t kLinkLoopback = 0x8;
constexpr std::uint32_t kLinkNoArp = 0x80;
constexpr std::uint32_t kLinkMulticast = 0x1000;
constexpr std::uint32_t kAddressSecondary = 0x01;
constexpr std::uint32_t kAddressOptimistic = 0x04;
constexpr std::uint32_t kAddressDadFailed = 0x08;
constexpr std::uint32_t kAddressDeprecated = 0x20;
constexpr std::uint32_t kAddressTentative = 0x40;
constexpr std::uint16_t kNeighbourFailed = 0x20;
constexpr std::uint8_t kNeighbourProxy = 0x08;
/// The loopback device has this index in every namespace: LOOPBACK_IFINDEX.
constexpr std::uint32_t kLo = 1;

/// What is looked up: struct flowi. `destination` is what is looked for; of a check of the source
/// that is the source.
struct Key {
  IpAddress source, destination;
  bool has_source = true;
  std::uint32_t in = 0, out = 0;  ///< as rules compare them
  std::uint32_t vrf = 0;          ///< flowi_l3mdev
  bool vrf_by_out = false;        ///< FLOWI_FLAG_L3MDEV_OIF
  std::uint32_t mark = 0;
  std::uint32_t uid = 0;
  std::uint8_t tos = 0;
  std::uint8_t protocol = 0;
  std::uint16_t source_port = 0, destination_port = 0;
  bool ignore_linkstate = false;  ///< FIB_LOOKUP_IGNORE_LINKSTATE
  /// Of IPv6: the link that a hop should have (input: where it came in), and whether it must
  /// (RT6_LOOKUP_F_IFACE).
  std::uint32_t near_link = 0;
  bool strict = false;

  [[nodiscard]] Family family() const { return destination.family; }
};

/// Of a flow that came in by flow.in, or is made here.
[[nodiscard]] Key key_of(const Flow& flow);

struct Found {
  /// 0, or the errno of the refusal: ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL; EAGAIN inside one
  /// table: ask the next rule.
  int error = 0;
  std::uint8_t type = 0;               ///< as FibResult::type
  const host::Route* route = nullptr;  ///< also of a route that rejects
  const host::NextHop* hop = nullptr;  ///< the first usable
  const host::PolicyRule* rule = nullptr;
  bool from_rule = false;
  bool near_match = false;  ///< of IPv6: `hop` is on near_link

  bool operator==(const Found&) const = default;
};

/// No choice among several hops is made: `hop` is the first that could be it.
[[nodiscard]] Found lookup(World& world, Key key);
/// One table; error EAGAIN: it has nothing, or says throw.
[[nodiscard]] Found table_lookup4(World& world, std::uint32_t table, const Key& key);
[[nodiscard]] Found table_lookup6(World& world, std::uint32_t table, const Key& key);
/// The two of IPv4 that are one trie until somebody adds a rule.
[[nodiscard]] Found merged_lookup4(World& world, const Key& key);

/// The local table alone; while it is one trie with main, that.
[[nodiscard]] Found local_lookup4(World& world, const IpAddress& address);

/// Asks the rules in their order.
[[nodiscard]] Found walk_rules(World& world, std::span<const host::PolicyRule> rules,
                               const Key& key);
/// The rules of a family; the kernel's own where none were told.
[[nodiscard]] std::span<const host::PolicyRule> rules_of(const host::Network& network,
                                                         Family family);
/// Nothing but what the kernel made at its start: fib4_has_custom_rules(), as far as can be seen.
[[nodiscard]] bool only_default_rules(const host::Network& network, const RoutingIndex* index);
/// Was it always so? The kernel remembers and does not tell: fib_has_custom_rules.
[[nodiscard]] bool never_had_custom_rules(World& world);

/// Makes the choice among the hops of a route, and of equal default routes: fib_select_path.
void select_hop(World& world, const Key& key, Found& found);

/// Can the hop be used? RTNH_F_DEAD and LINKDOWN.
[[nodiscard]] bool is_usable(const host::Network& network, const host::Route& route,
                             const host::NextHop& hop, bool ignore_linkstate);
/// The hops of a route; one without a link where none was told.
[[nodiscard]] std::span<const host::NextHop> hops_of(const host::Route& route);

/// The VRF that a link is, or belongs to; 0: none. l3mdev_master_ifindex.
[[nodiscard]] std::uint32_t vrf_of(const host::Network& network, std::uint32_t link);
/// The table of the link's VRF, or `otherwise`: l3mdev_fib_table.
[[nodiscard]] std::uint32_t vrf_table_of(const host::Network& network, std::uint32_t link,
                                         std::uint32_t otherwise);
/// l3mdev_update_flow
void update_vrf(const host::Network& network, Key& key);

/// A refusal's errno of a route's or a rule's type; 0: it is none. fib_props.
[[nodiscard]] int error_of_route(std::uint8_t type);
[[nodiscard]] int error_of_rule(std::uint8_t action);
/// "rule-prohibit", "rule-blackhole" …: also of a route of that type. Empty: no refusal.
[[nodiscard]] std::string_view refusal_code(int error);

[[nodiscard]] FibResult result_of(const Found& found);

// The settings that decide, as IN_DEV_*CONF of linux/inetdevice.h take them together.
[[nodiscard]] host::Ipv4Settings effective4(const host::Network& network, const host::Link& link);

/// inet_select_addr, fib_result_prefsrc; 0.0.0.0: there is none.
[[nodiscard]] IpAddress select_source4(const host::Network& network, std::uint32_t link,
                                       const std::optional<IpAddress>& towards, std::uint8_t scope);
/// ipv6_dev_get_saddr; nothing: EADDRNOTAVAIL.
[[nodiscard]] std::optional<IpAddress> select_source6(const host::Network& network,
                                                      std::uint32_t link,
                                                      const IpAddress& destination);

/// How many leading bits two addresses of one family have in common.
[[nodiscard]] unsigned common_bits(const IpAddress& a, const IpAddress& b);

/// A packet or, with `arp`, an ARP request's lookup.
[[nodiscard]] RouteIn route_input4(World& world, const Flow& flow, bool arp);
[[nodiscard]] RouteIn route_input6(World& world, const Flow& flow);
/// refused_on_entry() of IPv6.
[[nodiscard]] std::optional<Cause> refused_on_entry6(World& world, const Flow& flow);
[[nodiscard]] RouteOut route_output4(World& world, const Flow& flow);
[[nodiscard]] RouteOut route_output6(World& world, const Flow& flow);

/// ::1 alone, and not 127.0.0.0/8 within IPv6: ipv6_addr_loopback.
[[nodiscard]] bool is_loopback6(const IpAddress& address);
/// Those for which the link counts: rt6_need_strict.
[[nodiscard]] bool needs_link6(const IpAddress& address);
/// ff02::1:ff00:0/104 with the last three bytes of the address.
[[nodiscard]] IpAddress solicited_group(const IpAddress& address);
/// Is it an address that the kernel gave to a link and does not use yet?
[[nodiscard]] const host::InterfaceAddress* tentative_address(const host::Network& network,
                                                              const IpAddress& address);
/// Is it configured on any link?
[[nodiscard]] bool is_configured(const host::Network& network, const IpAddress& address);

/// Nothing if all that a lookup needs was read; else a condition that names what is missing.
[[nodiscard]] std::optional<Condition> missing_facts(const World& world);

// Words and evidence, for causes.
[[nodiscard]] std::string link_name(const host::Network& network, std::uint32_t link);
[[nodiscard]] std::string table_name(std::uint32_t table);
/// "10.0.0.0/8 via 10.1.0.1 dev eth1, table main"
[[nodiscard]] std::string words_of(const host::Network& network, const host::Route& route);
/// "rule 100: from 10.0.0.0/8 lookup 7"
[[nodiscard]] std::string words_of(const host::PolicyRule& rule);
[[nodiscard]] Evidence evidence_of(const host::Network& network, const host::Route& route);
[[nodiscard]] Evidence evidence_of(const host::PolicyRule& rule);
/// What decided: the rule, the route, or that there is none.
[[nodiscard]] std::vector<Evidence> evidence_of(const host::Network& network, const Found& found,
                                                const Key& key);
/// "net.ipv4.conf.eth0.rp_filter = 1", and the command that shows it.
[[nodiscard]] Evidence sysctl_evidence(std::string_view family, std::string_view link,
                                       std::string_view name, std::int64_t value);
/// "ip route get 10.0.0.1 from 10.9.0.2 iif eth0"
[[nodiscard]] std::string get_command(const host::Network& network, const Flow& flow);

}  // namespace hark::reach::fib
