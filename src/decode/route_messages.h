// rtnetlink: addresses, routes, rules and neighbours. linux/rtnetlink.h, linux/if_addr.h,
// linux/fib_rules.h, linux/neighbour.h, rtnetlink(7). Links are in rtnetlink.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

struct AddressRecord {
  std::uint32_t link = 0;  ///< index
  IpAddress address;       ///< this host's own (IFA_LOCAL, else IFA_ADDRESS)
  /// The subnet that is on the link: of a point-to-point link the peer's.
  Prefix subnet;
  std::optional<IpAddress> broadcast = {};
  std::uint8_t scope = 0;   ///< RT_SCOPE_*
  std::uint32_t flags = 0;  ///< IFA_F_*
  bool operator==(const AddressRecord&) const = default;
};

struct NextHop {
  std::uint32_t link = 0;                 ///< 0: none
  std::optional<IpAddress> gateway = {};  ///< may be of the other family (RTA_VIA)
  std::uint32_t weight = 1;
  std::uint32_t flags = 0;  ///< RTNH_F_*
  std::uint16_t encap = 0;  ///< LWTUNNEL_ENCAP_*: the packet is wrapped; 0: it is not
  bool operator==(const NextHop&) const = default;
};

struct RouteRecord {
  Family family = Family::Inet;
  std::uint32_t table = 0;
  std::uint8_t type = 0;  ///< RTN_*
  Prefix destination;
  std::optional<Prefix> source = {};  ///< IPv6 source routing (subtrees); IPv4 has none
  std::uint8_t tos = 0;
  std::uint32_t metric = 0;  ///< RTA_PRIORITY; lower is better
  std::uint8_t protocol = 0;
  std::uint8_t scope = 0;
  std::uint32_t flags = 0;  ///< RTM_F_*, RTNH_F_*
  std::optional<IpAddress> preferred_source = {};
  std::vector<NextHop> hops = {};
  std::uint32_t nexthop_id = 0;  ///< RTA_NH_ID; 0: none
  std::uint32_t mtu = 0;         ///< 0: not set
  std::uint32_t error = 0;       ///< RTA_CACHEINFO's errno of reject routes of IPv6, positive
  std::uint8_t preference = 0;   ///< RTA_PREF: ICMPV6_ROUTER_PREF_* of IPv6
  bool operator==(const RouteRecord&) const = default;
};

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0xffff;
  bool operator==(const PortRange&) const = default;
};

/// A rule of policy routing: which table is asked, or what happens at once.
struct PolicyRule {
  Family family = Family::Inet;
  std::uint32_t priority = 0;
  std::uint8_t action = 0;  ///< FR_ACT_*
  bool inverted = false;    ///< FIB_RULE_INVERT
  std::optional<Prefix> source = {};
  std::optional<Prefix> destination = {};
  std::uint8_t tos = 0;
  std::uint32_t mark = 0;
  std::uint32_t mask = 0;  ///< of the mark; 0: the mark does not count
  std::string iif = {};
  std::string oif = {};
  std::uint32_t table = 0;
  std::uint32_t goto_priority = 0;
  std::uint8_t protocol = 0;  ///< of the packet; 0: any
  std::optional<PortRange> source_ports = {};
  std::optional<PortRange> destination_ports = {};
  std::optional<std::uint32_t> first_uid = {};
  std::optional<std::uint32_t> last_uid = {};
  std::optional<std::int32_t> suppress_prefix_length = {};
  std::optional<std::uint32_t> suppress_group = {};
  bool l3mdev = false;
  std::uint64_t tunnel_id = 0;
  /// Of the two port ranges: only these bits of the port count; 0: all of them (Linux 6.15).
  std::uint16_t source_port_mask = 0;
  std::uint16_t destination_port_mask = 0;
  std::optional<std::uint8_t> dscp = {};  ///< Linux 6.13; `tos` is 0 then
  std::uint8_t dscp_mask = 0x3f;          ///< Linux 6.15
  std::uint32_t flow_label = 0;           ///< of IPv6, host order (Linux 6.14)
  std::uint32_t flow_label_mask = 0;      ///< 0: the label does not count
  /// It has a condition of a later kernel that is not here: whether it matches cannot be known.
  bool not_understood = false;
  bool operator==(const PolicyRule&) const = default;
};

struct NeighbourRecord {
  std::uint32_t link = 0;
  IpAddress address;
  std::uint16_t state = 0;  ///< NUD_*
  std::uint8_t flags = 0;   ///< NTF_*
  Bytes mac = {};
  bool operator==(const NeighbourRecord&) const = default;
};

/// A nexthop object: what RTA_NH_ID of a route refers to. linux/nexthop.h, net/ipv4/nexthop.c.
struct NexthopObject {
  struct Member {
    std::uint32_t id = 0;
    std::uint32_t weight = 1;
    bool operator==(const Member&) const = default;
  };
  std::uint32_t id = 0;
  NextHop hop = {};  ///< of one that is no group
  bool blackhole = false;
  std::vector<Member> group = {};
  bool operator==(const NexthopObject&) const = default;
};

/// Dumps, of both families.
[[nodiscard]] Bytes addresses_request();
[[nodiscard]] Bytes routes_request(Family family);  ///< all tables, without cached clones
[[nodiscard]] Bytes policy_rules_request(Family family);
[[nodiscard]] Bytes neighbours_request();
[[nodiscard]] Bytes proxy_neighbours_request();  ///< those that are answered for (NTF_PROXY)
[[nodiscard]] Bytes nexthops_request();          ///< EOPNOTSUPP before Linux 5.3
/// No dump: where a packet that comes in by that link would go. EINVAL: its source is refused.
[[nodiscard]] Bytes input_route_request(const IpAddress& from, const IpAddress& to,
                                        std::uint32_t link);

/// Records of other families than IPv4 and IPv6 are passed over, and so are clones of routes
/// (RTM_F_CLONED). An attribute of a wrong size makes the answer an error.
[[nodiscard]] Result<std::vector<AddressRecord>> decode_addresses(ByteView messages);
[[nodiscard]] Result<std::vector<RouteRecord>> decode_routes(ByteView messages);
[[nodiscard]] Result<std::vector<PolicyRule>> decode_policy_rules(ByteView messages);
[[nodiscard]] Result<std::vector<NeighbourRecord>> decode_neighbours(ByteView messages);
[[nodiscard]] Result<std::vector<NexthopObject>> decode_nexthops(ByteView messages);

/// Does a route name a nexthop object and no hops? The kernel tells both unless
/// net.ipv4.nexthop_compat_mode is 0 (fib_dump_info of net/ipv4/fib_semantics.c, rt6_fill_node).
[[nodiscard]] bool needs_nexthops(const std::vector<RouteRecord>& routes);
/// Fills in the hops of such routes.
void resolve_nexthops(std::vector<RouteRecord>& routes, std::vector<NexthopObject> objects);

}  // namespace hark::decode
