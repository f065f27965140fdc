// Who is answered that asks for the link-layer address of one of this host's addresses: arp_rcv and
// arp_process of net/ipv4/arp.c, ndisc_recv_ns of net/ipv6/ndisc.c.
//
// ARP asks the routing of packets first, so that whatever drops packets from the asker
// (input_route) leaves it without an answer too, under the same code. Waived codes of this file:
// arp-suppressed, v6-tentative and addr-absent are answered.
#include <fmt/format.h>

#include <algorithm>

#include "reach/fib.h"
#include "reach/shell_word.h"

namespace hark::reach::fib {
namespace {

/// confirm_addr_indev: an address of the link that is `local`, on a subnet with `asker`.
bool confirms(const host::Network& network, const host::Link& link,
              const std::optional<IpAddress>& asker, const IpAddress& local, std::uint8_t scope) {
  const std::uint8_t most = effective4(network, link).route_localnet != 0 ? kScopeLink : kScopeHost;
  bool has_address = false;
  bool has_subnet = false;
  for (const host::InterfaceAddress& own : network.addresses) {
    if (own.link != link.index || own.address.family != Family::Inet) continue;
    has_address = has_address || (own.address == local && std::min(own.scope, most) <= scope);
    has_subnet =
        has_subnet || (own.subnet.contains(local) && (!asker || own.subnet.contains(*asker)));
  }
  return has_address && has_subnet;
}

/// arp_ignore(): true, it is not answered.
bool ignores(const host::Network& network, const host::Link& link, const IpAddress& asker,
             const IpAddress& target) {
  switch (effective4(network, link).arp_ignore) {
    case 1:
      return !confirms(network, link, std::nullopt, target, kScopeHost);
    case 2:
      return !confirms(network, link, asker, target, kScopeHost);
    case 3:
      return std::ranges::none_of(network.links, [&](const host::Link& any) {
        return any.ipv4 && confirms(network, any, std::nullopt, target, kScopeLink);
      });
    case 8:
      return true;
    default:
      return false;
  }
}

/// arp_filter(): the answer would leave by another link.
bool filters(World& world, const host::Link& link, const IpAddress& asker,
             const IpAddress& target) {
  Flow back{.family = Family::Inet, .source = target, .destination = asker};
  back.out = vrf_of(world.network, link.index);
  const RouteOut route = route_output4(world, back);
  return !route.ok || route.fib.link != link.index;
}

std::string question(const host::Link& link, const IpAddress& target) {
  return fmt::format("{} does not answer on {} who asks for {}", "this host", link.name,
                     target.text());
}

Cause suppressed(const host::Network& network, const host::Link& link, const IpAddress& target,
                 std::string_view setting) {
  const bool filter = setting == "arp_filter";
  const std::int32_t own = !link.ipv4 ? 0 : filter ? link.ipv4->arp_filter : link.ipv4->arp_ignore;
  const std::int32_t all =
      filter ? network.settings.ipv4_all.arp_filter : network.settings.ipv4_all.arp_ignore;
  return {.code = "arp-suppressed",
          .text = fmt::format("{}: {} is {}", question(link, target), setting, std::max(own, all)),
          .evidence = {own >= all ? sysctl_evidence("ipv4", link.name, setting, own)
                                  : sysctl_evidence("ipv4", "all", setting, all)}};
}

Cause absent(const host::Network& network, const host::Link& link, const IpAddress& target) {
  return {.code = "addr-absent",
          .text = fmt::format(
              "{}: it is no address of {}", question(link, target),
              target.family == Family::Inet ? "this host" : link_name(network, link.index)),
          .evidence = {{.fact = fmt::format("no address {}", target.text()),
                        .where = "addresses",
                        .verify = target.family == Family::Inet
                                      ? std::string("ip -4 address show")
                                      : "ip -6 address show dev " + shell_word(link.name)}}};
}

bool is_proxy(const host::Network& network, const host::Link& link, const IpAddress& target) {
  return std::ranges::any_of(network.neighbours, [&](const host::Neighbour& entry) {
    return (entry.flags & kNeighbourProxy) != 0 && entry.address == target &&
           (entry.link == link.index || entry.link == 0);
  });
}

/// arp_process, of a target that is another's: proxy ARP. medium_id is not among the facts; it is 0
/// everywhere but on hosts with two links to one cable.
bool stands_in(const host::Network& network, const host::Link& link, const RouteIn& route,
               const IpAddress& asker, const IpAddress& target) {
  const host::Ipv4Settings settings = effective4(network, link);
  if (route.to != RouteIn::To::Forward || settings.forwarding == 0) return false;
  if (route.fib.type != kUnicast) return false;
  if (route.fib.link == link.index) return settings.proxy_arp_pvlan != 0 && asker != target;
  return settings.proxy_arp != 0 || is_proxy(network, link, target);
}

std::optional<Cause> answers_arp(World& world, const host::Link& link, const IpAddress& asker,
                                 const IpAddress& target) {
  const host::Network& network = world.network;
  const auto judged = [&world](Cause cause) -> std::optional<Cause> {
    if (world.is_waived(cause.code)) return std::nullopt;
    return cause;
  };
  if ((link.flags & kLinkNoArp) != 0) {
    return judged({.code = "arp-suppressed",
                   .text = question(link, target) + ": the link does no ARP (NOARP)",
                   .evidence = {{.fact = link.name + " has the flag NOARP",
                                 .where = "link",
                                 .verify = "ip link show dev " + shell_word(link.name)}}});
  }
  Flow flow{.family = Family::Inet, .source = asker, .destination = target};
  flow.in = link.index;
  if (asker.is_unspecified()) {
    const std::uint32_t table = vrf_table_of(network, link.index, kTableLocal);
    const Found found = table == kTableLocal ? local_lookup4(world, target)
                                             : table_lookup4(world, table, key_of(flow));
    if (found.error != 0 || found.type != kLocal) return judged(absent(network, link, target));
    if (!ignores(network, link, asker, target)) return std::nullopt;
    return judged(suppressed(network, link, target, "arp_ignore"));
  }
  const RouteIn route = route_input4(world, flow, true);
  if (route.to == RouteIn::To::Local && route.fib.type == kLocal) {
    if (ignores(network, link, asker, target)) {
      return judged(suppressed(network, link, target, "arp_ignore"));
    }
    if (effective4(network, link).arp_filter != 0 && filters(world, link, asker, target)) {
      return judged(suppressed(network, link, target, "arp_filter"));
    }
    return std::nullopt;
  }
  if (stands_in(network, link, route, asker, target)) return std::nullopt;
  const bool foreign = route.to == RouteIn::To::Forward || route.cause.code == "not-local" ||
                       route.cause.code == "forward-no-route";
  if (foreign || route.cause.code.empty()) return judged(absent(network, link, target));
  Cause cause = route.cause;
  cause.text = fmt::format("{}: {}", question(link, target), cause.text);
  return judged(std::move(cause));
}

/// Is it assigned to the link, or to its VRF? ipv6_get_ifaddr.
const host::InterfaceAddress* assigned(const host::Network& network, std::uint32_t link,
                                       const IpAddress& target) {
  const std::uint32_t vrf = vrf_of(network, link);
  for (const std::uint32_t place : {link, vrf}) {
    const auto at = std::ranges::find_if(network.addresses, [&](const auto& own) {
      return own.link == place && place != 0 && own.address == target;
    });
    if (at != network.addresses.end()) return &*at;
  }
  return nullptr;
}

bool is_anycast(const host::Network& network, std::uint32_t link, const IpAddress& target) {
  return address_type(network, target, link) == kAnycast;
}

Cause tentative(const host::Network& network, const host::InterfaceAddress& address) {
  const bool failed = (address.flags & kAddressDadFailed) != 0;
  const std::string link = link_name(network, address.link);
  return {.code = "v6-tentative",
          .text = fmt::format("{} is not in use yet on {}: {}", address.address.text(), link,
                              failed ? "another host has the same address (dadfailed)"
                                     : "whether another host has it is still being checked"),
          .evidence = {{.fact = fmt::format("{} is {}", address.address.text(),
                                            failed ? "dadfailed" : "tentative"),
                        .where = "addresses of " + link,
                        .verify = "ip -6 address show dev " + shell_word(link)}}};
}

std::optional<Cause> answers_solicitation(World& world, const host::Link& link,
                                          const IpAddress& asker, const IpAddress& target) {
  const host::Network& network = world.network;
  const auto judged = [&world](Cause cause) -> std::optional<Cause> {
    if (world.is_waived(cause.code)) return std::nullopt;
    return cause;
  };
  // The question is a packet to a group, and has to get in like any other.
  Flow flow{.family = Family::Inet6, .source = asker, .destination = solicited_group(target)};
  flow.in = link.index;
  flow.protocol = kIcmp6;
  if (target.is_multicast()) return judged(absent(network, link, target));
  const host::InterfaceAddress* address = assigned(network, link.index, target);
  const std::int32_t proxies =
      std::max(network.settings.ipv6_all.proxy_ndp, link.ipv6 ? link.ipv6->proxy_ndp : 0);
  const bool proxy =
      link.ipv6 && link.ipv6->forwarding != 0 && proxies != 0 && is_proxy(network, link, target);
  const bool known = address != nullptr || is_anycast(network, link.index, target) || proxy;
  if (known || !link.ipv6 || link.ipv6->disable_ipv6 != 0) {
    const RouteIn route = route_input6(world, flow);
    if (route.to != RouteIn::To::Local) return judged(route.cause);
  }
  if (address != nullptr) {
    const bool waits =
        (address->flags & kAddressTentative) != 0 && (address->flags & kAddressOptimistic) == 0;
    return waits ? judged(tentative(network, *address)) : std::nullopt;
  }
  return known ? std::nullopt : judged(absent(network, link, target));
}

}  // namespace
}  // namespace hark::reach::fib

namespace hark::reach {

std::optional<Cause> answers_neighbour(World& world, std::uint32_t link, const IpAddress& asker,
                                       const IpAddress& target) {
  const host::Link* device = world.network.link(link);
  if (device == nullptr || device->is_loopback()) return std::nullopt;
  if (const auto missing = fib::missing_facts(world)) {
    if (world.choices.pick(*missing)) return std::nullopt;
    return Cause{.code = "unread", .text = missing->text, .evidence = {}};
  }
  return target.family == Family::Inet ? fib::answers_arp(world, *device, asker, target)
                                       : fib::answers_solicitation(world, *device, asker, target);
}

}  // namespace hark::reach
