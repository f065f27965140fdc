#include "decode/link_facts.h"

#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "decode/route_attributes.h"

namespace hark::decode {
namespace {

constexpr bool is(Ipv4Setting setting, int number) {
  return static_cast<int>(setting) == number - 1;
}
constexpr bool is(Ipv6Setting setting, int number) {
  return static_cast<int>(setting) == number;
}
static_assert(is(Ipv4Setting::Forwarding, IPV4_DEVCONF_FORWARDING));
static_assert(is(Ipv4Setting::ProxyArp, IPV4_DEVCONF_PROXY_ARP));
static_assert(is(Ipv4Setting::RpFilter, IPV4_DEVCONF_RP_FILTER));
static_assert(is(Ipv4Setting::ArpFilter, IPV4_DEVCONF_ARPFILTER));
static_assert(is(Ipv4Setting::ArpIgnore, IPV4_DEVCONF_ARP_IGNORE));
static_assert(is(Ipv4Setting::ArpAccept, IPV4_DEVCONF_ARP_ACCEPT));
static_assert(is(Ipv4Setting::AcceptLocal, IPV4_DEVCONF_ACCEPT_LOCAL));
static_assert(is(Ipv4Setting::SrcValidMark, IPV4_DEVCONF_SRC_VMARK));
static_assert(is(Ipv4Setting::ProxyArpPvlan, IPV4_DEVCONF_PROXY_ARP_PVLAN));
static_assert(is(Ipv4Setting::RouteLocalnet, IPV4_DEVCONF_ROUTE_LOCALNET));
static_assert(is(Ipv4Setting::IgnoreRoutesWithLinkdown, IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN));
static_assert(is(Ipv4Setting::DropUnicastInL2Multicast, IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST));
static_assert(is(Ipv4Setting::BcForwarding, IPV4_DEVCONF_BC_FORWARDING));
static_assert(is(Ipv6Setting::Forwarding, DEVCONF_FORWARDING));
static_assert(is(Ipv6Setting::ProxyNdp, DEVCONF_PROXY_NDP));
static_assert(is(Ipv6Setting::DisableIpv6, DEVCONF_DISABLE_IPV6));
static_assert(is(Ipv6Setting::IgnoreRoutesWithLinkdown, DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN));
static_assert(is(Ipv6Setting::DropUnsolicitedNa, DEVCONF_DROP_UNSOLICITED_NA));

/// Why a message is malformed; empty: it is not.
using Fault = std::string_view;
constexpr Fault kCutOff = "an attribute is cut off or has an impossible length";
constexpr Fault kBadSize = "an attribute has the wrong size";

std::uint16_t network_order(std::optional<std::uint16_t> value) {
  return static_cast<std::uint16_t>(value.value_or(0) >> 8U | value.value_or(0) << 8U);
}

bool is_set(const NetlinkAttribute& attribute) {
  return attribute.value<std::uint8_t>().value_or(0) != 0;
}

/// br_fill_info of net/bridge/br_netlink.c
void read_bridge(const NetlinkAttribute& attribute, BridgeFacts& bridge) {
  switch (attribute.type) {
    case IFLA_BR_VLAN_FILTERING:
      bridge.vlan_filtering = is_set(attribute);
      break;
    case IFLA_BR_NF_CALL_IPTABLES:
      bridge.calls_iptables = is_set(attribute);
      break;
    case IFLA_BR_NF_CALL_IP6TABLES:
      bridge.calls_ip6tables = is_set(attribute);
      break;
    case IFLA_BR_NF_CALL_ARPTABLES:
      bridge.calls_arptables = is_set(attribute);
      break;
    default:
      break;
  }
}

void read_stacked(const NetlinkAttribute& attribute, LinkFacts& link) {
  const bool ipvlan = link.kind == "ipvlan";
  if (ipvlan && attribute.type == IFLA_IPVLAN_MODE) {
    link.stacked.mode = attribute.value<std::uint16_t>();
  }
  if (ipvlan && attribute.type == IFLA_IPVLAN_FLAGS) {
    link.stacked.flags = attribute.value<std::uint16_t>().value_or(0);
  }
  if (!ipvlan && attribute.type == IFLA_MACVLAN_MODE) {
    link.stacked.mode = attribute.value<std::uint32_t>();
  }
}

/// What a driver tells of a link of its kind.
void read_kind(ByteView data, LinkFacts& link) {
  NetlinkAttributes attributes(data);
  const bool stacked = link.kind == "macvlan" || link.kind == "macvtap" || link.kind == "ipvlan";
  while (const auto attribute = attributes.next()) {
    if (stacked) read_stacked(*attribute, link);
    if (link.kind == "bridge") read_bridge(*attribute, link.bridge);
    if (link.kind == "vrf" && attribute->type == IFLA_VRF_TABLE) {
      link.vrf_table = attribute->value<std::uint32_t>().value_or(0);
    }
    if (link.kind == "vlan" && attribute->type == IFLA_VLAN_ID) {
      link.vlan_id = attribute->value<std::uint16_t>().value_or(0);
    }
    if (link.kind == "vlan" && attribute->type == IFLA_VLAN_PROTOCOL) {
      link.vlan_protocol = network_order(attribute->value<std::uint16_t>());
    }
  }
}

/// What the driver of its master tells of it.
void read_slave(ByteView data, LinkFacts& link) {
  NetlinkAttributes attributes(data);
  while (const auto attribute = attributes.next()) {
    const bool port = link.slave_kind == "bridge";
    if (port && attribute->type == IFLA_BRPORT_STATE) {
      link.port_state = attribute->value<std::uint8_t>();
    }
    if (port && attribute->type == IFLA_BRPORT_MODE) link.port.hairpin = is_set(*attribute);
    if (port && attribute->type == IFLA_BRPORT_ISOLATED) link.port.isolated = is_set(*attribute);
    if (link.slave_kind == "bond" && attribute->type == IFLA_BOND_SLAVE_STATE) {
      link.bond_state = attribute->value<std::uint8_t>();
    }
  }
}

/// The kind stands before its data, but nothing promises that.
void read_link_info(ByteView info, LinkFacts& link) {
  ByteView data;
  ByteView slave_data;
  NetlinkAttributes attributes(info);
  while (const auto attribute = attributes.next()) {
    switch (attribute->type) {
      case IFLA_INFO_KIND:
        link.kind = attribute->text();
        break;
      case IFLA_INFO_DATA:
        data = attribute->bytes;
        break;
      case IFLA_INFO_SLAVE_KIND:
        link.slave_kind = attribute->text();
        break;
      case IFLA_INFO_SLAVE_DATA:
        slave_data = attribute->bytes;
        break;
      default:
        break;
    }
  }
  read_kind(data, link);
  read_slave(slave_data, link);
}

std::vector<std::int32_t> numbers_of(ByteView bytes) {
  ByteReader reader(bytes);
  std::vector<std::int32_t> out;
  while (reader.left() >= sizeof(std::int32_t)) out.push_back(reader.value<std::int32_t>());
  return out;
}

/// IFLA_AF_SPEC: one attribute for each family (inet_fill_link_af, inet6_fill_link_af).
void read_families(ByteView bytes, LinkFacts& link) {
  NetlinkAttributes families(bytes);
  while (const auto family = families.next()) {
    NetlinkAttributes attributes(family->bytes);
    while (const auto attribute = attributes.next()) {
      if (family->type == AF_INET && attribute->type == IFLA_INET_CONF) {
        link.ipv4_settings = numbers_of(attribute->bytes);
      }
      if (family->type == AF_INET6 && attribute->type == IFLA_INET6_CONF) {
        link.ipv6_settings = numbers_of(attribute->bytes);
      }
    }
  }
}

/// rtnl_xdp_fill: of one program the number stands alone as well, of several only by their modes.
void read_xdp(ByteView bytes, LinkFacts& link) {
  std::uint8_t mode = XDP_ATTACHED_NONE;
  std::uint32_t id = 0;
  std::vector<XdpProgram> by_mode;
  NetlinkAttributes attributes(bytes);
  while (const auto attribute = attributes.next()) {
    const std::uint32_t number = attribute->value<std::uint32_t>().value_or(0);
    switch (attribute->type) {
      case IFLA_XDP_ATTACHED:
        mode = attribute->value<std::uint8_t>().value_or(mode);
        break;
      case IFLA_XDP_PROG_ID:
        id = number;
        break;
      case IFLA_XDP_DRV_PROG_ID:
        by_mode.push_back({XDP_ATTACHED_DRV, number});
        break;
      case IFLA_XDP_SKB_PROG_ID:
        by_mode.push_back({XDP_ATTACHED_SKB, number});
        break;
      case IFLA_XDP_HW_PROG_ID:
        by_mode.push_back({XDP_ATTACHED_HW, number});
        break;
      default:
        break;
    }
  }
  if (by_mode.empty() && mode != XDP_ATTACHED_NONE) by_mode.push_back({mode, id});
  link.xdp = std::move(by_mode);
}

/// False: a wrong size.
bool read_attribute(const NetlinkAttribute& attribute, LinkFacts& link) {
  switch (attribute.type) {
    case IFLA_IFNAME:
      link.name = attribute.text();
      return true;
    case IFLA_MTU:
      return take_value(attribute, link.mtu);
    case IFLA_GROUP:
      return take_value(attribute, link.group);
    case IFLA_MASTER:
      return take_value(attribute, link.master);
    case IFLA_LINK:
      return take_value(attribute, link.peer);
    case IFLA_LINK_NETNSID:
      return take_value(attribute, link.peer_netns);
    case IFLA_OPERSTATE:
      return take_value(attribute, link.operstate);
    case IFLA_CARRIER:
      link.carrier = is_set(attribute);
      return true;
    case IFLA_ADDRESS:
      link.mac.assign(attribute.bytes.begin(), attribute.bytes.end());
      return true;
    case IFLA_LINKINFO:
      read_link_info(attribute.bytes, link);
      return true;
    case IFLA_AF_SPEC:
      read_families(attribute.bytes, link);
      return true;
    case IFLA_XDP:
      read_xdp(attribute.bytes, link);
      return true;
    default:
      return true;
  }
}

Fault read_link(ByteView body, LinkFacts& link) {
  ByteReader reader(body);
  const auto header = reader.value<ifinfomsg>();
  if (!reader.ok()) return "the message is too short for a link";
  if (header.ifi_index <= 0) return "a link without an index";
  link.index = static_cast<std::uint32_t>(header.ifi_index);
  link.flags = header.ifi_flags;
  link.type = header.ifi_type;
  NetlinkAttributes attributes(reader.take(reader.left()));
  while (const auto attribute = attributes.next()) {
    if (!read_attribute(*attribute, link)) return kBadSize;
  }
  if (attributes.broken()) return kCutOff;
  return is_link_name(link.name) ? Fault{} : "a link without a valid name";
}

}  // namespace

Result<std::vector<LinkFacts>> decode_link_facts(ByteView messages) {
  std::vector<LinkFacts> links;
  NetlinkAnswer answer(messages, RTM_NEWLINK, "link answer");
  while (const auto body = answer.next()) {
    LinkFacts link;
    const Fault fault = read_link(*body, link);
    if (!fault.empty()) return fail(answer.reject(fault));
    links.push_back(std::move(link));
  }
  if (answer.error()) return fail(*answer.error());
  return links;
}

}  // namespace hark::decode
