#include "decode/rtnetlink.h"

#include <linux/amt.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>

#include "decode/netlink_attributes.h"
#include "decode/route_attributes.h"

namespace hark::decode {
namespace {

Bytes link_body(std::uint32_t index) {
  ifinfomsg link{};
  link.ifi_index = static_cast<int>(index);
  Bytes body;
  append_value(body, link);
  Bytes mask;
  append_value(mask, std::uint32_t{RTEXT_FILTER_SKIP_STATS});
  append_attribute(body, IFLA_EXT_MASK, mask);
  return body;
}

/// Not in the headers of every system that hark is built on: IFLA_GTP_LOCAL and LOCAL6 came with
/// Linux 6.10. 0: the kind has no such attribute.
constexpr std::uint16_t kGtpLocal = 7;
constexpr std::uint16_t kGtpLocal6 = 8;

/// Where a kind of link keeps the ports that it opens. vxlan_fill_info, geneve_fill_info,
/// bareudp_fill_info, amt_fill_info and gtp_fill_info of drivers/net; which sockets come of that:
/// vxlan_sock_add, geneve_open, bareudp_create_sock, amt_create_sock, gtp_create_sock.
struct TunnelKind {
  std::string_view kind;
  std::uint16_t port;        ///< in network byte order
  std::uint16_t other_port;  ///< a second port, of which the mode decides
  std::uint16_t local;
  std::uint16_t local6;
  std::uint16_t remote;
  std::uint16_t remote6;
  std::uint16_t both;  ///< set and not zero: one socket of each family
  std::uint16_t fixed[2];
};
constexpr std::array<TunnelKind, 5> kTunnels = {{
    {"vxlan",
     IFLA_VXLAN_PORT,
     0,
     IFLA_VXLAN_LOCAL,
     IFLA_VXLAN_LOCAL6,
     IFLA_VXLAN_GROUP,
     IFLA_VXLAN_GROUP6,
     IFLA_VXLAN_COLLECT_METADATA,
     {}},
    {"geneve",
     IFLA_GENEVE_PORT,
     0,
     0,
     0,
     IFLA_GENEVE_REMOTE,
     IFLA_GENEVE_REMOTE6,
     IFLA_GENEVE_COLLECT_METADATA,
     {}},
    {"bareudp", IFLA_BAREUDP_PORT, 0, 0, 0, 0, 0, 0, {}},
    {"amt", IFLA_AMT_RELAY_PORT, IFLA_AMT_GATEWAY_PORT, 0, 0, 0, 0, 0, {}},
    // GTP1U_PORT and GTP0_PORT of include/net/gtp.h: the device does not tell them.
    {"gtp", 0, 0, kGtpLocal, kGtpLocal6, 0, 0, 0, {2152, 3386}},
}};

std::optional<std::uint16_t> network_port(const NetlinkAttribute& attribute) {
  const auto bytes = attribute.value<std::array<std::uint8_t, 2>>();
  if (!bytes) return std::nullopt;
  return static_cast<std::uint16_t>((*bytes)[0] << 8U | (*bytes)[1]);
}

void read_tunnel(const TunnelKind& kind, ByteView data, LinkRecord& record) {
  TunnelPort found;
  bool both = false;
  std::vector<std::uint16_t> ports;
  for (const std::uint16_t port : kind.fixed) {
    if (port != 0) ports.push_back(port);
  }
  NetlinkAttributes attributes(data);
  while (const auto attribute = attributes.next()) {
    const std::uint16_t type = attribute->type;
    if (type == 0) continue;
    if (type == kind.port || type == kind.other_port) {
      const auto port = network_port(*attribute);
      if (port && *port != 0 && ports.size() < 2) ports.push_back(*port);
    }
    if (type == kind.local) found.address = address_of(attribute->bytes, Family::Inet);
    if (type == kind.local6) found.address = address_of(attribute->bytes, Family::Inet6);
    if (type == kind.local || type == kind.remote) found.family = Family::Inet;
    if (type == kind.local6 || type == kind.remote6) found.family = Family::Inet6;
    if (type == kind.both) both = attribute->value<std::uint8_t>().value_or(1) != 0;
  }
  if (both) found.family.reset();
  for (const std::uint16_t port : ports) {
    found.port = port;
    record.ports.push_back(found);
  }
}

void read_link_info(ByteView info, LinkRecord& record) {
  ByteView data;
  std::string kind;
  NetlinkAttributes attributes(info);
  while (const auto attribute = attributes.next()) {
    if (attribute->type == IFLA_INFO_KIND) kind = attribute->text();
    if (attribute->type == IFLA_INFO_DATA) data = attribute->bytes;
  }
  record.kind = std::move(kind);
  record.ports.clear();
  for (const TunnelKind& tunnel : kTunnels) {
    if (tunnel.kind == record.kind) read_tunnel(tunnel, data, record);
  }
}

/// Why the message is malformed; empty: it is not, and `record` is filled.
std::string_view read_link_message(ByteView body, LinkRecord& record) {
  ByteReader reader(body);
  const auto link = reader.value<ifinfomsg>();
  if (!reader.ok()) return "the message is too short for a link";
  if (link.ifi_index <= 0) return "a link without an index";
  record.index = static_cast<std::uint32_t>(link.ifi_index);
  record.flags = link.ifi_flags;
  NetlinkAttributes attributes(reader.take(reader.left()));
  while (const auto attribute = attributes.next()) {
    if (attribute->type == IFLA_IFNAME) record.name = attribute->text();
    // rtnl_have_link_net of net/core/rtnetlink.c: told only where the two namespaces differ.
    if (attribute->type == IFLA_LINK_NETNSID) record.sockets_elsewhere = true;
    if (attribute->type == IFLA_LINKINFO) read_link_info(attribute->bytes, record);
  }
  if (attributes.broken()) return "an attribute is cut off or has an impossible length";
  if (!is_link_name(record.name)) return "a link without a valid name";
  return {};
}

}  // namespace

Bytes link_request(std::uint32_t index) {
  return netlink_request(RTM_GETLINK, NLM_F_REQUEST, link_body(index));
}

Bytes links_request() {
  return netlink_request(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, link_body(0));
}

Result<std::vector<LinkRecord>> decode_links(ByteView messages) {
  std::vector<LinkRecord> links;
  NetlinkAnswer answer(messages, RTM_NEWLINK, "link answer");
  while (const auto body = answer.next()) {
    LinkRecord record;
    const std::string_view fault = read_link_message(*body, record);
    if (!fault.empty()) return fail(answer.reject(fault));
    links.push_back(std::move(record));
  }
  if (answer.error()) return fail(*answer.error());
  return links;
}

}  // namespace hark::decode
