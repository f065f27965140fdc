// Which way a packet goes: policy rules, tables, longest prefix, and the checks that the kernel
// makes on a packet that comes in. net/ipv4/route.c (ip_route_input_slow, ip_route_output_key),
// fib_frontend.c (fib_validate_source), fib_rules.c, fib_trie.c, fib_semantics.c;
// net/ipv6/route.c, ip6_fib.c, fib6_rules.c, ip6_input.c, ip6_output.c.
//
// Judged by RTM_GETROUTE, with and without an input interface, in tests/netns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "host/network.h"
#include "reach/packet.h"
#include "reach/world.h"

namespace hark::reach {

/// What routing needs of a packet.
struct Flow {
  Family family = Family::Inet;
  IpAddress source, destination;
  std::uint32_t in = 0;   ///< link; 0: made here
  std::uint32_t out = 0;  ///< link that the socket is bound to, or that is asked for; 0: any
  std::uint32_t mark = 0;
  std::uint8_t tos = 0;
  std::uint8_t protocol = 0;
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint32_t uid = 0;
  bool source_given = true;  ///< of output: false lets the kernel choose
  bool transparent = false;  ///< the sending socket may use foreign addresses
  /// Of input: refused_on_entry() has let it pass, perhaps before its destination was rewritten.
  bool entered = false;
};

/// What a lookup in the rules and tables gave.
struct FibResult {
  /// RTN_UNICAST, LOCAL, BROADCAST, ANYCAST, MULTICAST, BLACKHOLE, UNREACHABLE, PROHIBIT; 0: no
  /// route (ENETUNREACH)
  std::uint8_t type = 0;
  const host::Route* route = nullptr;      ///< nullptr: none, or a rule decided
  const host::PolicyRule* rule = nullptr;  ///< the rule that led there
  std::uint32_t link = 0;                  ///< egress
  std::optional<IpAddress> gateway = {};
  bool from_rule = false;  ///< the rule's own action decided
};
/// The bare lookup: rules, tables, longest prefix, metric, next hop. What is open (the choice among
/// several next hops) is asked of `world.choices`.
[[nodiscard]] FibResult fib_lookup(World& world, const Flow& flow);

/// Where a packet that came in goes next.
struct RouteIn {
  enum class To : std::uint8_t { Local, Forward, Drop, Reject };
  To to = To::Drop;
  /// Local, but by a broadcast or multicast address; or, of TCP, by an anycast address of IPv6,
  /// which takes no connections either.
  bool broadcast = false;
  FibResult fib;
  Cause cause;                                ///< of Drop and Reject
  std::uint8_t icmp_type = 0, icmp_code = 0;  ///< of Reject: what is sent back
};
[[nodiscard]] RouteIn route_input(World& world, const Flow& flow);

/// What an IPv6 packet that has just come in is dropped for before any rule sees it (ip6_rcv_core).
/// Nothing: it goes on; IPv4 has its list of martians in route_input().
[[nodiscard]] std::optional<Cause> refused_on_entry(World& world, const Flow& flow);

/// Which way a packet made here goes.
struct RouteOut {
  bool ok = false;
  int error = 0;  ///< errno of connect() or sendto() where not ok
  FibResult fib;
  IpAddress source;  ///< chosen, or as it was given
  Cause cause;       ///< where not ok
};
[[nodiscard]] RouteOut route_output(World& world, const Flow& flow);

/// inet_addr_type() and its kin: RTN_* of an address as seen by this host, on any link or on one;
/// RTN_UNICAST where it is none of its own.
[[nodiscard]] std::uint8_t address_type(const host::Network& network, const IpAddress& address,
                                        std::uint32_t link = 0,
                                        const RoutingIndex* index = nullptr);
/// Is it an address of this host, in that its local table delivers it here?
[[nodiscard]] bool is_own_address(const host::Network& network, const IpAddress& address,
                                  const RoutingIndex* index = nullptr);

/// Does the host answer ARP (or neighbour discovery) for `target` asked by `asker` on `link`?
/// Nothing if it does.
[[nodiscard]] std::optional<Cause> answers_neighbour(World& world, std::uint32_t link,
                                                     const IpAddress& asker,
                                                     const IpAddress& target);
/// Is `address` on the subnet of `link`?
[[nodiscard]] bool on_link(const host::Network& network, std::uint32_t link,
                           const IpAddress& address);

}  // namespace hark::reach
