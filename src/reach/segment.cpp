#include "reach/segment.h"

#include <algorithm>
#include <set>
#include <utility>

namespace hark::reach {
namespace {

constexpr std::uint32_t kUp = 0x1;           // IFF_UP
constexpr std::uint8_t kForwarding = 3;      // BR_STATE_FORWARDING
constexpr std::size_t kMostStations = 4096;  // a bridge has 1024 ports at most

bool is_up(const host::Link& link) {
  return (link.flags & kUp) != 0 && link.carrier;
}

bool forwards(const host::Link& port) {
  return is_up(port) && port.port_state.value_or(kForwarding) == kForwarding;
}

/// Rules and filters of a bridge that are not modelled, in words.
std::string doubt_of(const host::Network& network, const host::Link& bridge) {
  if (bridge.bridge.vlan_filtering) return bridge.name + " filters by VLAN";
  const bool rules = std::ranges::any_of(network.nft.tables, [](const decode::nft::Table& table) {
    return table.family == decode::nft::TableFamily::Bridge && !table.dormant;
  });
  if (rules) return "rules of family bridge see what passes " + bridge.name;
  return {};
}

class Walk {
 public:
  Walk(Spaces& spaces, Segment& out) : spaces_(spaces), out_(out) {}

  /// A frame leaves `network` by `link`.
  void send(const host::Network& network, const host::Link& link, const Station& way) {
    if (!seen_.emplace(network.netns, link.index).second) return;
    if (!is_up(link)) return;
    if (link.kind == "bridge") return through_bridge(network, link, nullptr, way);
    const auto end = link.kind == "veth" ? spaces_.other_end(network, link) : std::nullopt;
    const host::Network* there = end ? spaces_.outline(end->netns) : nullptr;
    const host::Link* peer = there == nullptr ? nullptr : there->link(end->link);
    if (peer == nullptr || peer->kind != "veth" || peer->peer != link.index) {
      return hide(link);
    }
    if (is_up(*peer)) receive(*there, *peer, way);
  }

 private:
  /// Rules are not in the outline of a namespace.
  std::string doubt_at(const host::Network& network, const host::Link& bridge) {
    const host::Network* whole = spaces_.network(network.netns);
    return doubt_of(whole == nullptr ? network : *whole, bridge);
  }

  void hide(const host::Link& link) {
    out_.open = true;
    if (link.kind != "veth") return;
    out_.unread += (out_.unread.empty() ? "the other end of " : ", of ") + link.name;
  }

  void receive(const host::Network& network, const host::Link& link, Station way) {
    const host::Link* master = link.master == 0 ? nullptr : network.link(link.master);
    if (link.master == 0 || link.slave_kind == "vrf") return arrive(network, link, std::move(way));
    if (master == nullptr || master->kind != "bridge") return hide(link);
    if (!forwards(link)) return;
    way.by.push_back({.at = {network.netns, link.index}, .out = false});
    Station up = way;
    up.doubt = doubt_at(network, *master);
    if (is_up(*master)) arrive(network, *master, std::move(up));
    through_bridge(network, *master, &link, way);
  }

  void arrive(const host::Network& network, const host::Link& link, Station way) {
    if (out_.stations.size() >= kMostStations) return;
    way.at = {network.netns, link.index};
    out_.stations.push_back(std::move(way));
  }

  /// Out of all ports but the one by which it came.
  void through_bridge(const host::Network& network, const host::Link& bridge,
                      const host::Link* from, const Station& way) {
    seen_.emplace(network.netns, bridge.index);
    for (const host::Link& port : network.links) {
      if (port.master != bridge.index || &port == from || !forwards(port)) continue;
      Station next = way;
      if (next.doubt.empty()) next.doubt = doubt_at(network, bridge);
      next.by.push_back({.at = {network.netns, port.index}, .out = true});
      send(network, port, next);
    }
  }

  Spaces& spaces_;
  Segment& out_;
  std::set<std::pair<host::NetnsId, std::uint32_t>> seen_;
};

/// Does it answer for more than its own addresses: as a proxy, or by local routes to prefixes?
bool speaks_for_others(const host::Network& network) {
  constexpr std::uint8_t kLocal = 2;     // RTN_LOCAL
  constexpr std::uint8_t kProxy = 0x08;  // NTF_PROXY
  const auto proxies = [](const host::Ipv4Settings& settings) {
    return settings.proxy_arp != 0 || settings.proxy_arp_pvlan != 0;
  };
  if (proxies(network.settings.ipv4_all)) return true;
  if (std::ranges::any_of(network.links, [&](const host::Link& link) {
        return link.ipv4 && proxies(*link.ipv4);
      })) {
    return true;
  }
  if (std::ranges::any_of(network.neighbours, [](const host::Neighbour& entry) {
        return (entry.flags & kProxy) != 0;
      })) {
    return true;
  }
  return std::ranges::any_of(network.routes, [&](const host::Route& route) {
    if (route.type != kLocal || route.destination.address.is_loopback()) return false;
    return std::ranges::none_of(network.addresses, [&](const host::InterfaceAddress& own) {
      return own.address == route.destination.address;
    });
  });
}

void index(Spaces& spaces, Segment& out) {
  for (std::size_t i = 0; i < out.stations.size(); ++i) {
    const host::Network* network = spaces.outline(out.stations[i].at.netns);
    if (network == nullptr) continue;
    for (const host::InterfaceAddress& own : network->addresses) {
      std::vector<std::size_t>& owners = out.owners[own.address];
      if (owners.empty() || owners.back() != i) owners.push_back(i);
    }
    if (speaks_for_others(*network)) out.proxies.push_back(i);
  }
}

}  // namespace

Segment segment_behind(Spaces& spaces, const host::Network& from, std::uint32_t link) {
  Segment out;
  const host::Link* first = from.link(link);
  if (first != nullptr) Walk(spaces, out).send(from, *first, {});
  index(spaces, out);
  return out;
}

}  // namespace hark::reach
