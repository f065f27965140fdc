#include "reach/routing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "reach/fib.h"
#include "reach/routing_index.h"

namespace hark::reach {
namespace fib {

std::optional<Condition> missing_facts(const World& world) {
  using host::NetworkFact;
  constexpr std::array kNeeded = {NetworkFact::Links, NetworkFact::Addresses, NetworkFact::Routes,
                                  NetworkFact::Rules, NetworkFact::Settings};
  for (const auto& [fact, gap] : world.network.unread) {
    if (std::ranges::find(kNeeded, fact) == kNeeded.end()) continue;
    return Condition{
        .code = gap.code, .text = gap.what, .key = "routing " + gap.code, .doubt = Doubt::Unread};
  }
  return std::nullopt;
}

}  // namespace fib

RouteIn route_input(World& world, const Flow& flow) {
  if (const auto missing = fib::missing_facts(world)) {
    RouteIn out;
    out.to = world.choices.pick(*missing) ? RouteIn::To::Local : RouteIn::To::Drop;
    out.fib.type = fib::kLocal;
    if (out.to == RouteIn::To::Drop)
      out.cause = {.code = "unread", .text = missing->text, .evidence = {}};
    return out;
  }
  return flow.family == Family::Inet ? fib::route_input4(world, flow, false)
                                     : fib::route_input6(world, flow);
}

std::optional<Cause> refused_on_entry(World& world, const Flow& flow) {
  if (flow.family != Family::Inet6 || flow.in == 0) return std::nullopt;
  return fib::refused_on_entry6(world, flow);
}

RouteOut route_output(World& world, const Flow& flow) {
  if (const auto missing = fib::missing_facts(world)) {
    RouteOut out;
    out.source = flow.source;
    out.ok = world.choices.pick(*missing);
    if (out.ok) return out;
    out.error = ENETUNREACH;
    out.cause = {.code = "unread", .text = missing->text, .evidence = {}};
    return out;
  }
  return flow.family == Family::Inet ? fib::route_output4(world, flow)
                                     : fib::route_output6(world, flow);
}

FibResult fib_lookup(World& world, const Flow& flow) {
  fib::Key key = fib::key_of(flow);
  key.near_link = flow.in != 0 ? flow.in : flow.out;
  key.strict = flow.family == Family::Inet6 &&
               ((flow.in == 0 && flow.out != 0) || fib::needs_link6(flow.destination));
  fib::Found found = fib::lookup(world, key);
  fib::select_hop(world, key, found);
  return fib::result_of(found);
}

std::uint8_t address_type(const host::Network& network, const IpAddress& address,
                          std::uint32_t link, const RoutingIndex* index) {
  if (address.is_multicast()) return fib::kMulticast;
  const bool v4 = address.family == Family::Inet;
  const IpAddress limited{.bytes = {255, 255, 255, 255}};
  if (v4 && (address.is_unspecified() || address == limited)) return fib::kBroadcast;
  const std::uint32_t table = fib::vrf_table_of(network, link, fib::kTableLocal);
  for (const host::Route* route : matching_routes(network, index, table, address)) {
    if (fib::error_of_route(route->type) != 0) break;
    const bool here = link == 0 || fib::hops_of(*route).front().link == link;
    // inet_dev_addr_type asks what the first match is; of IPv6 each link has routes of its own.
    if (here) return route->type;
    if (v4) break;
  }
  return fib::kUnicast;
}

bool is_own_address(const host::Network& network, const IpAddress& address,
                    const RoutingIndex* index) {
  return address_type(network, address, 0, index) == fib::kLocal;
}

bool on_link(const host::Network& network, std::uint32_t link, const IpAddress& address) {
  return std::ranges::any_of(network.addresses, [&](const host::InterfaceAddress& own) {
    return own.link == link && own.subnet.contains(address);
  });
}

}  // namespace hark::reach
