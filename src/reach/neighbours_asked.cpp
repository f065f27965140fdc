// ARP and neighbour discovery on the way of a packet: the client asks for our address before its
// first packet, and we ask for the next hop's before our answer. net/ipv4/arp.c, net/ipv6/ndisc.c.
#include <algorithm>
#include <array>

#include "reach/journey_blockers.h"
#include "reach/shell_word.h"
#include "reach/steps.h"

namespace hark::reach {
namespace {

constexpr std::uint32_t kLoopback = 0x8;       // IFF_LOOPBACK
constexpr std::uint32_t kPointToPoint = 0x10;  // IFF_POINTOPOINT
constexpr std::uint32_t kNoArp = 0x80;         // IFF_NOARP
constexpr std::uint16_t kFailed = 0x20;        // NUD_FAILED
constexpr std::uint16_t kValid = 0xde;         // NUD_VALID
constexpr std::uint8_t kSolicitation = 135;
constexpr std::uint8_t kAdvertisement = 136;
constexpr std::uint8_t kDiscoveryTtl = 255;  // RFC 4861 7.1

/// ff02::1:ffXX:XXXX (RFC 4291 2.7.1)
IpAddress solicited_node(const IpAddress& target) {
  IpAddress out = {.family = Family::Inet6};
  out.bytes = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  std::copy(target.bytes.begin() + 13, target.bytes.end(), out.bytes.begin() + 13);
  return out;
}

/// A question for `target`, or the answer to one.
Packet arp_packet(const IpAddress& sender, const IpAddress& target, bool answer) {
  Packet packet;
  packet.arp = true;
  packet.arp_reply = answer;
  packet.protocol = 0;
  packet.tcp_flags = 0;
  packet.tuple = {.source = sender, .destination = target};
  return packet;
}

Packet coming(Packet packet, std::uint32_t link) {
  packet.in = link;
  return packet;
}

Packet leaving(Packet packet, std::uint32_t link) {
  packet.out = link;
  return packet;
}

Packet discovery(std::uint8_t type, const IpAddress& from, const IpAddress& to) {
  Packet packet;
  packet.family = Family::Inet6;
  packet.protocol = kIcmp6;
  packet.tcp_flags = 0;
  packet.icmp_type = type;
  packet.ttl = kDiscoveryTtl;
  packet.tuple = {.source = from, .destination = to};
  return packet;
}

/// ip6_route_me_harder(): what a chain of type `route` has marked is routed anew, which nobody does
/// with neighbour discovery otherwise.
std::optional<Blocker> goes_astray(World& world, const Packet& packet, const char* code,
                                   const std::string& text) {
  const IpAddress& to = packet.tuple.destination;
  const RouteOut route =
      route_output(world, {.family = packet.family,
                           .source = packet.tuple.source,
                           .destination = to,
                           .out = to.is_multicast() || to.is_link_local() ? packet.out : 0,
                           .mark = packet.mark,
                           .protocol = packet.protocol,
                           .transparent = true});
  if (route.ok && route.fib.link == packet.out) return std::nullopt;
  Blocker out = {.cause = route.cause, .key = code};
  out.cause.code = code;
  out.cause.text = text + ": a rule has marked it, and it is routed anew" +
                   (route.ok ? ": by another link" : ": " + route.cause.text);
  return out;
}

/// Runs hooks on a packet of neighbour discovery without telling of those that let it through.
std::optional<Blocker> blocked(World& world, Packet packet, std::initializer_list<HookPoint> hooks,
                               const char* code, const std::string& text) {
  ConntrackView view;
  for (const HookPoint hook : hooks) {
    const HookResult result = run_hook(world, hook, packet, view);
    if (result.rerouted) {
      if (auto astray = goes_astray(world, packet, code, text)) return astray;
    }
    if (result.end == HookResult::End::Accept) continue;
    Blocker out = blocker_of(world, hook, packet, result);
    out.cause.code = code;
    out.cause.text = text + ": " + out.cause.text;
    return out;
  }
  return std::nullopt;
}

/// The client's question and our answer, as the rules see them.
std::optional<Blocker> filtered(World& world, std::uint32_t link, const IpAddress& asker,
                                const IpAddress& target) {
  const std::string text = "who asks for " + target.text() + " gets no answer";
  if (target.family == Family::Inet) {
    if (auto out = blocked(world, coming(arp_packet(asker, target, false), link),
                           {HookPoint::Ingress, HookPoint::ArpIn}, "arp-filtered", text)) {
      return out;
    }
    return blocked(world, leaving(arp_packet(target, asker, true), link),
                   {HookPoint::ArpOut, HookPoint::Egress}, "arp-filtered", text);
  }
  const Packet question = coming(discovery(kSolicitation, asker, solicited_node(target)), link);
  if (auto out =
          blocked(world, question, {HookPoint::Ingress, HookPoint::Prerouting, HookPoint::Input},
                  "v6-ns-filtered", text)) {
    return out;
  }
  const Packet answer = leaving(discovery(kAdvertisement, target, asker), link);
  return blocked(world, answer, {HookPoint::Output, HookPoint::Postrouting, HookPoint::Egress},
                 "v6-ns-filtered", text);
}

bool has_neighbours(const host::Link& link) {
  return (link.flags & (kNoArp | kLoopback | kPointToPoint)) == 0;
}

}  // namespace

Packet solicitation(const IpAddress& asker, const IpAddress& target) {
  return discovery(kSolicitation, asker, solicited_node(target));
}

Packet advertisement(const IpAddress& asker, const IpAddress& target) {
  return discovery(kAdvertisement, target, asker);
}

/// The address from which we would ask: that of the packet that waits, if it is ours (arp_solicit,
/// ndisc_solicit; of IPv6, if it is the link's), or else one of the link: best of the next hop's
/// subnet, of IPv6 the link-local one. As if arp_announce were 0.
IpAddress asking_address(const World& world, std::uint32_t link, const IpAddress& next,
                         const IpAddress& source) {
  const bool v4 = next.family == Family::Inet;
  if (v4 && is_own_address(world.network, source, world.routes)) return source;
  IpAddress first = {.family = next.family};
  for (const host::InterfaceAddress& own : world.network.addresses) {
    if (own.link != link || own.address.family != next.family) continue;
    if (v4 ? own.subnet.contains(next) : own.address == source) return own.address;
    const bool usable = v4 || own.address.is_link_local();
    if (usable && first.is_unspecified()) first = own.address;
  }
  return first;
}

/// Our question for the next hop, and its answer, as the rules see them.
std::optional<Blocker> unheard(World& world, std::uint32_t link, const IpAddress& next,
                               const IpAddress& source) {
  const std::string text = next.text() + " cannot be asked for its link-layer address";
  const IpAddress own = asking_address(world, link, next, source);
  if (next.family == Family::Inet) {
    if (auto out = blocked(world, leaving(arp_packet(own, next, false), link),
                           {HookPoint::ArpOut, HookPoint::Egress}, "neigh-failed", text)) {
      return out;
    }
    return blocked(world, coming(arp_packet(next, own, true), link),
                   {HookPoint::Ingress, HookPoint::ArpIn}, "neigh-failed", text);
  }
  const Packet question = leaving(discovery(kSolicitation, own, solicited_node(next)), link);
  if (auto out =
          blocked(world, question, {HookPoint::Output, HookPoint::Postrouting, HookPoint::Egress},
                  "neigh-failed", text)) {
    return out;
  }
  const Packet answer = coming(discovery(kAdvertisement, next, own), link);
  if (auto out =
          blocked(world, answer, {HookPoint::Ingress, HookPoint::Prerouting, HookPoint::Input},
                  "neigh-failed", text)) {
    return out;
  }
  // It has to get in like any other packet.
  const RouteIn route = route_input(world, {.family = answer.family,
                                            .source = next,
                                            .destination = own,
                                            .in = link,
                                            .protocol = kIcmp6});
  if (route.to == RouteIn::To::Local) return std::nullopt;
  Blocker out = {.cause = route.cause, .key = "neigh-failed"};
  out.cause.code = "neigh-failed";
  out.cause.text = text + ": its answer is not taken: " + route.cause.text;
  return out;
}

std::optional<Blocker> unresolvable(World& world, std::uint32_t link, const IpAddress& asker,
                                    const IpAddress& target) {
  const host::Link* at = world.network.link(link);
  // One that has no ARP answers none, whatever the asker's side has.
  if (at == nullptr || (at->flags & (kLoopback | kPointToPoint)) != 0) return std::nullopt;
  std::optional<Blocker> out = filtered(world, link, asker, target);
  if (!out) {
    if (auto cause = answers_neighbour(world, link, asker, target)) {
      out = Blocker{.cause = *cause, .key = cause->code};
    }
  }
  if (out) add_stop(world, Stage::Link, *out);
  return out;
}

namespace {

/// For an address of the link whose local route is gone. ARP asks in its own name then, which only
/// announces it; of IPv6 a host hears from nobody who has its address (ndisc_recv_na).
bool asks_for_itself(const World& world, std::uint32_t link, const IpAddress& next,
                     const IpAddress& source) {
  if (next.family == Family::Inet) return asking_address(world, link, next, source) == next;
  return std::ranges::any_of(world.network.addresses, [&](const host::InterfaceAddress& own) {
    return own.link == link && own.address == next;
  });
}

}  // namespace

std::optional<Blocker> next_hop_silent(World& world, const FibResult& fib, const Packet& packet,
                                       Stage stage) {
  const host::Link* link = world.network.link(packet.out);
  if (link == nullptr || !has_neighbours(*link)) return std::nullopt;
  const IpAddress next = fib.gateway.value_or(packet.tuple.destination);
  if (next.is_multicast() || world.heard == Heard{link->index, next}) return std::nullopt;
  const auto known = std::ranges::find_if(world.network.neighbours, [&](const auto& neighbour) {
    return neighbour.link == link->index && neighbour.address == next;
  });
  const bool listed = known != world.network.neighbours.end();
  if (listed && (known->state & kValid) != 0) return std::nullopt;
  std::optional<Blocker> out;
  if (listed && (known->state & kFailed) != 0 && !world.is_waived("neigh-failed")) {
    out =
        Blocker{.cause = {.code = "neigh-failed",
                          .text = next.text() + " does not answer on " + link->name,
                          .evidence = {{.fact = "neighbour " + next.text() + " FAILED",
                                        .where = link->name,
                                        .verify = "ip neigh show dev " + shell_word(link->name)}}},
                .key = "neigh-failed",
                .passing = true};
  } else if (asks_for_itself(world, link->index, next, packet.tuple.source)) {
    out = plain_blocker("neigh-failed",
                        next.text() + " is an address of " + link->name + " itself: nobody answers",
                        link->name, "ip neigh show dev " + shell_word(link->name));
  } else {
    out = unheard(world, link->index, next, packet.tuple.source);
  }
  if (out) add_stop(world, stage, *out);
  return out;
}

}  // namespace hark::reach
