// Packets that a bridge passes from port to port, with br_netfilter also past the rules of IP.
// net/bridge/br_netfilter_hooks.c, br_forward.c.
#pragma once

#include <cstdint>
#include <optional>

#include "reach/passage.h"
#include "reach/segment.h"
#include "reach/sites.h"

namespace hark::reach {

/// What the next namespace makes of a packet that came in over a pair: skb_scrub_packet().
void scrub(Packet& packet, const host::Link* from, bool other_namespace);

/// br_netfilter has the rules of IP see what a bridge passes from port to port: br_nf_pre_routing()
/// of net/bridge/br_netfilter_hooks.c. Without the module there are no such settings.
[[nodiscard]] bool calls_ip_rules(const World& world, const host::Link& bridge, Family family);

/// The packet came in by a port of a bridge, and br_netfilter had the rules of IP see it there.
[[nodiscard]] bool came_by_ports(const World& world, const Packet& packet);

/// A frame passes a bridge from port to port. Nothing: it goes on.
[[nodiscard]] std::optional<Arrival> pass_bridge(Site& site, std::uint32_t bridge, Packet& packet);

/// Neighbour discovery passes the bridge like any other packet of IPv6. Of ARP there is no such
/// hook.
[[nodiscard]] bool is_heard_across(Site& site, std::uint32_t bridge, const IpAddress& asker,
                                   const IpAddress& next);

/// With br_netfilter what NAT sends out by the bridge by which it came in is passed from port to
/// port. The route of IPv6 is found for that whether or not the host forwards, that of IPv4 only if
/// it does (br_nf_pre_routing_finish_ipv6, br_nf_pre_routing_finish).
[[nodiscard]] bool turns_at_bridge(Site& site, const Packet& packet, Arrival& arrival);

/// The port of the bridge that a segment is of, by which frames go to whoever has the address; 0:
/// nobody has.
[[nodiscard]] std::uint32_t port_of(const Segment& segment, const IpAddress& address);

}  // namespace hark::reach
