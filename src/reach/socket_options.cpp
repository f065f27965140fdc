#include "reach/socket_options.h"

#include <algorithm>
#include <string>

#include "reach/journey_blockers.h"
#include "reach/routing.h"
#include "reach/steps.h"

namespace hark::reach {
namespace {

using decode::FilterEffect;
using host::Listener;

std::string port_of(const Listener& listener) {
  return std::to_string(listener.port);
}

/// With the count of packets that the socket itself dropped.
std::string drops_command(const Listener& listener) {
  const bool tcp = listener.protocol == Protocol::Tcp || listener.protocol == Protocol::Mptcp;
  return std::string(tcp ? "ss -Htlnm" : "ss -Huanm") + " sport = :" + port_of(listener);
}

/// By which option the program learns at which address a datagram of the packet's kind came; empty:
/// by none. Nothing: not known. net/ipv6/datagram.c (ip6_datagram_recv_common_ctl) tells sockets of
/// IPv6 the addresses of IPv4 packets too.
std::optional<std::string> learns_destination(const World& world, const Listener& listener,
                                              const Packet& packet) {
  struct Way {
    OptionPart part;
    const char* name;
    bool ipv6_socket, ipv4_packet, ipv6_packet;
  };
  constexpr Way kWays[] = {
      {OptionPart::PacketInfo, "IP_PKTINFO", false, true, false},
      {OptionPart::OriginalDestination, "IP_RECVORIGDSTADDR", false, true, false},
      {OptionPart::PacketInfo6, "IPV6_RECVPKTINFO", true, true, true},
      {OptionPart::OldPacketInfo6, "IPV6_2292PKTINFO", true, true, true},
      {OptionPart::OriginalDestination6, "IPV6_RECVORIGDSTADDR", true, true, true},
  };
  const bool ipv4 = packet.family == Family::Inet;
  bool known = true;
  for (const Way& way : kWays) {
    if (ipv4 ? !way.ipv4_packet : !way.ipv6_packet) continue;
    if (way.ipv6_socket && listener.address.family == Family::Inet) continue;
    const auto value = option(world, listener, way.part);
    if (value.value_or(0) != 0) return way.name;
    known = known && value.has_value();
  }
  return known ? std::optional<std::string>("") : std::nullopt;
}

}  // namespace

const decode::SocketOptions* options_of(const World& world, const Listener& listener) {
  const host::SocketFacts* facts = world.network.services.socket(listener.socket.inode);
  return facts != nullptr && facts->options ? &*facts->options : nullptr;
}

std::optional<std::int32_t> option(const World& world, const Listener& listener, OptionPart part) {
  const decode::SocketOptions* options = options_of(world, listener);
  return options != nullptr ? options->value(part) : std::nullopt;
}

std::optional<Blocker> ttl_too_small(World& world, const Listener& listener, const Packet& packet) {
  const bool ipv4 = packet.family == Family::Inet;
  const char* name = ipv4 ? "IP_MINTTL" : "IPV6_MINHOPCOUNT";
  const std::int32_t least =
      option(world, listener, ipv4 ? OptionPart::MinTtl : OptionPart::MinHopCount).value_or(0);
  if (least <= 1) return std::nullopt;
  const std::string what = ipv4 ? "TTL" : "hop limit";
  if (packet.ttl >= least) {
    world.assumptions.push_back("the client's packets arrive with a " + what + " of " +
                                std::to_string(least) + " or more");
    return std::nullopt;
  }
  world.assumptions.push_back("the client sends with a " + what + " of " +
                              std::to_string(packet.ttl));
  return Blocker{
      .cause = {.code = "min-ttl",
                .text = "the socket takes only packets with a " + what + " of " +
                        std::to_string(least) + " or more, and an ordinary client's has at most " +
                        std::to_string(packet.ttl),
                .evidence = {{.fact = std::string(name) + " = " + std::to_string(least),
                              .where = "socket",
                              .verify = "nstat -az TcpExtTCPMinTTLDrop"}}},
      .key = "min-ttl"};
}

std::optional<SocketFilter> socket_filter(const Listener& listener,
                                          const decode::SocketOptions& options) {
  const auto effect = decode::filter_effect(options);
  if (!effect || *effect == FilterEffect::None || *effect == FilterEffect::AcceptsAll) {
    return std::nullopt;
  }
  const std::size_t size = options.filter ? options.filter->size() : 0;
  const std::string kind = options.filter_hidden ? "an eBPF program"
                           : size == 1           ? "1 instruction of BPF"
                                                 : std::to_string(size) + " instructions of BPF";
  return SocketFilter{.what = "the socket's filter (" + kind + ")",
                      .certain = *effect == FilterEffect::DropsAll,
                      .evidence = {.fact = "a filter is attached to the socket: " + kind,
                                   .where = "socket",
                                   .verify = drops_command(listener)}};
}

std::optional<Blocker> filter_drops(World& world, const Listener& listener, const Packet&) {
  const decode::SocketOptions* options = options_of(world, listener);
  if (options == nullptr) return std::nullopt;
  auto filter = socket_filter(listener, *options);
  if (!filter) return std::nullopt;
  if (!filter->certain && world.choices.pick({.code = "socket-filter",
                                              .text = filter->what + " lets it through",
                                              .key = "socket-filter",
                                              .doubt = Doubt::Opaque})) {
    return std::nullopt;
  }
  return Blocker{
      .cause = {.code = "socket-filter",
                .text = filter->what + (filter->certain ? " drops every packet" : " drops it"),
                .evidence = {std::move(filter->evidence)}},
      .key = "socket-filter"};
}

void tell_deferred_accept(World& world, const Listener& listener) {
  const std::int32_t seconds = option(world, listener, OptionPart::DeferAccept).value_or(0);
  if (seconds <= 0) return;
  add_step(world, Stage::Handshake, "pass",
           "the program is not told before the client has sent something (TCP_DEFER_ACCEPT)");
  world.assumptions.emplace_back("the client speaks first, as the server wants it");
}

bool is_source_routed(const World& world, const Listener& listener, const Packet& packet) {
  if (!listener.address.is_unspecified()) return false;
  const auto learns = learns_destination(world, listener, packet);
  return learns && learns->empty();
}

std::optional<Blocker> other_source(World& world, const Listener& listener, const Packet& packet,
                                    std::uint32_t bound) {
  constexpr const char* kCode = "udp-reply-source-mismatch";
  if (!listener.address.is_unspecified() || world.is_waived(kCode)) return std::nullopt;
  Flow flow = {.family = packet.family,
               .source = {.family = packet.family},
               .destination = packet.tuple.source,
               .out = bound,
               .protocol = packet.protocol,
               .source_port = packet.tuple.destination_port,
               .destination_port = packet.tuple.source_port,
               .uid = listener.socket.uid,
               .source_given = false};
  flow.mark = static_cast<std::uint32_t>(option(world, listener, OptionPart::Mark).value_or(0));
  const RouteOut route = route_output(world, flow);
  const IpAddress& asked = packet.tuple.destination;
  if (route.ok && route.source == asked) return std::nullopt;
  const std::string from = route.ok ? " from " + route.source.text() : " without a source";
  const std::string text =
      "the program answers from " + asked.text() + ", where it was asked, and not" + from;
  const auto learns = learns_destination(world, listener, packet);
  if (learns && !learns->empty()) {
    add_step(world, Stage::Reply, "pass", *learns + " is set on the socket: " + text);
    world.assumptions.push_back(text);
    return std::nullopt;
  }
  if (!learns &&
      world.choices.pick({.code = kCode, .text = text, .key = kCode, .doubt = Doubt::Opaque})) {
    return std::nullopt;
  }
  // Rules that ask for the source may have a way for the one and none for the other.
  if (!route.ok) {
    Blocker blocker = {.cause = route.cause, .key = kCode};
    if (blocker.cause.code == "no-route") blocker.cause.code = "no-route-back";
    add_stop(world, Stage::Reply, blocker);
    return blocker;
  }
  Blocker blocker = plain_blocker(
      kCode, "the answer comes from " + route.source.text() + " instead of " + asked.text(),
      "route", "ip route get " + packet.tuple.source.text());
  blocker.cause.evidence.front().fact = "the preferred source is " + route.source.text();
  if (learns) {
    const bool ipv6 = packet.family == Family::Inet6;
    blocker.cause.evidence.push_back(
        {.fact = std::string(ipv6 ? "IPV6_RECVPKTINFO" : "IP_PKTINFO") +
                 " is not set: the program does not learn which address was asked",
         .where = "socket",
         .verify = {}});
  }
  add_stop(world, Stage::Reply, blocker);
  return blocker;
}

}  // namespace hark::reach
