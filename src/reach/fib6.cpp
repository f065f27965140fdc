// Tables of IPv6, which differ from those of IPv4 in all but their idea: nodes by destination and,
// below them, by source; among the routes of a node the best score wins, not the first; gateways
// that do not answer are avoided.
//
// net/ipv6/ip6_fib.c (fib6_node_lookup_1), net/ipv6/route.c (fib6_backtrack, fib6_table_lookup,
// rt6_select, find_rr_leaf, rt6_score_route).
#include <algorithm>
#include <cerrno>

#include "reach/fib.h"
#include "reach/routing_index.h"

namespace hark::reach::fib {
namespace {

using Routes = std::vector<const host::Route*>;

/// The routes of one destination (and one source), by metric.
struct Node {
  unsigned destination_length = 0;
  unsigned source_length = 0;
  Routes routes;
};

unsigned source_length(const host::Route& route) {
  return route.source ? route.source->length : 0;
}

bool source_fits(const host::Route& route, const Key& key) {
  return source_length(route) == 0 || route.source->contains(key.source);
}

/// Every node that could answer, in the order in which fib6_backtrack comes to them.
std::vector<Node> nodes_of(const Routes& matching, const Key& key) {
  std::vector<Node> out;
  for (const host::Route* route : matching) {
    if (!source_fits(*route, key)) continue;
    const auto same = std::ranges::find_if(out, [route](const Node& node) {
      return node.destination_length == route->destination.length &&
             node.source_length == source_length(*route);
    });
    if (same != out.end()) {
      same->routes.push_back(route);
    } else {
      out.push_back({route->destination.length, source_length(*route), {route}});
    }
  }
  std::ranges::stable_sort(out, [](const Node& a, const Node& b) {
    if (a.destination_length != b.destination_length) {
      return a.destination_length > b.destination_length;
    }
    return a.source_length > b.source_length;
  });
  for (Node& node : out) std::ranges::stable_sort(node.routes, {}, &host::Route::metric);
  return out;
}

/// fib6_node_lookup_1 begins at the longest destination, but passes over one that has routes for
/// certain sources, none of which is this one: there the routes for all sources are not looked at,
/// unless the destination is ::/0.
std::size_t first_node(const std::vector<Node>& nodes, const Routes& matching) {
  const auto has_sources = [&matching](unsigned length) {
    return std::ranges::any_of(matching, [length](const host::Route* route) {
      return route->destination.length == length && source_length(*route) != 0;
    });
  };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if (node.source_length != 0 || node.destination_length == 0) return i;
    const bool reached_by_source =
        i > 0 && nodes[i - 1].destination_length == node.destination_length;
    if (reached_by_source || !has_sources(node.destination_length)) return i;
  }
  return nodes.size();
}

/// rt6_check_neigh, of a kernel built with CONFIG_IPV6_ROUTER_PREF, as all distributions' are.
bool gateway_failed(const host::Network& network, const host::NextHop& hop) {
  if (!hop.gateway) return false;
  const auto entry = std::ranges::find_if(network.neighbours, [&hop](const auto& neighbour) {
    return neighbour.link == hop.link && neighbour.address == *hop.gateway;
  });
  return entry != network.neighbours.end() && (entry->state & kNeighbourFailed) != 0;
}

/// A route of a node and one of its hops: the kernel keeps each hop as a route of its own.
struct Candidate {
  const host::Route* route = nullptr;
  const host::NextHop* hop = nullptr;
  int score = -1;
};

/// rt6_score_route; below 0: it does not come into question.
int score_of(const World& world, const host::Route& route, const host::NextHop& hop, const Key& key,
             bool reachable) {
  if (!is_usable(world.network, route, hop, key.ignore_linkstate)) return -1;
  const bool near = key.near_link == 0 || hop.link == key.near_link;
  if (!near && key.strict) return -1;
  if (reachable && gateway_failed(world.network, hop)) return -1;
  // IPV6_DECODE_PREF: what a router says of itself, medium being 0 on the wire.
  const int preference = (route.preference & 3U) ^ 2U;
  return (near ? 2 : 0) | preference << 2;
}

/// find_rr_leaf: the best of the lowest metric; if none of that can be used, the best of all
/// others, whatever their metrics. (Round-robin among routers begins at one that is not known: it
/// only happens where the kernel was built without CONFIG_IPV6_ROUTER_PREF.)
Candidate select(const World& world, const Routes& routes, const Key& key, bool reachable) {
  Candidate best;
  for (const host::Route* route : routes) {
    if (best.route != nullptr && routes.front()->metric == best.route->metric &&
        route->metric != best.route->metric) {
      break;
    }
    const int error = error_of_route(route->type);
    if (error != 0 && error != EAGAIN && world.is_waived(refusal_code(error))) continue;
    for (const host::NextHop& hop : hops_of(*route)) {
      const int score = score_of(world, *route, hop, key, reachable);
      if (score > best.score) best = {route, &hop, score};
    }
  }
  return best;
}

}  // namespace

Found table_lookup6(World& world, std::uint32_t table, const Key& key) {
  const Routes matching = matching_routes(world.network, world.routes, table, key.destination);
  const std::vector<Node> nodes = nodes_of(matching, key);
  const std::size_t first = first_node(nodes, matching);
  // A host, other than a router, prefers gateways that answer: ip6_pol_route.
  const bool host_only = world.network.settings.ipv6_all.forwarding == 0;
  for (const bool reachable : {true, false}) {
    if (reachable && !host_only) continue;
    for (std::size_t i = first; i < nodes.size(); ++i) {
      const Candidate best = select(world, nodes[i].routes, key, reachable);
      if (best.route == nullptr) continue;
      return {.error = error_of_route(best.route->type),
              .type = best.route->type,
              .route = best.route,
              .hop = best.hop,
              .near_match = best.hop->link == key.near_link};
    }
  }
  return {.error = EAGAIN};
}

}  // namespace hark::reach::fib
