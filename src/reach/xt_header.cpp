// Matches that ask the packet's headers: xt_tcpudp.c, xt_multiport.c, xt_iprange.c, xt_length.c,
// xt_dscp.c, xt_hl.c, xt_ecn.c, xt_tcpmss.c, xt_mac.c, xt_pkttype.c of net/netfilter and those of
// net/ipv6/netfilter about extension headers.
#include <array>
#include <initializer_list>
#include <utility>

#include "reach/client_tests.h"
#include "reach/routing.h"
#include "reach/xt_ask.h"

namespace hark::reach {
namespace {

bool in_range(const Ask& ask, Field field, std::uint16_t port) {
  return lies_between(ask.world, port, ask.blob.item(field, 0, 2), ask.blob.item(field, 1, 2));
}

/// The ports of tcp, udp and udplite; 1 and 2 of the flags turn a test around.
bool ports_match(const Ask& ask) {
  const unsigned invert = ask.blob.u32(Field::InvertFlags);
  const Tuple& tuple = ask.packet.tuple;
  return in_range(ask, Field::DestinationPorts, tuple.destination_port) != ((invert & 2U) != 0) &&
         in_range(ask, Field::SourcePorts, tuple.source_port) != ((invert & 1U) != 0);
}

XtMatched tcp(const Ask& ask) {
  if (ask.packet.protocol != kTcp || !ports_match(ask)) return XtMatched::No;
  const unsigned invert = ask.blob.u32(Field::InvertFlags);
  const bool flags =
      (ask.packet.tcp_flags & ask.blob.u32(Field::FlagMask)) == ask.blob.u32(Field::FlagValue);
  if (flags == ((invert & 4U) != 0)) return XtMatched::No;
  if (ask.blob.number(Field::Option) == 0) return XtMatched::Yes;
  return when(ask.unsure("packet", Doubt::Packet));
}

XtMatched udp(const Ask& ask) {
  return when((ask.packet.protocol == kUdp || ask.packet.protocol == kUdplite) && ports_match(ask));
}

XtMatched icmp(const Ask& ask) {
  constexpr unsigned kAnyType = 0xff;  // of IPv4 alone
  const bool six = ask.match.name == "icmp6";
  if (ask.packet.protocol != (six ? kIcmp6 : kIcmp)) return XtMatched::No;
  const unsigned type = ask.blob.u32(Field::Type);
  const unsigned code = ask.packet.icmp_code;
  const bool matches = (!six && type == kAnyType) ||
                       (type == ask.packet.icmp_type && code >= ask.blob.item(Field::Code, 0, 1) &&
                        code <= ask.blob.item(Field::Code, 1, 1));
  return when(matches != ((ask.blob.number(Field::InvertFlags) & 1U) != 0));
}

constexpr unsigned kMultiportSource = 0;
constexpr unsigned kMultiportDestination = 1;

XtMatched multiport(const Ask& ask) {
  if (!has_ports(ask.packet)) return when(ask.unsure("packet", Doubt::Packet));
  const bool invert = ask.blob.number(Field::Invert) != 0;
  const unsigned side = ask.blob.u32(Field::Flags);
  const std::size_t count = ask.blob.number(Field::Count);
  const Tuple& tuple = ask.packet.tuple;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t low = ask.blob.item(Field::Ports, i, 2);
    // A range takes two places.
    const std::uint32_t high =
        ask.blob.item(Field::PortFlags, i, 1) != 0 ? ask.blob.item(Field::Ports, ++i, 2) : low;
    const auto inside = [&](std::uint16_t port) {
      return lies_between(ask.world, port, low, high);
    };
    if ((side != kMultiportSource && inside(tuple.destination_port)) ||
        (side != kMultiportDestination && inside(tuple.source_port)))
      return when(!invert);
  }
  return when(invert);
}

XtMatched iprange(const Ask& ask) {
  const unsigned flags = ask.blob.u32(Field::Flags);
  const auto outside = [&](const IpAddress& have, Field first, Field last) {
    return !lies_between(ask.world, have, ask.blob.address(first, ask.packet.family),
                         ask.blob.address(last, ask.packet.family));
  };
  if ((flags & 0x01U) != 0 && outside(ask.packet.tuple.source, Field::SourceAddress,
                                      Field::SourceMask) != ((flags & 0x10U) != 0))
    return XtMatched::No;
  if ((flags & 0x02U) != 0 && outside(ask.packet.tuple.destination, Field::DestinationAddress,
                                      Field::DestinationMask) != ((flags & 0x20U) != 0))
    return XtMatched::No;
  return XtMatched::Yes;
}

/// Decides a test of a number of which only its bounds are known; it changes at `edges` alone.
template <typename Test>
XtMatched within(const Ask& ask, unsigned low, unsigned high, std::initializer_list<unsigned> edges,
                 const Test& test) {
  const bool first = test(low);
  bool same = test(high) == first;
  for (const unsigned edge : edges)
    for (const unsigned value : {edge - 1, edge, edge + 1})
      same = same && (value < low || value > high || test(value) == first);
  return same ? when(first) : when(ask.unsure("packet", Doubt::Packet));
}

XtMatched length(const Ask& ask) {
  const unsigned header = ask.packet.family == Family::Inet ? 20 : 40;
  const bool tcp = ask.packet.protocol == kTcp;
  // The options of a client's TCP and the payload of its datagram are not known.
  const unsigned low = header + (tcp ? 20U : 8U) + ask.packet.payload_length;
  const bool open = !tcp && ask.packet.payload_length == 0;
  const unsigned high = tcp ? low + 40 : (open ? 65'535U : low);
  return within(
      ask, low, high, {ask.blob.u32(Field::Min), ask.blob.u32(Field::Max)}, [&](unsigned value) {
        return (value >= ask.blob.number(Field::Min) && value <= ask.blob.number(Field::Max)) !=
               (ask.blob.number(Field::Invert) != 0);
      });
}

/// Of a packet that comes from elsewhere it depends on how many routers it passed; neighbour
/// discovery passes none (RFC 4861, 7.1).
XtMatched ttl(const Ask& ask) {
  constexpr std::uint8_t kFirstDiscovery = 133,
                         kLastDiscovery = 137;  // router solicitation, redirect
  const bool discovery = ask.packet.protocol == kIcmp6 && ask.packet.icmp_type >= kFirstDiscovery &&
                         ask.packet.icmp_type <= kLastDiscovery;
  const bool known = ask.packet.made_here() || discovery;
  const unsigned low = known ? ask.packet.ttl : 1;
  const unsigned high = known ? ask.packet.ttl : 255;
  return within(ask, low, high, {ask.blob.u32(Field::Value)}, [&](unsigned value) {
    const unsigned wanted = ask.blob.u32(Field::Value);
    switch (ask.blob.number(Field::Mode)) {
      case 0:
        return value == wanted;
      case 1:
        return value != wanted;
      case 2:
        return value < wanted;
      case 3:
        return value > wanted;
      default:
        return false;
    }
  });
}

XtMatched dscp(const Ask& ask) {
  const bool equal = ask.packet.tos >> 2U == ask.blob.u8(Field::Value);
  return when(equal != (ask.blob.number(Field::Invert) != 0));
}

XtMatched tos(const Ask& ask) {
  const bool equal = (ask.packet.tos & ask.blob.u32(Field::Mask)) == ask.blob.u32(Field::Value);
  return when(equal != (ask.blob.number(Field::Invert) != 0));
}

/// Two bits of the IP header, and ECE and CWR of TCP's.
XtMatched ecn(const Ask& ask) {
  constexpr unsigned kIp = 0x01;
  const unsigned operation = ask.blob.u32(Field::Mode);
  const unsigned invert = ask.blob.u32(Field::Invert);
  if ((operation & kIp) != 0) {
    const bool equal = (ask.packet.tos & 3U) == ask.blob.u32(Field::Value);
    if (equal == ((invert & kIp) != 0)) return XtMatched::No;
  }
  struct Flag {
    unsigned operation;
    unsigned bit;
  };
  for (const Flag& flag : {Flag{0x10, 0x40}, Flag{0x20, 0x80}}) {
    if ((operation & flag.operation) == 0) continue;
    const bool set = (ask.packet.tcp_flags & flag.bit) != 0;
    if (set == ((invert & flag.operation) != 0)) return XtMatched::No;
  }
  return XtMatched::Yes;
}

/// Only a SYN has the option; nobody is without it, but how large it is is the client's affair.
XtMatched tcpmss(const Ask& ask) {
  const bool invert = ask.blob.number(Field::Invert) != 0;
  if (ask.packet.protocol != kTcp || (ask.packet.tcp_flags & kSyn) == 0) return when(invert);
  if (ask.blob.number(Field::Min) == 0 && ask.blob.number(Field::Max) == 0xffff)
    return when(!invert);
  return when(ask.unsure("packet", Doubt::Packet));
}

constexpr std::uint16_t kEthernet = 1;  // ARPHRD_ETHER

XtMatched mac(const Ask& ask) {
  const host::Link* link = ask.world.network.link(ask.packet.in);
  if (!ask.packet.has_mac || link == nullptr || link->type != kEthernet) return XtMatched::No;
  if (!ask.packet.source_mac) return when(ask.unsure("mac", Doubt::Packet));
  const ByteView want = ask.blob.bytes(Field::Value);
  const bool equal = Bytes(want.begin(), want.end()) == *ask.packet.source_mac;
  return when(equal != (ask.blob.number(Field::Invert) != 0));
}

XtMatched pkttype(const Ask& ask) {
  constexpr unsigned kHost = 0;
  constexpr unsigned kBroadcast = 1;
  constexpr unsigned kMulticast = 2;
  constexpr std::uint8_t kRouteBroadcast = 3;
  const IpAddress& to = ask.packet.tuple.destination;
  unsigned type = kHost;
  if (to.is_multicast())
    type = kMulticast;
  else if (ask.packet.to_all || (to.family == Family::Inet && !ask.packet.made_here() &&
                                 address_type(ask.world.network, to, 0) == kRouteBroadcast))
    type = kBroadcast;
  return when((type == ask.blob.number(Field::Type)) != (ask.blob.number(Field::Invert) != 0));
}

/// Interface identifiers made of MACs: the rule wants the source address to have its sender's.
XtMatched eui64(const Ask& ask) {
  if (!ask.packet.has_mac) return XtMatched::No;
  if (!ask.packet.source_mac || ask.packet.source_mac->size() != 6)
    return when(ask.unsure("mac", Doubt::Packet));
  const Bytes& from = *ask.packet.source_mac;
  const std::array<std::uint8_t, 8> wanted = {
      static_cast<std::uint8_t>(std::to_integer<unsigned>(from[0]) ^ 0x02U),
      std::to_integer<std::uint8_t>(from[1]),
      std::to_integer<std::uint8_t>(from[2]),
      0xff,
      0xfe,
      std::to_integer<std::uint8_t>(from[3]),
      std::to_integer<std::uint8_t>(from[4]),
      std::to_integer<std::uint8_t>(from[5])};
  IpAddress address{.family = Family::Inet6};
  IpAddress mask = address;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    address.bytes[8 + i] = wanted[i];
    mask.bytes[8 + i] = 0xff;
  }
  return when(masked_equal(ask.world, ask.packet.tuple.source, address, mask));
}

/// Headers and protocols that no packet of a question has.
XtMatched absent(const Ask&) {
  return XtMatched::No;
}

/// The packet has no extension header, only its transport protocol: MASK_PROTO.
XtMatched ipv6header(const Ask& ask) {
  constexpr unsigned kHave = 1;
  const unsigned wanted = ask.blob.u32(Field::MatchFlags);
  const unsigned invert = ask.blob.u32(Field::InvertFlags);
  if (ask.blob.number(Field::Mode) != 0) return when(((kHave ^ wanted ^ invert) & wanted) == 0);
  return when((kHave == wanted) != (invert != 0));
}

constexpr std::array<std::pair<std::string_view, Judge>, 28> kJudges = {{
    {"tcp", tcp},         {"udp", udp},       {"udplite", udp},
    {"icmp", icmp},       {"icmp6", icmp},    {"multiport", multiport},
    {"iprange", iprange}, {"length", length}, {"ttl", ttl},
    {"hl", ttl},          {"dscp", dscp},     {"tos", tos},
    {"ecn", ecn},         {"tcpmss", tcpmss}, {"mac", mac},
    {"pkttype", pkttype}, {"eui64", eui64},   {"ipv6header", ipv6header},
    {"sctp", absent},     {"dccp", absent},   {"esp", absent},
    {"ah", absent},       {"ipcomp", absent}, {"mh", absent},
    {"frag", absent},     {"hbh", absent},    {"dst", absent},
    {"rt", absent},
}};

}  // namespace

bool xt_port_fails(const decode::nft::XtMatch& match, const Packet& packet) {
  if (match.name != "tcp" && match.name != "udp" && match.name != "udplite") return false;
  const auto blob = decode::xt::read(match);
  if (!blob) return false;
  const std::uint16_t port = packet.tuple.destination_port;
  const bool inside = port >= blob->item(Field::DestinationPorts, 0, 2) &&
                      port <= blob->item(Field::DestinationPorts, 1, 2);
  return inside == ((blob->u32(Field::InvertFlags) & 2U) != 0);
}

Judge header_judge(std::string_view name) {
  for (const auto& [known, judge] : kJudges)
    if (known == name) return judge;
  return nullptr;
}

}  // namespace hark::reach
