// net/ipv4/tcp_ipv4.c (tcp_v4_send_reset, tcp_v4_send_synack), icmp.c (__icmp_send,
// icmp_glue_bits), netfilter/nf_reject_ipv4.c, net/ipv4/udp.c (__udp4_lib_rcv), and the same of
// net/ipv6.

#include "reach/reply.h"

#include "reach/routing.h"

namespace hark::reach {
namespace {

constexpr std::uint8_t kTosMask = 0x1e;          // IPTOS_TOS_MASK
constexpr std::uint8_t kInternetControl = 0xc0;  // IPTOS_PREC_INTERNETCONTROL

/// What every answer has of its own. Its TTL is the host's default, its TOS none.
Packet turned_around(const Packet& packet) {
  Packet out;
  out.family = packet.family;
  out.protocol = packet.protocol;
  out.tuple = {.source = packet.tuple.destination,
               .destination = packet.tuple.source,
               .source_port = packet.tuple.destination_port,
               .destination_port = packet.tuple.source_port};
  out.payload_length = packet.payload_length;
  out.reply = true;
  out.has_mac = false;
  out.tcp_flags = 0;
  out.ct_zone = packet.ct_zone;
  return out;
}

bool is_tracked(const Packet& packet) {
  return packet.ct == CtState::New || packet.ct == CtState::Established ||
         packet.ct == CtState::Related;
}

/// fwmark_reflect
std::uint32_t reflected_mark(const World& world, const Packet& packet) {
  const host::NetSettings& settings = world.network.settings;
  const auto& reflects =
      packet.family == Family::Inet ? settings.fwmark_reflect : settings.fwmark_reflect6;
  return reflects.value_or(0) != 0 ? packet.mark : 0;
}

/// Does __icmp_send() leave the source to routing? It speaks from the address that was asked only
/// if the packet's route says that this is ours; before routing, a rule's refusal has been given
/// the route back to the client in its place (nf_reject_fill_skb_dst). IPv6 looks at its addresses.
bool source_is_routed(const World& world, const Packet& packet, Refuser refuser) {
  // By the loopback device packets come with their route.
  const host::Link* in = world.network.link(packet.in);
  const bool routed_yet = in == nullptr || in->is_loopback();
  if (packet.family == Family::Inet && refuser == Refuser::RuleBeforeRouting && !routed_yet) {
    return true;
  }
  return !is_own_address(world.network, packet.tuple.destination);
}

}  // namespace

Packet answer_to(const World& world, const Packet& packet) {
  Packet out = turned_around(packet);
  // inet_request_mark()
  const bool accepts = world.network.settings.fwmark_accept.value_or(0) != 0;
  if (packet.protocol == kTcp && accepts) out.mark = packet.mark;
  return out;
}

Packet refusal_of(const World& world, const Packet& packet, const Refusal& refusal,
                  Refuser refuser) {
  Packet out = turned_around(packet);
  out.mark = reflected_mark(world, packet);
  const bool v4 = packet.family == Family::Inet;
  if (refusal.tcp_reset && packet.protocol == kTcp) {
    // What acknowledges something is answered at that place, and needs no acknowledgement.
    out.tcp_flags = (packet.tcp_flags & kAck) != 0 ? kRst : kRst | kAck;
    out.payload_length = 0;
    if (v4 && refuser == Refuser::Socket) out.tos = packet.tos;
  } else {
    out.protocol = v4 ? kIcmp : kIcmp6;
    out.icmp_type = refusal.icmp_type;
    out.icmp_code = refusal.icmp_code;
    out.related = true;
    if (v4) out.tos = static_cast<std::uint8_t>((packet.tos & kTosMask) | kInternetControl);
    if (source_is_routed(world, packet, refuser)) out.tuple.source = {.family = packet.family};
  }
  // nf_ct_attach(): it belongs to the connection from the start. Sockets have let go of it by then.
  if (refuser != Refuser::Socket && is_tracked(packet)) {
    out.ct = CtState::Related;
    out.ct_reply = !packet.ct_reply;
  }
  return out;
}

}  // namespace hark::reach
