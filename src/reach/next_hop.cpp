// The choice among the hops of one route, and among equal default routes. The kernel takes them by
// a hash over the packet with a key of its own, so that it cannot be foretold.
// fib_select_path of net/ipv4/fib_semantics.c, fib6_select_path of net/ipv6/route.c.
#include <algorithm>

#include "reach/fib.h"
#include "reach/routing_index.h"

namespace hark::reach::fib {
namespace {

/// A route and one of its hops.
struct Way {
  const host::Route* route = nullptr;
  const host::NextHop* hop = nullptr;
};

/// Do all lead to the same? Then nothing has to be chosen.
bool all_same(const std::vector<Way>& ways) {
  return std::ranges::all_of(ways, [&ways](const Way& way) {
    return way.hop->link == ways.front().hop->link &&
           way.hop->gateway == ways.front().hop->gateway &&
           way.route->preferred_source == ways.front().route->preferred_source;
  });
}

/// fib_rebalance: a hop that cannot be used gets no share.
std::vector<Way> live_hops(const World& world, const Key& key, const Found& found) {
  std::vector<Way> out;
  for (const host::NextHop& hop : hops_of(*found.route)) {
    if (!is_usable(world.network, *found.route, hop, false)) continue;
    if (key.strict && key.near_link != 0 && hop.link != key.near_link) continue;
    out.push_back({found.route, &hop});
  }
  return out;
}

/// fib_select_default: default routes that differ in their gateway alone take turns as their
/// gateways answer or not.
std::vector<Way> equal_defaults(const World& world, const Key& key, const Found& found) {
  const host::Route& chosen = *found.route;
  const auto is_equal = [&chosen](const host::Route& route) {
    return route.destination.length == 0 && route.type == kUnicast && route.tos == chosen.tos &&
           route.metric == chosen.metric && route.scope == chosen.scope &&
           hops_of(route).front().gateway;
  };
  std::vector<Way> out;
  if (chosen.type != kUnicast || chosen.destination.length != 0 || !is_equal(chosen)) return out;
  for (const host::Route* route :
       matching_routes(world.network, world.routes, chosen.table, key.destination)) {
    if (is_equal(*route)) out.push_back({route, &hops_of(*route).front()});
  }
  return out;
}

}  // namespace

void select_hop(World& world, const Key& key, Found& found) {
  if (found.error != 0 || found.route == nullptr) return;
  const bool v4 = key.family() == Family::Inet;
  // With a link asked for, the hop that lies there was found already; of IPv6 for packets made
  // here only.
  if (v4 ? key.out != 0 : key.in == kLo && found.near_match) return;
  std::vector<Way> ways = live_hops(world, key, found);
  if (v4 && ways.size() < 2) ways = equal_defaults(world, key, found);
  if (ways.size() < 2 || all_same(ways)) return;
  const unsigned way =
      world.choices.pick({.code = "multipath",
                          .text = "which next hop of " + words_of(world.network, *found.route) +
                                  " the kernel's hash over the packet picks",
                          .key = "multipath " + words_of(world.network, *found.route) + " to " +
                                 key.destination.text() + " from " + key.source.text(),
                          .doubt = Doubt::Chance},
                         static_cast<unsigned>(ways.size()));
  found.route = ways[way].route;
  found.hop = ways[way].hop;
}

}  // namespace hark::reach::fib
