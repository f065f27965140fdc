#include "reach/bridged.h"

#include "reach/journey_blockers.h"
#include "reach/steps.h"

namespace hark::reach {

void scrub(Packet& packet, const host::Link* from, bool other_namespace) {
  packet.ct = CtState::None;
  packet.ct_reply = false;
  packet.ct_zone = 0;
  packet.from_socket = false;
  packet.socket_uid.reset();
  packet.socket_gid.reset();
  packet.socket_cgroup.clear();
  packet.socket_mark = 0;
  packet.has_mac = true;
  packet.source_mac.reset();
  if (from != nullptr && !from->mac.empty()) packet.source_mac = from->mac;
  packet.to_all = false;
  packet.priority = 0;
  if (other_namespace) packet.mark = 0;
}

bool calls_ip_rules(const World& world, const host::Link& bridge, Family family) {
  // Two links of one namespace may be a pair: what comes back by such a one passes no bridge.
  if (bridge.kind != "bridge") return false;
  const host::NetSettings& settings = world.network.settings;
  const bool v4 = family == Family::Inet;
  const auto& all = v4 ? settings.bridge_call_iptables : settings.bridge_call_ip6tables;
  return all && (*all != 0 || (v4 ? bridge.bridge.calls_iptables : bridge.bridge.calls_ip6tables));
}

bool came_by_ports(const World& world, const Packet& packet) {
  const host::Link* bridge = world.network.link(packet.in);
  return bridge != nullptr && calls_ip_rules(world, *bridge, packet.family);
}

std::optional<Arrival> pass_bridge(Site& site, std::uint32_t bridge, Packet& packet) {
  World& world = site.world;
  const host::Link* link = world.network.link(bridge);
  if (link == nullptr || !calls_ip_rules(world, *link, packet.family)) return std::nullopt;
  scrub(packet, nullptr, false);
  packet.in = bridge;
  packet.out = 0;
  const IpAddress to = packet.tuple.destination;
  auto end = pass_hook(world, HookPoint::Prerouting, packet, site.view, Stage::Forward);
  packet.out = bridge;
  for (const HookPoint hook : {HookPoint::Forward, HookPoint::Postrouting}) {
    if (!end) end = pass_hook(world, hook, packet, site.view, Stage::Forward);
  }
  if (end || packet.tuple.destination == to) return end;
  const Condition same = {
      .code = "bridge-filter",
      .text = "what a rule sends elsewhere while it passes " + link->name + " still gets there",
      .key = "bridge-dnat:" + link->name,
      .doubt = Doubt::Opaque};
  if (world.choices.pick(same)) return std::nullopt;
  Arrival lost;
  lost.blocker = plain_blocker("bridge-filter", same.text, link->name, "bridge link show");
  return lost;
}

bool is_heard_across(Site& site, std::uint32_t bridge, const IpAddress& asker,
                     const IpAddress& next) {
  if (next.family != Family::Inet6) return true;
  Packet question = solicitation(asker, next);
  Packet answer = advertisement(asker, next);
  const std::size_t before = site.world.path.size();
  Sites::enter(site);
  const bool lost = pass_bridge(site, bridge, question) || pass_bridge(site, bridge, answer);
  site.world.path.resize(before);
  return !lost;
}

bool turns_at_bridge(Site& site, const Packet& packet, Arrival& arrival) {
  World& world = site.world;
  if (packet.family != Family::Inet6 || arrival.to != Arrival::To::Lost ||
      arrival.blocker->cause.code != "not-local" || !site.view.connection ||
      !site.view.connection->destination_nat || !came_by_ports(world, packet)) {
    return false;
  }
  const FibResult fib = fib_lookup(world, {.family = packet.family,
                                           .source = packet.tuple.source,
                                           .destination = packet.tuple.destination,
                                           .mark = packet.mark,
                                           .protocol = packet.protocol});
  if (fib.link != packet.in) return false;
  world.path.pop_back();
  arrival.to = Arrival::To::Forward;
  arrival.route.fib = fib;
  return true;
}

std::uint32_t port_of(const Segment& segment, const IpAddress& address) {
  const auto owners = segment.owners_of(address);
  return owners.empty() ? 0 : port_of(segment.stations[owners.front().station]);
}

}  // namespace hark::reach
