#include "reach/carrier.h"

#include <algorithm>
#include <utility>

#include "reach/bridged.h"
#include "reach/clients.h"
#include "reach/journey_blockers.h"
#include "reach/routing_classes.h"
#include "reach/segment.h"
#include "reach/shell_word.h"
#include "reach/spaces.h"
#include "reach/steps.h"

namespace hark::reach {
namespace {

constexpr std::uint16_t kValid = 0xde;      // NUD_VALID
constexpr std::uint16_t kPermanent = 0x80;  // NUD_PERMANENT
constexpr unsigned kMostHops = 32;

Carried stopped(Site& site, Arrival arrival) {
  Carried out;
  out.site = &site;
  out.to = arrival.to == Arrival::To::Refused  ? Carried::To::Refused
           : arrival.to == Arrival::To::Unseen ? Carried::To::Unseen
                                               : Carried::To::Lost;
  out.blocker = std::move(arrival.blocker);
  out.refusal = arrival.refusal;
  out.route = std::move(arrival.route);
  return out;
}

Carried unseen(Site& site, const Packet& packet, const Segment& segment) {
  Carried out{.to = Carried::To::Unseen, .site = &site};
  out.blocker = passed_on(site.world, packet);
  if (!segment.unread.empty()) {
    const std::string link = link_name(site.world, packet.out);
    Cause& cause = out.blocker->cause;
    cause.text = "the packet is handed to " + packet.tuple.destination.text() + " by " + link;
    cause.text += segment.unread == "the other end of " + link
                      ? ", whose other end is in a namespace that cannot be read"
                      : ", to " + segment.unread + ", whose namespace cannot be read";
    cause.evidence.front().fact = cause.text;
  } else if (const auto at = segment.diverted.find(packet.tuple.destination);
             at != segment.diverted.end()) {
    Cause& cause = out.blocker->cause;
    cause.text = packet.tuple.destination.text() + " is an address of the ipvlan " + at->second +
                 ", which routes by itself (mode l3 or l3s): that is not followed";
    cause.evidence.front().fact = cause.text;
  }
  const Evidence& route = out.blocker->cause.evidence.front();
  add_step(site.world, Stage::Forward, "unknown", route.fact, route.verify);
  return out;
}

const host::Neighbour* known(const host::Network& network, std::uint32_t link,
                             const IpAddress& next) {
  const auto at = std::ranges::find_if(network.neighbours, [&](const auto& entry) {
    return entry.link == link && entry.address == next && (entry.state & kValid) != 0 &&
           !entry.mac.empty();
  });
  return at == network.neighbours.end() ? nullptr : &*at;
}

Blocker silent_neighbour(World& world, const Packet& packet, const IpAddress& next) {
  const std::string link = link_name(world, packet.out);
  Blocker out = plain_blocker("neigh-failed", next.text() + " does not answer on " + link, link,
                              "ip neigh show dev " + shell_word(link));
  add_stop(world, Stage::Forward, out);
  return out;
}

}  // namespace

bool Carrier::is_for_client(const Site& site, const Packet& packet, std::uint32_t out) const {
  if (!sites_.is_home(site) || !packet.reply) return false;
  const World& world = site.world;
  if (world.network.is_loopback(question_.interface)) return false;
  if (out == question_.interface || world.spaces == nullptr) return true;
  // Whoever is known to be behind his own link is behind no other.
  const Segment& his = world.spaces->segment(world.network, question_.interface);
  tell_owners_apart(his);
  if (!his.owners_of(question_.source).empty()) return false;
  const Segment& segment = world.spaces->segment(world.network, out);
  return segment.open || segment.stations.empty();
}

Carried Carrier::go_on(Site& site, Packet& packet, const Site* ours) {
  Site* at = &site;
  const bool has_socket = packet.has_socket;
  for (unsigned hop = 0; hop < kMostHops; ++hop) {
    Sites::enter(*at);
    packet.has_socket = has_socket && (ours == nullptr || ours == at);
    const IpAddress asked = packet.tuple.destination;
    Arrival arrival = arrive(at->world, packet, at->view);
    if (arrival.to == Arrival::To::Local) {
      return {.to = Carried::To::Local, .site = at, .route = std::move(arrival.route)};
    }
    if (arrival.to != Arrival::To::Forward && !turns_at_bridge(*at, packet, arrival)) {
      return stopped(*at, std::move(arrival));
    }
    const FibResult fib = arrival.route.fib;
    const bool home = is_for_client(*at, packet, fib.link);
    const bool bridged = asked != packet.tuple.destination && fib.link == packet.in &&
                         came_by_ports(at->world, packet);
    if (bridged && !home) {
      if (auto end = asked_first(*at, packet, fib)) return std::move(*end);
    }
    at->world.carried = !home;
    auto end = forward(at->world, packet, at->view, fib, bridged);
    at->world.carried = false;
    if (end) return stopped(*at, std::move(*end));
    if (home) return {.to = Carried::To::Client, .site = at};
    if (auto there = cross(at, packet, fib)) return std::move(*there);
  }
  const std::string text = "the packet goes in circles";
  Blocker blocker = plain_blocker("routing-loop", text, "route",
                                  "ip route get " + packet.tuple.destination.text());
  add_stop(at->world, Stage::Forward, blocker);
  return {.to = Carried::To::Lost, .site = at, .blocker = std::move(blocker)};
}

Carried Carrier::leave(Site& site, Packet& packet, const FibResult& fib, const Site* ours) {
  Site* at = &site;
  if (auto there = cross(at, packet, fib)) return std::move(*there);
  return go_on(*at, packet, ours);
}

std::optional<Carried> Carrier::cross(Site*& site, Packet& packet, const FibResult& fib) {
  World& world = site->world;
  const bool from_link = !sites_.home().world.network.is_loopback(question_.interface);
  if (sites_.is_home(*site) && packet.reply && from_link) strays = true;
  const IpAddress next = fib.gateway.value_or(packet.tuple.destination);
  static const Segment kNothing;  // of all threads: without owners its owned() is not asked
  const Segment& segment =
      world.spaces == nullptr ? kNothing : world.spaces->segment(world.network, packet.out);
  std::optional<Blocker> blocked;
  if (!segment.stations.empty() && next.is_multicast()) return unseen(*site, packet, segment);
  if (next == question_.source) tell_owners_apart(segment);
  if (is_client_here(segment, packet, next)) {
    Site& home = sites_.home();
    if (known(world.network, packet.out, next) == nullptr &&
        !is_heard_across(home, question_.interface,
                         asking_address(world, packet.out, next, packet.tuple.source), next)) {
      return stopped(*site, not_there(packet, silent_neighbour(world, packet, next)));
    }
    Sites::enter(home);
    if (auto end = pass_bridge(home, question_.interface, packet)) {
      return stopped(home, std::move(*end));
    }
    const host::Link* bridge = home.world.network.link(question_.interface);
    const bool seen = calls_ip_rules(home.world, *bridge, packet.family);
    return Carried{.to = Carried::To::Client, .site = seen ? &home : site};
  }
  // He is on a link of his own, and who is asked for here is somebody else.
  if (packet.reply && from_link && next == question_.source && !segment.open) strays = true;
  if (segment.diverted.contains(packet.tuple.destination)) return unseen(*site, packet, segment);
  const Station* to = next_station(*site, segment, packet, fib, blocked);
  if (to != nullptr) return hand_over(*site, *to, packet, site);
  if (blocked) return stopped(*site, not_there(packet, std::move(*blocked)));
  return unseen(*site, packet, segment);
}

/// Who gets what goes to the next hop. Nobody, and nothing `blocked`: who that is cannot be seen.
const Station* Carrier::next_station(Site& site, const Segment& segment, const Packet& packet,
                                     const FibResult& fib, std::optional<Blocker>& blocked) {
  if (segment.stations.empty()) {
    blocked = next_hop_silent(site.world, fib, packet, Stage::Forward);
    return nullptr;
  }
  const IpAddress next = fib.gateway.value_or(packet.tuple.destination);
  // What a neighbour does with it depends on who he is.
  Clients* clients = many_clients();
  if (clients != nullptr && !segment.owners_of(next).empty()) clients->split(next, {next, next});
  const Station* to = station_of(site, segment, packet, next, blocked);
  if (to == nullptr && !blocked && !segment.open) {
    blocked = silent_neighbour(site.world, packet, next);
  }
  return to;
}

/// A bridge that passes on what NAT has sent elsewhere asks for the neighbour, and chooses the
/// port, before the rules of FORWARD see the packet (br_nf_pre_routing_finish_bridge, br_forward).
/// Nothing: it goes on.
std::optional<Carried> Carrier::asked_first(Site& site, Packet& packet, const FibResult& fib) {
  packet.out = fib.link;
  const World& world = site.world;
  if (world.spaces == nullptr) return std::nullopt;
  const Segment& segment = world.spaces->segment(world.network, packet.out);
  const IpAddress next = fib.gateway.value_or(packet.tuple.destination);
  if (next.is_multicast() || segment.diverted.contains(packet.tuple.destination) ||
      is_client_here(segment, packet, next)) {
    return std::nullopt;
  }
  std::optional<Blocker> blocked;
  if (const Station* to = next_station(site, segment, packet, fib, blocked); to != nullptr) {
    return turn_back(site, segment, *to, packet);
  }
  if (!blocked) return std::nullopt;
  return stopped(site, not_there(packet, std::move(*blocked)));
}

/// The client is on a link of his own behind a bridge of the namespace of the question.
bool Carrier::is_client_here(const Segment& segment, const Packet& packet,
                             const IpAddress& next) const {
  if (!packet.reply || next != question_.source) return false;
  const Site& home = std::as_const(sites_).home();
  if (home.world.network.is_loopback(question_.interface)) return false;
  const host::LinkEnd link{home.world.network.netns, question_.interface};
  // He may be at another port, to which nothing is passed on from there.
  const World& world = home.world;
  const Segment& behind = world.spaces->segment(world.network, question_.interface);
  tell_owners_apart(behind);
  if (!behind.owners_of(next).empty() && segment.owners_of(next).empty()) return false;
  return std::ranges::any_of(segment.stations, [&](const Station& one) { return one.at == link; });
}

bool Carrier::client_knows(const host::Link& link, const IpAddress& target) const {
  const World& home = std::as_const(sites_).home().world;
  if (home.spaces == nullptr) return false;
  const Segment& segment = home.spaces->segment(home.network, link.index);
  std::vector<AddressRange> who;
  for (const Segment::Owner& owner : segment.owners) {
    const host::LinkEnd& at = segment.stations[owner.station].at;
    const host::Network* network = home.spaces->outline(at.netns);
    const host::Neighbour* entry = network == nullptr ? nullptr : known(*network, at.link, target);
    if (entry != nullptr && entry->mac == link.mac) who.push_back({owner.address, owner.address});
  }
  const AddressSet knowing(std::move(who));
  Clients* clients = many_clients();
  if (clients != nullptr && !knowing.empty()) clients->split(knowing);
  return knowing.contains(question_.source);
}

Clients* Carrier::many_clients() const {
  return std::as_const(sites_).home().world.clients;
}

/// Who of many clients is a neighbour there, or has the address of one, fares otherwise.
void Carrier::tell_owners_apart(const Segment& segment) const {
  Clients* clients = many_clients();
  if (clients != nullptr && !segment.owners.empty()) clients->split_once(segment.owned().all);
}

/// Those who are at the port by which it goes out, and at isolated ones.
void Carrier::tell_ports_apart(const Segment& segment, const host::Network& network,
                               const host::Link& out) const {
  Clients* clients = many_clients();
  if (clients == nullptr || segment.owners.empty()) return;
  const auto& by_port = segment.owned().by_port;
  const auto there = by_port.find(out.index);
  if (there != by_port.end()) clients->split_once(there->second);
  if (!out.port.isolated) return;
  for (const auto& [index, owned] : by_port) {
    const host::Link* port = network.link(index);
    if (port != nullptr && port->port.isolated) clients->split_once(owned);
  }
}

/// Those that it passes from port to port.
std::vector<std::pair<Site*, std::uint32_t>> Carrier::bridges_on(const Station& station) {
  std::vector<std::pair<Site*, std::uint32_t>> out;
  const Pass* before = nullptr;
  for (const Pass& pass : station.by) {
    const Pass* in = std::exchange(before, &pass);
    if (!pass.out || in == nullptr || in->out || in->at.netns != pass.at.netns) continue;
    Site* site = sites_.at(pass.at.netns);
    const host::Link* port = site == nullptr ? nullptr : site->world.network.link(pass.at.link);
    if (port != nullptr) out.emplace_back(site, port->master);
  }
  return out;
}

bool Carrier::answers(const Station& station, const IpAddress& asker, const IpAddress& next) {
  Site* there = sites_.at(station.at.netns);
  if (there == nullptr) return false;
  const std::size_t before = there->world.path.size();
  Sites::enter(*there);
  const bool silent = unresolvable(there->world, station.at.link, asker, next).has_value();
  there->world.path.resize(before);
  if (silent) return false;
  for (const auto& [site, bridge] : bridges_on(station)) {
    if (!is_heard_across(*site, bridge, asker, next)) return false;
  }
  return true;
}

const Station* Carrier::station_of(Site& site, const Segment& segment, const Packet& packet,
                                   const IpAddress& next, std::optional<Blocker>& blocked) {
  World& world = site.world;
  const auto& stations = segment.stations;
  if (site.heard_from && world.heard == Heard{packet.out, next}) {
    const auto at = std::ranges::find(stations, *site.heard_from, &Station::at);
    if (at != stations.end()) return &*at;
  }
  if (const host::Neighbour* entry = known(world.network, packet.out, next)) {
    const auto has_mac = [&](const Station& one) {
      const host::Network* network = world.spaces->outline(one.at.netns);
      const host::Link* link = network == nullptr ? nullptr : network->link(one.at.link);
      return link != nullptr && link->mac == entry->mac;
    };
    // An ipvlan has that of the link below it.
    for (const Segment::Owner& owner : segment.owners_of(next)) {
      if (has_mac(stations[owner.station])) return &stations[owner.station];
    }
    const auto at = std::ranges::find_if(stations, has_mac);
    if (at != stations.end()) return &*at;
    if ((entry->state & kPermanent) != 0 || segment.open) return nullptr;
  }
  blocked = unheard(world, packet.out, next, packet.tuple.source);
  if (blocked) {
    add_stop(world, Stage::Forward, *blocked);
    return nullptr;
  }
  const IpAddress asker = asking_address(world, packet.out, next, packet.tuple.source);
  std::vector<std::size_t> asked;
  for (const Segment::Owner& owner : segment.owners_of(next)) asked.push_back(owner.station);
  asked.insert(asked.end(), segment.proxies.begin(), segment.proxies.end());
  const Station* found = nullptr;
  for (const std::size_t i : asked) {
    if (found == &stations[i] || !answers(stations[i], asker, next)) continue;
    const Condition first = {.code = "duplicate-address",
                             .text = "which of several answers for " + next.text() + " is heard",
                             .key = "duplicate-address " + next.text(),
                             .doubt = Doubt::Chance};
    Sites::enter(site);
    if (found != nullptr && world.choices.pick(first)) continue;
    found = &stations[i];
  }
  Sites::enter(site);
  if (found == nullptr) return nullptr;
  Site* there = sites_.at(found->at.netns);
  there->world.heard = Heard{found->at.link, asker};
  there->heard_from = host::LinkEnd{world.network.netns, packet.out};
  return found;
}

/// A bridge sends nothing back by the port by which it came, unless that is in hairpin mode, and
/// nothing from one isolated port to another (should_deliver of br_forward.c).
std::optional<Carried> Carrier::turn_back(Site& from, const Segment& segment, const Station& to,
                                          const Packet& packet) {
  const World& world = from.world;
  const host::Link* bridge = world.network.link(packet.out);
  if (packet.reply) return std::nullopt;
  const host::Link* out = world.network.link(port_of(to));
  if (out == nullptr || (out->port.hairpin.value_or(false) && !out->port.isolated)) {
    return std::nullopt;
  }
  // Where the packet has come by the question alone, the client's address tells the port.
  const IpAddress& client = question_.source;
  const bool first = packet.port == 0 && sites_.is_home(from);
  if (first) tell_ports_apart(segment, world.network, *out);
  const std::uint32_t port = first ? port_of(segment, client) : packet.port;
  const host::Link* in = world.network.link(port);
  if (in == nullptr) return std::nullopt;
  const bool isolated = in->port.isolated && out->port.isolated;
  if (!isolated && (in != out || out->port.hairpin.value_or(false))) return std::nullopt;
  const std::string text =
      in != out ? bridge->name + " passes nothing from " + in->name + " to " + out->name +
                      ": both are isolated"
                : bridge->name + " sends nothing back by " + out->name + ", by which it came";
  if (!isolated && !out->port.hairpin) {
    const Condition hairpin = {.code = "bridge-filter",
                               .text = out->name + " of " + bridge->name + " is in hairpin mode",
                               .key = "hairpin:" + out->name,
                               .doubt = Doubt::Unread};
    if (world.choices.pick(hairpin)) return std::nullopt;
  }
  Blocker blocker = plain_blocker("bridge-filter", text, bridge->name,
                                  "bridge -d link show dev " + shell_word(out->name));
  add_stop(from.world, Stage::Forward, blocker);
  return Carried{.to = Carried::To::Lost, .site = &from, .blocker = std::move(blocker)};
}

std::optional<Carried> Carrier::hand_over(Site& from, const Station& to, Packet& packet,
                                          Site*& site) {
  if (!to.doubt.empty()) {
    const Condition passes = {.code = "bridge-filter",
                              .text = to.doubt + ", and let it through",
                              .key = "bridge-filter:" + to.doubt,
                              .doubt = Doubt::Opaque};
    if (!from.world.choices.pick(passes)) {
      Blocker blocker = plain_blocker("bridge-filter", to.doubt, "bridge", "bridge link show");
      add_stop(from.world, Stage::Forward, blocker);
      return Carried{.to = Carried::To::Lost, .site = &from, .blocker = std::move(blocker)};
    }
  }
  const Pass* before = nullptr;
  for (const Pass& pass : to.by) {
    Site* at = sites_.at(pass.at.netns);
    if (at == nullptr) continue;
    Sites::enter(*at);
    const Pass* in = std::exchange(before, &pass);
    if (pass.out && in != nullptr && !in->out && in->at.netns == pass.at.netns) {
      const std::uint32_t bridge = at->world.network.link(pass.at.link)->master;
      if (auto end = pass_bridge(*at, bridge, packet)) return stopped(*at, std::move(*end));
    }
    if (auto end = pass_port(at->world, packet, at->view, pass.at.link, pass.out)) {
      return stopped(*at, std::move(*end));
    }
  }
  site = sites_.at(to.at.netns);
  if (site == nullptr) return unseen(from, packet, {});
  const World& there = site->world;
  add_step(from.world, Stage::Forward, "pass",
           packet.tuple.destination.text() + " is reached by " + link_name(from.world, packet.out) +
               ": it goes to " + link_name(there, to.at.link) + " of " +
               from.world.spaces->words_of(to.at.netns));
  scrub(packet, from.world.network.link(packet.out), to.at.netns != from.world.network.netns);
  packet.in = to.at.link;
  const bool by_port = !to.by.empty() && !to.by.back().out && to.by.back().at.netns == to.at.netns;
  packet.port = by_port ? to.by.back().at.link : 0;
  packet.out = 0;
  if (Clients* clients = there.clients; clients != nullptr && &from != site) {
    const bool by_source = packet.tuple.source == clients->address();
    const bool by_destination = packet.tuple.destination == clients->address();
    if (by_source || by_destination) site->world.spaces->split_by_routes(to.at.netns, *clients);
  }
  return std::nullopt;
}

}  // namespace hark::reach
