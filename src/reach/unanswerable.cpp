#include "reach/unanswerable.h"

#include <string>

#include "reach/journey_blockers.h"
#include "reach/routing.h"

namespace hark::reach {
namespace {

constexpr std::uint8_t kBroadcast = 3, kAnycast = 4, kMulticast = 5;  // RTN_*

bool is_for_many(const World& world, const IpAddress& address) {
  if (address.is_multicast()) return true;
  const std::uint8_t type = address_type(world.network, address, 0, world.routes);
  return type == kBroadcast || type == kMulticast;
}

/// To whoever sends it the route tells, not the address: another table may stand before the local
/// one. `link`: of a socket that sends by that link alone; 0: by any.
bool is_broadcast_by_route(World& world, const Packet& packet, std::uint32_t link) {
  constexpr IpAddress kEverybody = {.family = Family::Inet, .bytes = {255, 255, 255, 255}};
  if (packet.tuple.destination.is_multicast() || packet.tuple.destination == kEverybody) {
    return true;
  }
  Flow flow = flow_of(packet);
  flow.in = 0;
  flow.out = link;
  flow.uid = packet.socket_uid.value_or(0);
  return fib_lookup(world, flow).type == kBroadcast;
}

/// The reason in words; empty: it is sent.
std::string why_never4(const World& world, const Packet& packet, const Refusal& refusal,
                       Refuser refuser) {
  const IpAddress& from = packet.tuple.source;
  const IpAddress& to = packet.tuple.destination;
  const bool reset_by_socket = refusal.tcp_reset && refuser == Refuser::Socket;
  if (reset_by_socket) return {};
  if (packet.to_all && !refusal.tcp_reset) return "what came as a broadcast gets no ICMP error";
  const bool before = refuser == Refuser::RuleBeforeRouting;
  if (before && is_for_many(world, from)) return from.text() + " is not the address of one host";
  // A reset looks at the route, and before routing that is the one back to the client.
  const bool any = !before || !refusal.tcp_reset;
  if (any && is_for_many(world, to)) return to.text() + " is a broadcast or multicast address";
  return {};
}

std::string why_never6(World& world, const Packet& packet, const Refusal& refusal,
                       Refuser refuser) {
  const IpAddress& from = packet.tuple.source;
  const bool reset_by_socket = refusal.tcp_reset && refuser == Refuser::Socket;
  if (reset_by_socket) {
    // The answer to ::1 is tied to the link whose address was asked, and ::1 is on lo.
    const bool here = packet.in != 0 && from.is_loopback() && !from.is_v4_mapped();
    if (here && !packet.tuple.destination.is_loopback()) {
      return "a reset to ::1 would have to leave by the link of " + packet.tuple.destination.text();
    }
    return {};
  }
  if (from.is_unspecified() || from.is_multicast()) {
    return from.text() + " is not the address of one host";
  }
  // nf_send_reset6() wants both to be of one host, and what stands for IPv4 does not count as that.
  if (refusal.tcp_reset && (from.is_v4_mapped() || packet.tuple.destination.is_multicast())) {
    return from.text() + " is not an address of IPv6 proper";
  }
  if (!refusal.tcp_reset && is_anycast6(world, from)) {
    return from.text() + " is the anycast address of a subnet's routers";
  }
  return {};
}

Blocker not_unicast(World& world, const std::string& text) {
  Blocker blocker = plain_blocker("src-not-unicast", text, "packet", "");
  add_stop(world, Stage::Reply, blocker);
  return blocker;
}

}  // namespace

bool is_anycast6(World& world, const IpAddress& address) {
  constexpr std::uint8_t kHostRoute = 127;  // of 127 bits or more: no such address (RFC 6164)
  Flow flow;
  flow.family = Family::Inet6;
  flow.source = {.family = Family::Inet6};
  flow.destination = address;
  flow.protocol = kIcmp6;
  const FibResult found = fib_lookup(world, flow);
  if (found.type == kAnycast) return true;
  return found.route != nullptr && !found.gateway && found.route->destination.length < kHostRoute &&
         found.route->destination.address == address;
}

std::optional<Blocker> never_answered(World& world, const Packet& reply, std::uint32_t link) {
  const IpAddress& client = reply.tuple.destination;
  std::string why;
  if (reply.family == Family::Inet6) {
    if (client.is_v4_mapped()) why = "is sent as IPv4, and not from here";
    if (client.is_unspecified()) why = "is sent to this host itself";
  } else if (is_broadcast_by_route(world, reply, link)) {
    why = "is a broadcast, for which the socket needs SO_BROADCAST";
  }
  if (why.empty()) return std::nullopt;
  return not_unicast(world, "the answer to " + client.text() + " " + why);
}

std::optional<Blocker> never_refused(World& world, const Packet& packet, const Refusal& refusal,
                                     Refuser refuser) {
  const std::string why = packet.family == Family::Inet
                              ? why_never4(world, packet, refusal, refuser)
                              : why_never6(world, packet, refusal, refuser);
  if (why.empty()) return std::nullopt;
  return not_unicast(world, "the refusal is never sent: " + why);
}

}  // namespace hark::reach
