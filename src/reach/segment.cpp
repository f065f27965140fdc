#include "reach/segment.h"

#include <algorithm>
#include <set>
#include <utility>

namespace hark::reach {
namespace {

constexpr std::uint32_t kUp = 0x1;           // IFF_UP
constexpr std::uint8_t kForwarding = 3;      // BR_STATE_FORWARDING
constexpr std::uint32_t kIpvlanL2 = 0;       // IPVLAN_MODE_L2
constexpr std::uint8_t kBackup = 1;          // BOND_STATE_BACKUP
constexpr std::size_t kMostStations = 4096;  // a bridge has 1024 ports at most

bool is_up(const host::Link& link) {
  return (link.flags & kUp) != 0 && link.carrier;
}

bool forwards(const host::Link& port) {
  return is_up(port) && port.port_state.value_or(kForwarding) == kForwarding;
}

/// A link of a bond that does not carry: what it sends goes by another, and what it hears is
/// dropped.
bool is_backup(const host::Link& slave) {
  return slave.bond_state == kBackup;
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

/// MACVLAN_MODE_* of linux/if_link.h
enum class Macvlan : std::uint32_t { Private = 1, Vepa = 2, Bridge = 4, Passthru = 8 };

bool is_in(const host::Link& macvlan, Macvlan mode) {
  return macvlan.stacked.mode == static_cast<std::uint32_t>(mode);
}

/// A link and the namespace that it is in.
struct Place {
  const host::Network* network = nullptr;
  const host::Link* link = nullptr;
  [[nodiscard]] host::LinkEnd end() const { return {network->netns, link->index}; }
};

/// A tag of a VLAN: its protocol and number.
using Tag = std::pair<std::uint16_t, std::uint16_t>;

/// A frame on its way.
struct Frame {
  Station way = {};
  std::vector<Tag> tags = {};  ///< the last one is the outermost
  /// The macvlan by which it was sent, and the link that that stands on.
  std::optional<host::LinkEnd> lower = {};
  const host::Link* sender = nullptr;

  void pass(const Place& at, bool out) { way.by.push_back({.at = at.end(), .out = out}); }
};

class Walk {
 public:
  Walk(Spaces& spaces, Segment& out, const host::LinkEnd& from)
      : spaces_(spaces), out_(out), from_(from) {}

  /// A frame leaves by `at`.
  void send(const Place& at, Frame frame) {
    const host::Link& link = *at.link;
    if (!seen_.emplace(at.end(), frame.tags).second || !is_up(link)) return;
    if (link.kind == "bridge") return through_bridge(at, nullptr, frame);
    if (link.kind == "veth") return to_peer(at, frame);
    if (link.kind == "vlan") {
      frame.tags.emplace_back(link.vlan_protocol, link.vlan_id);
      return to_lower(at, std::move(frame));
    }
    if (link.kind == "macvlan") return from_macvlan(at, std::move(frame));
    if (link.kind == "ipvlan") return from_ipvlan(at, std::move(frame));
    if (link.kind == "bond") return from_bond(at, frame);
    hide();
  }

 private:
  /// Rules are not in the outline of a namespace.
  std::string doubt_at(const Place& bridge) {
    const host::Network* whole = spaces_.network(bridge.network->netns);
    return doubt_of(whole == nullptr ? *bridge.network : *whole, *bridge.link);
  }

  void hide() { out_.open = true; }
  /// The namespace of `what` cannot be read.
  void hide(const std::string& what) {
    out_.open = true;
    out_.unread += (out_.unread.empty() ? "" : ", ") + what;
  }

  /// What a pair or what stands on another link has at its other side.
  Place other_end(const Place& at) {
    const auto end = spaces_.other_end(*at.network, *at.link);
    const host::Network* network = end ? spaces_.outline(end->netns) : nullptr;
    return {network, network == nullptr ? nullptr : network->link(end->link)};
  }

  void to_peer(const Place& at, const Frame& frame) {
    const Place peer = other_end(at);
    const bool pair =
        peer.link != nullptr && peer.link->kind == "veth" && peer.link->peer == at.link->index;
    // "the other end of vweb, of vdb"
    const bool another = out_.unread.starts_with("the other end of ");
    if (!pair) return hide((another ? "of " : "the other end of ") + at.link->name);
    receive(peer, frame);
  }

  /// Of what stands on another link, out by that one.
  void to_lower(const Place& at, Frame frame) {
    const Place lower = other_end(at);
    if (lower.link == nullptr) return hide("what " + at.link->name + " stands on");
    frame.pass(lower, true);
    send(lower, std::move(frame));
  }

  std::vector<Place> standing_on(const Place& lower) {
    std::vector<Place> out;
    for (const host::LinkEnd& one : spaces_.standing_on(lower.end())) {
      const host::Network* network = spaces_.outline(one.netns);
      const host::Link* link = network == nullptr ? nullptr : network->link(one.link);
      if (link != nullptr) out.push_back({network, link});
    }
    return out;
  }

  /// macvlan_queue_xmit(): those in bridge mode hand frames to each other, and what is for
  /// everybody goes out as well. None of it comes to the link below them.
  void from_macvlan(const Place& at, Frame frame) {
    const Place lower = other_end(at);
    if (lower.link == nullptr) return hide("what " + at.link->name + " stands on");
    if (is_in(*at.link, Macvlan::Bridge)) {
      for (const Place& one : standing_on(lower)) {
        if (one.end() != at.end() && is_in(*one.link, Macvlan::Bridge)) receive(one, frame);
      }
    }
    frame.lower = lower.end();
    frame.sender = at.link;
    to_lower(at, std::move(frame));
  }

  /// ipvlan_xmit_mode_l2(). In the other modes the namespace below routes what comes up from it.
  void from_ipvlan(const Place& at, Frame frame) {
    const Place lower = other_end(at);
    if (lower.link == nullptr) return hide("what " + at.link->name + " stands on");
    if (at.link->stacked.mode != kIpvlanL2) return hide();
    if (at.link->stacked.flags == 0) {
      for (const Place& one : standing_on(lower)) {
        if (one.link->kind == "ipvlan" && one.end() != at.end()) receive(one, frame);
      }
    }
    to_lower(at, std::move(frame));
  }

  /// bond_start_xmit(): where several links are active, a hash or a turn picks among them.
  void from_bond(const Place& at, const Frame& frame) {
    std::vector<Segment> ways;
    for (const host::Link& slave : at.network->links) {
      if (slave.master != at.link->index || !is_up(slave) || is_backup(slave)) continue;
      Walk walk(spaces_, ways.emplace_back(), from_);
      walk.seen_ = seen_;
      Frame by = frame;
      by.pass({at.network, &slave}, true);
      walk.send({at.network, &slave}, std::move(by));
    }
    for (Segment& way : ways) {
      out_.open = out_.open || way.open;
      out_.diverted.merge(way.diverted);
      if (out_.unread.empty()) out_.unread = way.unread;
      for (Station& station : way.stations) {
        const bool always = std::ranges::all_of(ways, [&](const Segment& other) {
          return std::ranges::find(other.stations, station.at, &Station::at) !=
                 other.stations.end();
        });
        if (!always && station.doubt.empty()) {
          station.doubt = at.link->name + " may send it by another of its links";
        }
        add(station);
      }
    }
  }

  /// __netif_receive_skb_core(): first the VLANs, then who stands on the link, then its master.
  void receive(const Place& at, const Frame& frame) {
    const host::Link& link = *at.link;
    if (!is_up(link)) return;
    if (link.kind == "macvtap" || link.kind == "ipvtap") return hide();
    if (comes_home(at, frame)) return;
    Frame inside = frame;
    inside.pass(at, false);
    inside.lower.reset();
    bool taken = false;
    const std::vector<Place> above = standing_on(at);
    for (const Place& one : above) {
      if (inside.tags.empty() || one.link->kind != "vlan") continue;
      if (inside.tags.back() != tag_of(*one.link)) continue;
      inside.tags.pop_back();
      return receive(one, inside);
    }
    for (const Place& one : above) {
      if (one.link->kind == "vlan") continue;
      if (one.link->kind == "ipvlan" && one.link->stacked.mode != kIpvlanL2) {
        divert(one);
      } else if (one.link->kind == "ipvlan" || hears(*one.link, at, frame)) {
        receive(one, inside);
        taken = taken || is_in(*one.link, Macvlan::Passthru);
      }
    }
    if (taken) return;
    const host::Link* master = link.master == 0 ? nullptr : at.network->link(link.master);
    if (link.master == 0 || link.slave_kind == "vrf") return arrive(at, frame);
    if (master == nullptr) return hide();
    const Place up{at.network, master};
    if (master->kind == "bond" && !is_backup(link)) receive(up, inside);
    if (master->kind == "bridge") to_bridge(at, up, inside, frame);
    if (master->kind != "bond" && master->kind != "bridge") hide();
  }

  static Tag tag_of(const host::Link& vlan) { return {vlan.vlan_protocol, vlan.vlan_id}; }

  /// What a private macvlan has sent, and what came back, is handed to that one alone.
  static bool comes_home(const Place& lower, const Frame& frame) {
    return frame.lower == lower.end() && !is_in(*frame.sender, Macvlan::Vepa) &&
           !is_in(*frame.sender, Macvlan::Bridge);
  }

  /// macvlan_handle_frame(): does a macvlan hear who asks for everybody? One that is asked by
  /// others of its kind, whose frames came back, in few modes.
  static bool hears(const host::Link& macvlan, const Place& lower, const Frame& frame) {
    if (macvlan.kind == "macvtap") return true;
    if (!frame.lower || *frame.lower != lower.end()) return is_known(macvlan);
    if (&macvlan == frame.sender) return false;
    if (is_in(*frame.sender, Macvlan::Vepa)) {
      return is_in(macvlan, Macvlan::Vepa) || is_in(macvlan, Macvlan::Bridge);
    }
    return is_in(*frame.sender, Macvlan::Bridge) && is_in(macvlan, Macvlan::Vepa);
  }

  /// Source mode looks at who sends.
  static bool is_known(const host::Link& macvlan) {
    return is_in(macvlan, Macvlan::Private) || is_in(macvlan, Macvlan::Vepa) ||
           is_in(macvlan, Macvlan::Bridge) || is_in(macvlan, Macvlan::Passthru);
  }

  /// What is for its addresses it takes before the link below it does.
  void divert(const Place& ipvlan) {
    for (const host::InterfaceAddress& own : ipvlan.network->addresses) {
      if (own.link == ipvlan.link->index) out_.diverted[own.address] = ipvlan.link->name;
    }
  }

  void to_bridge(const Place& port, const Place& bridge, const Frame& inside, const Frame& frame) {
    if (!forwards(*port.link)) return;
    Frame up = inside;
    if (up.way.doubt.empty()) up.way.doubt = doubt_at(bridge);
    receive(bridge, up);
    Frame on = inside;
    on.lower = frame.lower;
    through_bridge(bridge, port.link, on);
  }

  void arrive(const Place& at, const Frame& frame) {
    // What has a tag that nobody took is not for IP; what came back is not for who has sent it.
    if (!frame.tags.empty() || at.end() == from_) return;
    Station station = frame.way;
    station.at = at.end();
    add(std::move(station));
  }

  void add(Station station) {
    const auto [at, fresh] = numbers_.try_emplace(station.at, out_.stations.size());
    if (at->second >= kMostStations) return;
    if (fresh) {
      out_.stations.push_back(std::move(station));
    } else if (Station& known = out_.stations[at->second];
               !known.doubt.empty() && station.doubt.empty()) {
      known = std::move(station);
    }
  }

  /// Out of all ports but the one by which it came, unless that is in hairpin mode.
  void through_bridge(const Place& bridge, const host::Link* from, const Frame& frame) {
    if (from != nullptr) seen_.emplace(bridge.end(), frame.tags);
    Frame on = frame;
    if (on.way.doubt.empty()) on.way.doubt = doubt_at(bridge);
    for (const host::Link& port : bridge.network->links) {
      if (port.master != bridge.link->index || !forwards(port)) continue;
      if (&port == from && !port.port.hairpin.value_or(false)) continue;
      if (from != nullptr && from->port.isolated && port.port.isolated) continue;
      Frame next = on;
      next.pass({bridge.network, &port}, true);
      send({bridge.network, &port}, std::move(next));
    }
  }

  Spaces& spaces_;
  Segment& out_;
  host::LinkEnd from_;
  std::map<host::LinkEnd, std::size_t> numbers_;  ///< of `out_.stations`
  std::set<std::pair<host::LinkEnd, std::vector<Tag>>> seen_;
};

}  // namespace

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

namespace {

void index(Spaces& spaces, Segment& out) {
  for (std::size_t i = 0; i < out.stations.size(); ++i) {
    const host::Network* network = spaces.outline(out.stations[i].at.netns);
    if (network == nullptr) continue;
    for (const host::InterfaceAddress& own : network->addresses) {
      out.owners.push_back({own.address, i});
    }
    if (spaces.speaks_for_others(network->netns)) out.proxies.push_back(i);
  }
  std::ranges::sort(out.owners);
  out.owners.erase(std::unique(out.owners.begin(), out.owners.end()), out.owners.end());
}

}  // namespace

std::span<const Segment::Owner> Segment::owners_of(const IpAddress& address) const {
  return {std::ranges::lower_bound(owners, address, {}, &Owner::address),
          std::ranges::upper_bound(owners, address, {}, &Owner::address)};
}

const Segment::Owned& Segment::owned() const {
  if (owned_) return *owned_;
  std::vector<AddressRange> all;
  std::map<std::uint32_t, std::vector<AddressRange>> by_port;
  for (const Owner& owner : owners) {
    if (!all.empty() && all.back().first == owner.address) continue;
    all.push_back({owner.address, owner.address});
    by_port[port_of(stations[owner.station])].push_back(all.back());
  }
  Owned& out = owned_.emplace();
  out.all = AddressSet(std::move(all));
  for (auto& [port, addresses] : by_port) out.by_port[port] = AddressSet(std::move(addresses));
  return out;
}

Segment segment_behind(Spaces& spaces, const host::Network& from, std::uint32_t link) {
  Segment out;
  const host::Link* first = from.link(link);
  if (first != nullptr) Walk(spaces, out, {from.netns, link}).send({&from, first}, {});
  index(spaces, out);
  return out;
}

}  // namespace hark::reach
