// rtnetlink: what links say of themselves that decides about packets. linux/if_link.h,
// rtnl_fill_ifinfo of net/core/rtnetlink.c. The requests are those of rtnetlink.h, whose decoder
// reads less.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

/// A program of XDP on a link.
struct XdpProgram {
  std::uint8_t mode = 0;  ///< XDP_ATTACHED_DRV, _SKB, _HW
  std::uint32_t id = 0;   ///< 0: not told
  bool operator==(const XdpProgram&) const = default;
};

/// What a bridge is told to do with the packets that it passes on.
struct BridgeFacts {
  bool vlan_filtering = false;
  bool calls_iptables = false;  ///< this bridge alone; the sysctls are for all of a namespace
  bool calls_ip6tables = false;
  bool calls_arptables = false;
  bool operator==(const BridgeFacts&) const = default;
};

/// What a port of a bridge does besides forwarding.
struct BridgePortFacts {
  std::optional<bool> hairpin = {};  ///< frames may go back by the port by which they came
  bool isolated = false;             ///< it passes nothing on to other isolated ports
  bool operator==(const BridgePortFacts&) const = default;
};

/// What a link that stands on another one, of macvlan or ipvlan, does with frames.
struct StackedFacts {
  std::optional<std::uint32_t> mode = {};  ///< MACVLAN_MODE_*, IPVLAN_MODE_*
  std::uint16_t flags = 0;                 ///< IPVLAN_F_*
  bool operator==(const StackedFacts&) const = default;
};

struct LinkFacts {
  std::uint32_t index = 0;
  std::string name;
  std::uint32_t flags = 0;  ///< IFF_*
  std::uint16_t type = 0;   ///< ARPHRD_*
  std::uint32_t mtu = 0;
  std::uint32_t group = 0;
  std::uint32_t master = 0;
  std::string kind = {};
  std::string slave_kind = {};
  Bytes mac = {};
  bool carrier = true;
  std::uint8_t operstate = 0;
  std::optional<std::uint8_t> port_state = {};  ///< BR_STATE_* of a bridge port
  std::optional<std::uint8_t> bond_state = {};  ///< BOND_STATE_* of a bond's slave
  std::uint32_t vrf_table = 0;
  std::uint16_t vlan_id = 0;        ///< of a VLAN; 0: none
  std::uint16_t vlan_protocol = 0;  ///< ETH_P_*, host order
  BridgeFacts bridge = {};          ///< of a bridge
  BridgePortFacts port = {};        ///< of a bridge's port
  StackedFacts stacked = {};        ///< of a macvlan, macvtap or ipvlan
  std::uint32_t peer = 0;           ///< IFLA_LINK
  std::optional<std::int32_t> peer_netns = {};
  /// Settings by the numbers of linux/ip.h (IPV4_DEVCONF_* - 1) and linux/ipv6.h (DEVCONF_*).
  /// Empty: that protocol is off on the link.
  std::vector<std::int32_t> ipv4_settings = {};
  std::vector<std::int32_t> ipv6_settings = {};
  std::vector<XdpProgram> xdp = {};

  bool operator==(const LinkFacts&) const = default;
};

/// Places in `ipv4_settings`: IPV4_DEVCONF_* of linux/ip.h, less one.
enum class Ipv4Setting : std::uint8_t {
  Forwarding = 0,
  ProxyArp = 2,
  RpFilter = 7,
  ArpFilter = 12,
  ArpIgnore = 18,
  ArpAccept = 20,
  AcceptLocal = 22,
  SrcValidMark = 23,
  ProxyArpPvlan = 24,
  RouteLocalnet = 25,
  IgnoreRoutesWithLinkdown = 28,
  DropUnicastInL2Multicast = 29,
  BcForwarding = 31,
};
/// Places in `ipv6_settings`: DEVCONF_* of linux/ipv6.h.
enum class Ipv6Setting : std::uint8_t {
  Forwarding = 0,
  ProxyNdp = 22,
  DisableIpv6 = 26,
  IgnoreRoutesWithLinkdown = 39,
  DropUnsolicitedNa = 41,
  ForceForwarding = 59,  ///< Linux 6.17
};
/// 0 where the kernel has no such setting.
template <typename Setting>
[[nodiscard]] std::int32_t setting(const std::vector<std::int32_t>& settings, Setting which) {
  const auto at = static_cast<std::size_t>(which);
  return at < settings.size() ? settings[at] : 0;
}

/// The links of an answer to links_request() or link_request(). What a link says of its kind is of
/// its driver, and passed over where it is not understood. Any other malformed message is an error.
[[nodiscard]] Result<std::vector<LinkFacts>> decode_link_facts(ByteView messages);

}  // namespace hark::decode
