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

/// Dumps, of both families.
[[nodiscard]] Bytes addresses_request();
[[nodiscard]] Bytes routes_request(Family family);  ///< all tables, without cached clones
[[nodiscard]] Bytes policy_rules_request(Family family);
[[nodiscard]] Bytes neighbours_request();

[[nodiscard]] Result<std::vector<AddressRecord>> decode_addresses(ByteView messages);
[[nodiscard]] Result<std::vector<RouteRecord>> decode_routes(ByteView messages);
[[nodiscard]] Result<std::vector<PolicyRule>> decode_policy_rules(ByteView messages);
[[nodiscard]] Result<std::vector<NeighbourRecord>> decode_neighbours(ByteView messages);

}  // namespace hark::decode
