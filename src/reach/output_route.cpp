// Which way a packet made here goes: ip_route_output_key_hash_rcu of net/ipv4/route.c;
// ip6_dst_lookup_tail of net/ipv6/ip6_output.c and ip6_route_output_flags of net/ipv6/route.c.
//
// Every failure has the code no-route-back. Waived, it stays: there is nowhere to go on to; but
// rules and routes that refuse are passed over where their own codes are waived (input_route.cpp).
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "reach/fib.h"

namespace hark::reach::fib {
namespace {

bool is_limited_broadcast(const IpAddress& address) {
  return address == IpAddress{.bytes = {255, 255, 255, 255}};
}

/// 224.0.0.0/24
bool is_local_multicast(const IpAddress& address) {
  return address.is_multicast() && address.bytes[1] == 0 && address.bytes[2] == 0 &&
         address.bytes[0] == 224;
}

RouteOut failed(int error, std::string text, std::vector<Evidence> evidence,
                const Found& found = {}) {
  RouteOut out;
  out.error = error;
  out.fib = result_of(found);
  out.cause = {.code = "no-route-back", .text = std::move(text), .evidence = std::move(evidence)};
  return out;
}

RouteOut without_route(const World& world, const Flow& flow, const Found& found, const Key& key) {
  const std::string to = flow.destination.text();
  std::string text = fmt::format("this host has no route to {}", to);
  if (found.from_rule) {
    text = fmt::format("a routing rule refuses packets to {}: {}", to, words_of(*found.rule));
  } else if (found.route != nullptr) {
    text =
        fmt::format("a route refuses packets to {}: {}", to, words_of(world.network, *found.route));
  }
  std::vector<Evidence> evidence = evidence_of(world.network, found, key);
  evidence.push_back(
      {.fact = text, .where = "route lookup", .verify = get_command(world.network, flow)});
  return failed(found.error, std::move(text), std::move(evidence), found);
}

RouteOut refused(const World& world, const Flow& flow, int error, std::string text) {
  return failed(
      error, text,
      {{.fact = text, .where = "route lookup", .verify = get_command(world.network, flow)}});
}

/// Output of IPv4, and what is filled in on the way: struct flowi4.
struct Output4 {
  World& world;
  const Flow& flow;
  Key key;
  bool has_source;
  Found found = {};
  std::uint32_t egress = 0;

