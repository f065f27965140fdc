#include "reach/fib.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "reach/routing_index.h"

namespace hark::reach::fib {
namespace {

/// IPTOS_RT_MASK: of a route of IPv4 only these bits of the TOS are compared.
constexpr unsigned kLegacyTos = 0x1c;

using Routes = std::vector<const host::Route*>;

bool is_waived_refusal(const World& world, int error) {
  return error != 0 && error != EAGAIN && world.is_waived(refusal_code(error));
}

/// fib_lookup_good_nhc and nexthop_get_nhc_lookup
const host::NextHop* first_usable(const World& world, const host::Route& route, const Key& key) {
  for (const host::NextHop& hop : hops_of(route)) {
    if (!is_usable(world.network, route, hop, key.ignore_linkstate)) continue;
    if (key.out != 0 && key.out != hop.link) continue;
    return &hop;
  }
  return nullptr;
}

/// fib_table_lookup: `routes` match, the longest prefix first. A route that refuses and is waived
/// is passed over as if it had been deleted.
Found choose4(const World& world, const Routes& routes, const Key& key) {
  for (const host::Route* route : routes) {
    if (route->tos != 0 && route->tos != (key.tos & kLegacyTos)) continue;
    const int error = error_of_route(route->type);
    if (is_waived_refusal(world, error)) continue;
    if (error != 0) return {.error = error, .type = route->type, .route = route};
    if (const host::NextHop* hop = first_usable(world, *route, key)) {
      return {.type = route->type, .route = route, .hop = hop};
    }
  }
  return {.error = EAGAIN};
}

/// fib_find_alias: routes of one prefix by table (local before main), TOS, metric.
void sort4(Routes& routes) {
  const auto before = [](const host::Route* a, const host::Route* b) {
    if (a->destination.length != b->destination.length) {
      return a->destination.length > b->destination.length;
    }
    if (a->table != b->table) return a->table > b->table;
    if (a->tos != b->tos) return a->tos > b->tos;
    return a->metric < b->metric;
  };
  // Most are in order as they come, and sorting asks for memory.
  if (!std::ranges::is_sorted(routes, before)) std::ranges::stable_sort(routes, before);
}

}  // namespace

Found table_lookup4(World& world, std::uint32_t table, const Key& key) {
  Routes routes = matching_routes(world.network, world.routes, table, key.destination);
  sort4(routes);
  return choose4(world, routes, key);
}

Found merged_lookup4(World& world, const Key& key) {
  Routes routes = matching_routes(world.network, world.routes, kTableLocal, key.destination);
  const Routes main = matching_routes(world.network, world.routes, kTableMain, key.destination);
  routes.insert(routes.end(), main.begin(), main.end());
  sort4(routes);
  return choose4(world, routes, key);
}

bool is_usable(const host::Network& network, const host::Route& route, const host::NextHop& hop,
               bool ignore_linkstate) {
  // Of a route with one way the kernel tells its flags with the route's.
  std::uint32_t flags = hop.flags;
  if (route.hops.size() < 2) flags |= route.flags & (kHopDead | kHopLinkDown);
  // A link that is down has no other routes than local ones, and those hold: fib_sync_down_dev.
  const host::Link* link = network.link(hop.link);
  const bool v6 = route.family == Family::Inet6;
  const bool ignores =
      link != nullptr && (v6 ? link->ipv6 && link->ipv6->ignore_routes_with_linkdown != 0
                             : effective4(network, *link).ignore_routes_with_linkdown != 0);
  const bool down = (flags & kHopLinkDown) != 0;
  // fib_nexthop_info tells a hop that is only passed over for its link's state as dead.
  if ((flags & kHopDead) != 0 && !(down && ignores)) return false;
  return !(down && ignores) || ignore_linkstate;
}

std::span<const host::NextHop> hops_of(const host::Route& route) {
  static constexpr std::array<host::NextHop, 1> kNone = {};
  if (route.hops.empty()) return kNone;
  return route.hops;
}

int error_of_route(std::uint8_t type) {
  switch (type) {
    case kBlackhole:
      return EINVAL;
    case kUnreachable:
      return EHOSTUNREACH;
    case kProhibit:
      return EACCES;
    case kThrow:
      return EAGAIN;
    default:
      return type > kThrow ? EINVAL : 0;
  }
}

int error_of_rule(std::uint8_t action) {
  switch (action) {
    case kToTable:
    case kGoto:
    case kNop:
      return 0;
    case kRuleUnreachable:
      return ENETUNREACH;
    case kRuleProhibit:
      return EACCES;
    default:
      return EINVAL;
  }
}

std::string_view refusal_code(int error) {
  switch (error) {
    case ENETUNREACH:
    case EHOSTUNREACH:
      return "rule-unreachable";
    case EACCES:
      return "rule-prohibit";
    case EINVAL:
      return "rule-blackhole";
    default:
      return {};
  }
}

host::Ipv4Settings effective4(const host::Network& network, const host::Link& link) {
  const host::Ipv4Settings& all = network.settings.ipv4_all;
  host::Ipv4Settings out = link.ipv4.value_or(host::Ipv4Settings{});
  // Forwarding is of the link alone, bc_forwarding must be set in both, of the others the greater
  // counts (of those that are 0 or 1 that is IN_DEV_ORCONF).
  out.rp_filter = std::max(out.rp_filter, all.rp_filter);
  out.accept_local = std::max(out.accept_local, all.accept_local);
  out.route_localnet = std::max(out.route_localnet, all.route_localnet);
  out.src_valid_mark = std::max(out.src_valid_mark, all.src_valid_mark);
  out.arp_ignore = std::max(out.arp_ignore, all.arp_ignore);
  out.arp_filter = std::max(out.arp_filter, all.arp_filter);
  out.arp_accept = std::max(out.arp_accept, all.arp_accept);
  out.proxy_arp = std::max(out.proxy_arp, all.proxy_arp);
  out.proxy_arp_pvlan = std::max(out.proxy_arp_pvlan, all.proxy_arp_pvlan);
  out.bc_forwarding = std::min(out.bc_forwarding, all.bc_forwarding);
  out.ignore_routes_with_linkdown =
      std::max(out.ignore_routes_with_linkdown, all.ignore_routes_with_linkdown);
  out.drop_unicast_in_l2_multicast =
      std::max(out.drop_unicast_in_l2_multicast, all.drop_unicast_in_l2_multicast);
  return out;
}

FibResult result_of(const Found& found) {
  FibResult out{.route = found.route, .rule = found.rule, .from_rule = found.from_rule};
  out.type = found.type;
  if (found.hop != nullptr) {
    out.link = found.hop->link;
    out.gateway = found.hop->gateway;
  }
  return out;
}

Key key_of(const Flow& flow) {
  Key key{.source = flow.source, .destination = flow.destination};
  key.has_source = flow.in != 0 || flow.source_given;
  if (!key.has_source) key.source = IpAddress{.family = flow.destination.family};
  key.in = flow.in != 0 ? flow.in : kLo;
  key.out = flow.out;
  key.mark = flow.mark;
  key.uid = flow.uid;
  key.tos = flow.tos;
  key.protocol = flow.protocol;
  key.source_port = flow.source_port;
  key.destination_port = flow.destination_port;
  return key;
}

}  // namespace hark::reach::fib
