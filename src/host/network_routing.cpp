// Links, addresses, routes, rules and neighbours: rtnetlink tells them to anybody.
#include <algorithm>
#include <cerrno>

#include "decode/link_facts.h"
#include "decode/route_messages.h"
#include "decode/rtnetlink.h"
#include "host/network_reader.h"

namespace hark::host {
namespace {

constexpr std::array<Family, 2> kFamilies = {Family::Inet, Family::Inet6};

const char* name_of_family(Family family) {
  return family == Family::Inet ? "IPv4" : "IPv6";
}

/// Asks and decodes; an error of either is noted as a fact that is missing.
template <typename Records>
std::optional<Records> read(const NetworkReading& reading, NetworkFact fact,
                            const std::string& what, const Bytes& request,
                            Result<Records> (*decode)(ByteView)) {
  const auto answer = reading.ask(kNetlinkRoute, request);
  auto records = answer ? decode(*answer) : Result<Records>(fail(answer.error()));
  if (records) return std::move(*records);
  note_unread(reading, fact, what, records.error());
  return std::nullopt;
}

std::string words_of_xdp(std::uint8_t mode) {
  // XDP_ATTACHED_* of linux/if_link.h
  constexpr std::array<const char*, 4> kModes = {"", "in the driver", "generic", "in the hardware"};
  return mode < kModes.size() ? kModes[mode] : "";
}

Link link_of(decode::LinkFacts&& facts) {
  Link link;
  link.index = facts.index;
  link.flags = facts.flags;
  link.type = facts.type;
  link.mtu = facts.mtu;
  link.group = facts.group;
  link.master = facts.master;
  link.carrier = facts.carrier;
  link.operstate = facts.operstate;
  link.port_state = facts.port_state;
  link.bond_state = facts.bond_state;
  link.vrf_table = facts.vrf_table;
  link.vlan_id = facts.vlan_id;
  link.vlan_protocol = facts.vlan_protocol;
  link.bridge = facts.bridge;
  link.port = facts.port;
  link.stacked = facts.stacked;
  link.peer = facts.peer;
  link.peer_netns = facts.peer_netns;
  link.ipv4 = ipv4_settings_of(facts);
  link.ipv6 = ipv6_settings_of(facts);
  for (const decode::XdpProgram& program : facts.xdp) {
    link.programs.push_back({.where = "xdp",
                             .kind = "bpf",
                             .id = program.id,
                             .name = {},
                             .detail = words_of_xdp(program.mode),
                             .harmless = false});
  }
  link.name = std::move(facts.name);
  link.kind = std::move(facts.kind);
  link.slave_kind = std::move(facts.slave_kind);
  link.mac = std::move(facts.mac);
  return link;
}

/// A kernel without policy routing has two tables, in this order, and nothing to say about them
/// (fib_lookup of net/ip_fib.h without CONFIG_IP_MULTIPLE_TABLES).
void add_implied_rules(Family family, std::vector<PolicyRule>& rules) {
  constexpr std::uint8_t kToTable = 1;  // FR_ACT_TO_TBL
  constexpr std::uint32_t kLocal = 255;
  constexpr std::uint32_t kMain = 254;
  constexpr std::uint32_t kBeforeLast = 32766;
  for (const auto& [priority, table] : {std::pair(0U, kLocal), std::pair(kBeforeLast, kMain)}) {
    PolicyRule rule;
    rule.family = family;
    rule.priority = priority;
    rule.action = kToTable;
    rule.table = table;
    rules.push_back(std::move(rule));
  }
}

void read_rules(const NetworkReading& reading, Family family) {
  std::vector<PolicyRule>& rules = reading.network.rules;
  const auto answer = reading.ask(kNetlinkRoute, decode::policy_rules_request(family));
  auto read = answer ? decode::decode_policy_rules(*answer)
                     : Result<std::vector<PolicyRule>>(fail(answer.error()));
  if (!read && (read.error().code == EAFNOSUPPORT || read.error().code == EOPNOTSUPP)) {
    add_implied_rules(family, rules);
  } else if (!read) {
    note_unread(reading, NetworkFact::Rules, std::string(name_of_family(family)) + " rules",
                read.error());
  } else {
    for (PolicyRule& rule : *read) {
      if (rule.family == family) rules.push_back(std::move(rule));
    }
  }
}

void read_routes(const NetworkReading& reading, Family family) {
  auto routes = read(reading, NetworkFact::Routes, std::string(name_of_family(family)) + " routes",
                     decode::routes_request(family), decode::decode_routes);
  if (!routes) return;
  // A kernel without IPv6 answers for all families that it has (rtnl_dump_all).
  std::erase_if(*routes, [family](const Route& route) { return route.family != family; });
  std::vector<Route>& all = reading.network.routes;
  if (all.empty()) {
    all = std::move(*routes);
  } else {
    all.reserve(all.size() + routes->size());
    std::ranges::move(*routes, std::back_inserter(all));
  }
}

}  // namespace

void read_links(const NetworkReading& reading) {
  auto facts = read(reading, NetworkFact::Links, "interfaces", decode::links_request(),
                    decode::decode_link_facts);
  if (!facts) return;
  std::vector<Link>& links = reading.network.links;
  for (decode::LinkFacts& one : *facts) links.push_back(link_of(std::move(one)));
  std::ranges::stable_sort(links, {}, &Link::index);
}

// The kernel checks the source of a packet fully only where somebody added a rule or a local route
// (fib_has_custom_rules and fib_has_custom_local_routes, which it never takes back), or wants a
// filter: fib_validate_source of net/ipv4/fib_frontend.c. A subnet's broadcast address as a source
// is what the full check refuses and the short one does not, so it is asked about that.
void read_rule_history(const NetworkReading& reading) {
  constexpr std::uint32_t kUp = 0x1;
  constexpr std::uint32_t kLocalTable = 255;
  constexpr std::uint8_t kBroadcast = 3;  // RTN_BROADCAST
  Network& network = reading.network;
  const Ipv4Settings& all = network.settings.ipv4_all;
  for (const Route& route : network.routes) {
    if (route.family != Family::Inet || route.type != kBroadcast || route.table != kLocalTable ||
        route.hops.size() != 1 || route.destination.length != route.destination.address.bits()) {
      continue;
    }
    const Link* link = network.link(route.hops.front().link);
    if (link == nullptr || (link->flags & kUp) == 0 || link->is_loopback() || link->master != 0 ||
        !link->ipv4 || std::max(link->ipv4->rp_filter, all.rp_filter) != 0 ||
        link->ipv4->accept_local != 0 || all.accept_local != 0) {
      continue;
    }
    const auto own = std::ranges::find_if(network.addresses, [&](const InterfaceAddress& one) {
      return one.link == link->index && one.address.family == Family::Inet;
    });
    if (own == network.addresses.end()) continue;
    const auto answer = reading.ask(
        kNetlinkRoute,
        decode::input_route_request(route.destination.address, own->address, link->index));
    if (!answer && answer.error().code != EINVAL) continue;
    network.rules_never_changed = answer.has_value();
    return;
  }
}

void read_addresses(const NetworkReading& reading) {
  auto addresses = read(reading, NetworkFact::Addresses, "addresses", decode::addresses_request(),
                        decode::decode_addresses);
  if (addresses) reading.network.addresses = std::move(*addresses);
}

void read_routing(const NetworkReading& reading) {
  Network& network = reading.network;
  read_addresses(reading);
  for (const Family family : kFamilies) {
    read_rules(reading, family);
    read_routes(reading, family);
  }
  if (decode::needs_nexthops(network.routes)) {
    auto objects = read(reading, NetworkFact::Routes, "nexthop objects", decode::nexthops_request(),
                        decode::decode_nexthops);
    if (objects) decode::resolve_nexthops(network.routes, std::move(*objects));
  }
  for (const Bytes& request : {decode::neighbours_request(), decode::proxy_neighbours_request()}) {
    auto neighbours =
        read(reading, NetworkFact::Neighbours, "neighbours", request, decode::decode_neighbours);
    if (neighbours) std::ranges::move(*neighbours, std::back_inserter(network.neighbours));
  }
}

}  // namespace hark::host