  void choose_source(const IpAddress& source) {
    if (has_source) return;
    key.source = source;
    has_source = !source.is_unspecified();
  }
};

/// __mkroute_output
RouteOut made(const Output4& output, std::uint8_t type) {
  const host::Network& network = output.world.network;
  const host::Link* link = network.link(output.egress);
  const IpAddress& source = output.key.source;
  if (link == nullptr || !link->ipv4) {
    return refused(output.world, output.flow, EINVAL, "the link to send by has no IPv4");
  }
  const bool inner = link->is_loopback() || link->kind == "vrf";
  if (source.is_loopback() && !inner && effective4(network, *link).route_localnet == 0) {
    return refused(output.world, output.flow, EINVAL,
                   fmt::format("packets from {} must not leave by {} (route_localnet 0)",
                               source.text(), link->name));
  }
  RouteOut out;
  out.ok = true;
  out.fib = result_of(output.found);
  out.fib.type = type;
  out.fib.link = output.egress;
  if (is_limited_broadcast(output.key.destination)) out.fib.type = kBroadcast;
  if (output.key.destination.is_multicast()) out.fib.type = kMulticast;
  if (out.fib.type == kLocal || out.fib.type == kBroadcast) out.fib.gateway.reset();
  // A group without a route of its own is not sent to the default gateway.
  if (out.fib.type == kMulticast && output.found.route != nullptr &&
      output.found.route->destination.length < 4) {
    out.fib.gateway.reset();
  }
  out.source = source;
  return out;
}

/// The source was given: is it one that this host may use? Nothing: go on.
std::optional<RouteOut> check_source(Output4& output) {
  const host::Network& network = output.world.network;
  const IpAddress& source = output.key.source;
  const IpAddress& to = output.key.destination;
  if (source.is_multicast() || is_limited_broadcast(source) || source.is_unspecified()) {
    return refused(output.world, output.flow, EINVAL,
                   fmt::format("{} cannot be the address of one host", source.text()));
  }
  // __ip_dev_find: configured on any link (of several the last that got it, which cannot be told
  // any more: only for groups does it matter), or local by the local table.
  const auto own = std::ranges::find(network.addresses, source, &host::InterfaceAddress::address);
  Found local;
  if (own == network.addresses.end()) {
    local = local_lookup4(output.world, source);
  }
  const bool is_own = own != network.addresses.end() || (local.error == 0 && local.type == kLocal);
  const bool by_source = output.key.out == 0 && (to.is_multicast() || is_limited_broadcast(to));
  if (!is_own && (by_source || !output.flow.transparent)) {
    return refused(output.world, output.flow, ENETUNREACH,
                   fmt::format("{} is no address of this host", source.text()));
  }
  if (!by_source) return std::nullopt;
  output.egress = own != network.addresses.end() ? own->link : local.hop->link;
  output.key.out = output.egress;
  return made(output, kUnicast);
}

/// The link was given. Nothing: go on.
std::optional<RouteOut> check_link(Output4& output) {
  const host::Network& network = output.world.network;
  const IpAddress& to = output.key.destination;
  const std::uint32_t index = output.key.out;
  const host::Link* link = network.link(index);
  if (link == nullptr) {
    return refused(output.world, output.flow, ENODEV, "there is no such link to send by");
  }
  if ((link->flags & kLinkUp) == 0 || !link->ipv4) {
    return refused(output.world, output.flow, ENETUNREACH,
                   fmt::format("{} is down, or has no IPv4", link->name));
  }
  constexpr std::uint8_t kIgmp = 2;
  if (is_local_multicast(to) || is_limited_broadcast(to) || output.flow.protocol == kIgmp) {
    output.choose_source(select_source4(network, index, {}, kScopeLink));
    output.egress = index;
    return made(output, kUnicast);
  }
  if (to.is_multicast()) output.choose_source(select_source4(network, index, {}, 0));
  if (to.is_unspecified()) output.choose_source(select_source4(network, index, {}, kScopeHost));
  return std::nullopt;
}

RouteOut to_myself(Output4& output) {
  const host::Route* route = output.found.route;
  output.choose_source(route != nullptr && route->preferred_source ? *route->preferred_source
                                                                   : output.key.destination);
  const std::uint32_t link = output.found.hop != nullptr ? output.found.hop->link : 0;
  const std::uint32_t vrf = vrf_of(output.world.network, link);
  output.egress = vrf != 0 ? vrf : kLo;
  return made(output, kLocal);
}

/// fib_select_path
void select_path(Output4& output) {
  const host::Network& network = output.world.network;
  select_hop(output.world, output.key, output.found);
  output.egress = output.found.hop->link;
  if (output.has_source) return;
  const host::Route& route = *output.found.route;
  if (route.preferred_source) {
    output.choose_source(*route.preferred_source);
    return;
  }
  std::optional<IpAddress> gateway = output.found.hop->gateway;
  if (gateway && gateway->family != Family::Inet) gateway.reset();
  output.choose_source(select_source4(network, output.egress, gateway, route.scope));
}

}  // namespace

RouteOut route_output4(World& world, const Flow& flow) {
  const bool has_source = flow.source_given && !flow.source.is_unspecified();
  Output4 output{world, flow, key_of(flow), has_source};
  if (output.has_source) {
    if (auto end = check_source(output)) return *end;
  } else {
    output.key.source = IpAddress{};
  }
  if (output.key.out != 0) {
    if (auto end = check_link(output)) return *end;
  }
  if (flow.destination.is_unspecified()) {
    output.choose_source(*IpAddress::parse("127.0.0.1"));
    output.key.destination = output.key.source;
    output.egress = kLo;
    return made(output, kLocal);
  }
  output.found = lookup(world, output.key);
  if (output.found.error != 0) {
    const bool in_vrf = vrf_of(world.network, output.key.out) != 0;
    if (output.key.out == 0 || (in_vrf && !flow.destination.is_multicast())) {
      return without_route(world, flow, output.found, output.key);
    }
    // With a link asked for, what no route leads to is taken to be on it.
    output.found = {};
    output.choose_source(select_source4(world.network, output.key.out, {}, kScopeLink));
    output.egress = output.key.out;
    return made(output, kUnicast);
  }
  if (output.found.type == kLocal) return to_myself(output);
  select_path(output);
  return made(output, output.found.type);
}

RouteOut route_output6(World& world, const Flow& flow) {
  const host::Network& network = world.network;
  Key key = key_of(flow);
  key.has_source = flow.source_given && !flow.source.is_unspecified();
  if (!key.has_source) key.source = IpAddress{.family = Family::Inet6};
  key.near_link = flow.out;
  key.strict = flow.out != 0 || needs_link6(flow.destination);
  Found found = lookup(world, key);
  if (!key.has_source) {
    // Routes for certain sources are found only once there is one: the route gives the source, or,
    // where there is none yet, any address, with which it is asked for again.
    if (found.error == 0) select_hop(world, key, found);
    const bool preferred = found.error == 0 && found.route->preferred_source;
    const std::uint32_t link = found.error == 0 ? found.hop->link : 0;
    const auto source =
        preferred ? found.route->preferred_source : select_source6(network, link, flow.destination);
    if (!source) {
      return refused(
          world, flow, EADDRNOTAVAIL,
          fmt::format("this host has no IPv6 address to send to {} from", flow.destination.text()));
    }
    key.source = *source;
    if (found.error != 0) {
      key.has_source = true;
      found = lookup(world, key);
    }
  }
  if (found.error != 0) return without_route(world, flow, found, key);
  select_hop(world, key, found);
  RouteOut out;
  out.ok = true;
  out.fib = result_of(found);
  // An anycast route that the kernel did not make itself is a link's like any other.
  const bool anycast = found.type == kAnycast && found.route->protocol == kProtocolKernel;
  if (found.type == kLocal || anycast) {
    const std::uint32_t vrf = vrf_of(network, found.hop->link);
    out.fib.link = vrf != 0 && !needs_link6(found.route->destination.address) ? vrf : kLo;
  }
  out.source = key.source;
  return out;
}

}  // namespace hark::reach::fib
