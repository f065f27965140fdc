// nft_fib.c, nft_fib_ipv4.c, nft_fib_ipv6.c, nft_rt.c, nft_socket.c: what routes and sockets say
// of a packet.

#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>

#include "reach/nft_machine.h"
#include "reach/nft_numbers.h"
#include "reach/routing.h"
#include "reach/socket_lookup.h"
#include "reach/unanswerable.h"

namespace hark::reach {

namespace nft = decode::nft;

namespace {

constexpr std::uint16_t kArphrdLoopback = 772;
constexpr std::uint8_t kUnicast = 1;  // RTN_UNICAST

bool before_routing(HookPoint hook) {
  return hook == HookPoint::Prerouting || hook == HookPoint::Ingress;
}

/// skb->dev, by which the kernel tells apart link-local addresses; 0: not set yet. What a socket
/// sends has it only behind the output hook, as have ICMP's errors; what neighbour discovery sends
/// has it from the start (ndisc_alloc_skb).
std::uint32_t device_of(const Machine& machine) {
  const Packet& packet = machine.here.packet;
  if (machine.here.hook == HookPoint::Postrouting) return packet.out;
  if (machine.here.hook != HookPoint::Output) return packet.in;
  constexpr std::uint8_t kFirst = 133, kLast = 137;  // RFC 4861: solicitation of routers, redirect
  const bool discovery =
      packet.protocol == IPPROTO_ICMPV6 && packet.icmp_type >= kFirst && packet.icmp_type <= kLast;
  return discovery ? packet.out : 0;
}

/// nft_fib_store_result()
void store_link(Machine& machine, const nft::Fib& op, std::uint32_t index) {
  const bool present = (op.flags & kFibPresent) != 0;
  if (present) {
    machine.registers.store_u8(op.dreg, index != 0 ? 1 : 0);
  } else if (op.result == kFibResultOif) {
    machine.registers.store_u32(op.dreg, index);
  } else {
    const host::Link* link = machine.here.rules.network().link(index);
    machine.registers.store_name(op.dreg, link == nullptr ? std::string_view() : link->name);
  }
}

/// The link that flag IIF or OIF ties the question to; 0: none.
std::uint32_t bound_link(const Machine& machine, const nft::Fib& op) {
  const Packet& packet = machine.here.packet;
  if ((op.flags & kFibOif) != 0) return before_routing(machine.here.hook) ? 0 : packet.out;
  if ((op.flags & kFibIif) != 0) return packet.in;
  return 0;
}

bool uses_link(const FibResult& found, std::uint32_t link) {
  if (found.link == link) return true;
  return found.route != nullptr &&
         std::ranges::any_of(found.route->hops,
                             [link](const host::NextHop& hop) { return hop.link == link; });
}

/// Addresses of this host, and routes that refuse, count as "no route"; broadcasts do not.
bool leads_out(Family family, std::uint8_t type) {
  constexpr std::uint8_t kLocal = 2, kAnycast = 4, kMulticast = 5;
  if (type == 0 || type == kLocal || type > kMulticast) return false;
  return family == Family::Inet || type != kAnycast;
}

void find_link(Machine& machine, const nft::Fib& op) {
  const Packet& packet = machine.here.packet;
  const host::Link* in = machine.here.rules.network().link(packet.in);
  // nft_fib_can_skip(); at the input hook since Linux 6.16, as packets on 6.18 show.
  const bool skips =
      machine.here.hook == HookPoint::Prerouting || machine.here.hook == HookPoint::Input;
  // A packet of a connection has its socket by then, which has had its packets by this link.
  const bool of_socket = packet.has_socket && machine.here.hook == HookPoint::Input;
  if (skips && in != nullptr && (in->type == kArphrdLoopback || of_socket)) {
    return store_link(machine, op, packet.in);
  }
  const bool destination = (op.flags & kFibDestination) != 0;
  Flow flow;
  flow.family = packet.family;
  flow.destination = destination ? packet.tuple.destination : packet.tuple.source;
  flow.source = destination ? packet.tuple.source : packet.tuple.destination;
  flow.protocol = packet.protocol;
  flow.tos = packet.tos;
  if ((op.flags & kFibMark) != 0) flow.mark = packet.mark;
  // The kernel asks as if the packet were made here (LOOPBACK_IFINDEX), also about others' sources.
  const bool forwarded = machine.here.hook == HookPoint::Forward && (op.flags & kFibIif) != 0;
  if (forwarded && !destination && packet.family == Family::Inet) flow.in = packet.out;
  const std::uint32_t wanted = bound_link(machine, op);
  const bool scoped = packet.family == Family::Inet6 && flow.destination.is_link_local();
  if (scoped) flow.out = wanted != 0 ? wanted : packet.in;
  const FibResult found = fib_lookup(machine.here.world, flow);
  if (!leads_out(packet.family, found.type) || (wanted != 0 && !uses_link(found, wanted))) {
    return store_link(machine, op, 0);
  }
  store_link(machine, op, wanted != 0 ? wanted : found.link);
}

/// __nft_fib6_eval_type(), of an address that is none of this host's: it asks the whole of routing,
/// and what is neither of one host nor of many is of no type at all.
std::uint8_t foreign_type6(Machine& machine, const IpAddress& address, bool destination) {
  constexpr std::uint8_t kUnspecified = 0, kAnycast = 4, kBlackhole = 6, kUnreachable = 7;
  World& world = machine.here.world;
  if (is_anycast6(world, address)) return kAnycast;
  const Packet& packet = machine.here.packet;
  const FibResult found =
      fib_lookup(world, {.family = Family::Inet6,
                         .source = destination ? packet.tuple.source : packet.tuple.destination,
                         .destination = address,
                         .protocol = packet.protocol});
  if (found.type == 0) return kUnreachable;
  if (found.type >= kBlackhole) return found.type;
  return address.is_unspecified() || address.is_v4_mapped() ? kUnspecified : kUnicast;
}

Next store_opaque(Machine& machine, nft::Reg reg, std::size_t length, std::string what) {
  machine.registers.store(
      reg, PartBytes::unknown(length),
      machine.origin(
          {.code = "unknown-expression", .what = std::move(what), .doubt = Doubt::Opaque}));
  return Next::Go;
}

}  // namespace

Next run(Machine& machine, const nft::Fib& op) {
  const Packet& packet = machine.here.packet;
  if (packet.arp) return Next::Break;
  if (op.result == kFibResultType) {
    const bool destination = (op.flags & kFibDestination) != 0;
    const IpAddress& address = destination ? packet.tuple.destination : packet.tuple.source;
    std::uint32_t link = bound_link(machine, op);
    // nft_fib6_flowi_init(): another link's own link-local address is nobody's on this one.
    if (link == 0 && packet.family == Family::Inet6 && address.is_link_local()) {
      link = device_of(machine);
    }
    std::uint8_t type = address_type(machine.here.rules.network(), address, link);
    const bool foreign = packet.family == Family::Inet6 && type == kUnicast;
    if (foreign) type = foreign_type6(machine, address, destination);
    machine.registers.store_u32(op.dreg, type);
  } else {
    find_link(machine, op);
  }
  return Next::Go;
}

Next run(Machine& machine, const nft::Rt& op) {
  enum : std::uint32_t { kClassId = 0, kNextHop4, kNextHop6, kTcpMss, kXfrm };
  const Packet& packet = machine.here.packet;
  if (packet.arp || before_routing(machine.here.hook)) return Next::Break;
  if (op.key == kClassId) {
    machine.registers.store_u32(op.dreg, 0);
    return Next::Go;
  }
  if (op.key == kXfrm) {
    machine.registers.store_u8(op.dreg, 0);
    return Next::Go;
  }
  if (op.key == kTcpMss) return store_opaque(machine, op.dreg, 2, "the route's segment size");
  if (op.key != kNextHop4 && op.key != kNextHop6) {
    return store_opaque(machine, op.dreg, 16, fmt::format("rt key {}", op.key));
  }
  if ((op.key == kNextHop4) != (packet.family == Family::Inet)) return Next::Break;
  Flow flow;
  flow.family = packet.family;
  flow.source = packet.tuple.source;
  flow.destination = packet.tuple.destination;
  flow.in = packet.in;
  flow.mark = packet.mark;
  flow.tos = packet.tos;
  flow.protocol = packet.protocol;
  const FibResult found = fib_lookup(machine.here.world, flow);
  const IpAddress next = found.gateway.value_or(packet.tuple.destination);
  const auto* bytes = reinterpret_cast<const std::byte*>(next.bytes.data());
  machine.registers.store(op.dreg, ByteView(bytes, next.bits() / 8));
  return Next::Go;
}

Next run(Machine& machine, const nft::Socket& op) {
  enum : std::uint32_t { kTransparent = 0, kMark, kWildcard, kCgroup };
  const Packet& packet = machine.here.packet;
  if (packet.arp) return Next::Break;
  std::optional<SocketView> socket;
  if (packet.made_here()) {
    if (!packet.from_socket) return Next::Break;
    socket = SocketView{.mark = packet.socket_mark, .cgroup = packet.socket_cgroup};
  } else {
    socket = find_socket(machine.here.world, packet);
  }
  if (!socket) return Next::Break;
  if (op.key == kTransparent) {
    if (!socket->transparent) {
      return store_opaque(machine, op.dreg, 1, "whether the socket is transparent");
    }
    machine.registers.store_u8(op.dreg, *socket->transparent ? 1 : 0);
  } else if (op.key == kMark) {
    if (!socket->mark) return store_opaque(machine, op.dreg, 4, "the socket's mark");
    machine.registers.store_u32(op.dreg, *socket->mark);
  } else if (op.key == kWildcard) {
    machine.registers.store_u8(op.dreg, socket->wildcard ? 1 : 0);
  } else {
    return store_opaque(machine, op.dreg, 8,
                        fmt::format("the cgroup of the socket at level {}", op.level));
  }
  return Next::Go;
}

}  // namespace hark::reach
