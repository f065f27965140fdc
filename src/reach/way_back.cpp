#include "reach/way_back.h"

#include <string>
#include <utility>

#include "reach/bridged.h"
#include "reach/journey_blockers.h"
#include "reach/reply.h"
#include "reach/shell_word.h"
#include "reach/steps.h"

namespace hark::reach {
namespace {

/// The asker is on a link, and its address is one of ours.
Blocker stays_here(Site& site, const Packet& packet) {
  const std::string text = "the answer never leaves: " + packet.tuple.destination.text() +
                           " is an address of this host itself";
  Blocker blocker = plain_blocker("src-is-local", text, "route",
                                  "ip route get " + packet.tuple.destination.text());
  add_stop(site.world, Stage::Reply, blocker);
  name_place(site, blocker);
  return blocker;
}

}  // namespace

std::uint32_t link_for_sockets(const host::Network& network, const Packet& packet) {
  if (!network.is_loopback(packet.in)) return packet.in;
  for (const host::InterfaceAddress& own : network.addresses) {
    if (own.address == packet.tuple.destination) return own.link;
  }
  return packet.in;
}

void relabel(std::vector<Step>& path, std::size_t from, Stage stage) {
  for (std::size_t i = from; i < path.size();) {
    path[i].stage = stage;
    if (path[i].verdict == "pass") {
      path.erase(path.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
}

std::optional<Blocker> WayBack::send(Site& from, Packet& packet, std::uint32_t bound) {
  const std::size_t before = from.world.path.size();
  const bool home = sites_.is_home(from);
  Sites::enter(from);
  rebound.reset();
  from.world.carried = !home || local;
  Departure out = depart(from.world, packet, from.view, bound, Stage::Reply);
  from.world.carried = false;
  if (out.blocker) {
    if (out.refusal) reset_answerer(from, packet, *out.refusal);
    name_place(from, *out.blocker);
    return std::move(out.blocker);
  }
  Carried way;
  if (!from.world.network.is_loopback(packet.out)) {
    if (home && !local && carrier_.is_for_client(from, packet, packet.out)) {
      return taken_for_answer(packet);
    }
    if (home && local && bound != 0) return leaves_bound(packet);
    way = carrier_.leave(from, packet, out.route.fib);
  } else {
    if (!home || !local) return stays_here(from, packet);
    packet.in = packet.out;
    packet.out = 0;
    way = carrier_.go_on(from, packet);
  }
  relabel(from.world.path, before, Stage::Reply);
  const bool strays = std::exchange(carrier_.strays, false);
  auto lost = at_client(from, way, packet);
  if (!lost || !strays) return lost;
  // Nobody with that address is on the client's link.
  Blocker by_other = plain_blocker(
      "back-by-other-link",
      "the answer to " + question_.source.text() + " leaves by another link, and not for him",
      "route", "ip route get " + question_.source.text());
  name_place(sites_.home(), by_other);
  return by_other;
}

/// Where the answer has come to: is that the client, and does he take it for one?
std::optional<Blocker> WayBack::at_client(const Site& from, Carried& way, const Packet& packet) {
  if (way.to == Carried::To::Unseen) {
    const Condition comes = {.code = way.blocker->cause.code,
                             .text = "the answer: " + way.blocker->cause.text,
                             .key = "answer " + way.blocker->key,
                             .doubt = Doubt::Unread};
    Sites::enter(*way.site);
    if (way.site->world.choices.pick(comes)) return std::nullopt;
  }
  if (way.blocker) {
    if (way.to == Carried::To::Refused) reset_answerer(*way.site, packet, way.refusal);
    std::string& code = way.blocker->cause.code;
    const bool by_route = code.starts_with("route-") || code.starts_with("forward-no-route");
    if (by_route || code == "not-local") code = "no-route-back";
    name_place(*way.site, *way.blocker);
    return std::move(way.blocker);
  }
  const bool there = way.to == Carried::To::Client || (local && sites_.is_home(*way.site));
  if (!there) {
    Blocker blocker = plain_blocker(
        "no-route-back",
        "the answer ends there: " + packet.tuple.destination.text() + " is its own address",
        "route", "ip route get " + packet.tuple.destination.text());
    add_stop(way.site->world, Stage::Reply, blocker);
    name_place(*way.site, blocker);
    return blocker;
  }
  if (auto blocker = by_other_link(packet)) return blocker;
  const bool stayed = &from == way.site && local;
  if (stayed || everybody || is_understood(way, packet)) return std::nullopt;
  return not_understood(packet);
}

Blocker WayBack::not_understood(const Packet& packet) {
  const std::string text = "the answer comes from " + packet.tuple.source.text() +
                           ", which was not asked: it goes past the NAT of the way there";
  Blocker blocker = plain_blocker("asymmetric", text, "nat", "nft list ruleset");
  add_stop(sites_.home().world, Stage::Reply, blocker);
  return blocker;
}

void WayBack::reset_answerer(Site& site, const Packet& packet, const Refusal& refusal) {
  if (!refusal.tcp_reset || packet.protocol != kTcp) return;
  Packet reset = refusal_of(site.world, packet, refusal, Refuser::Rule);
  const std::size_t before = site.world.path.size();
  Carried way = pass_reset(site, packet, reset);
  site.world.path.resize(before);
  // A reset is not answered by another.
  if (way.to != Carried::To::Refused || way.refusal.tcp_reset) return;
  rebound = Rebound{way.site, reset, way.refusal};
}

/// To whoever has answered with `packet`: by the port of a bridge by which that came, past all
/// rules (nf_send_reset), or as any other packet.
Carried WayBack::pass_reset(Site& site, const Packet& packet, Packet& reset) {
  if (came_by_ports(site.world, packet)) {
    reset.out = packet.in;
    return carrier_.leave(site, reset, {.link = packet.in});
  }
  ConntrackView view = site.view;
  site.world.carried = true;
  Departure out = depart(site.world, reset, view, 0, Stage::Reply);
  site.world.carried = false;
  if (out.refusal) return {.to = Carried::To::Refused, .site = &site, .refusal = *out.refusal};
  if (out.blocker || site.world.network.is_loopback(reset.out)) return {.site = &site};
  return carrier_.leave(site, reset, out.route.fib);
}

std::optional<Blocker> WayBack::taken_for_answer(const Packet& packet) {
  if (everybody || packet.related || is_for_question(packet)) return std::nullopt;
  return not_understood(packet);
}

/// A client takes what comes from where it has sent to; of an error it looks at what that is
/// about, which NAT turns back on its way.
bool WayBack::is_understood(const Carried& way, const Packet& packet) const {
  if (packet.related) {
    const auto& connection = sites_.home().view.connection;
    const bool translated = connection && (connection->destination_nat || connection->source_nat);
    // That which passed it untracked is about what NAT made of his packet.
    return !translated || (sites_.is_home(*way.site) && packet.ct == CtState::Related);
  }
  return is_for_question(packet);
}

bool WayBack::is_for_question(const Packet& packet) const {
  const Tuple& got = packet.tuple;
  return got.source == question_.destination && got.source_port == question_.port &&
         got.destination == question_.source &&
         got.destination_port == question_.source_port.value_or(kAnyPort);
}

/// A client's socket that is bound to a link takes only what comes in by that, or by a link of that
/// VRF (inet_bound_dev_eq).
std::optional<Blocker> WayBack::by_other_link(const Packet& packet) {
  if (!local || question_.bound == 0) return std::nullopt;
  World& world = sites_.home().world;
  const std::uint32_t in = link_for_sockets(world.network, packet);
  const host::Link* link = world.network.link(in);
  const bool in_vrf =
      link != nullptr && link->slave_kind == "vrf" && link->master == question_.bound;
  if (in == question_.bound || in_vrf) return std::nullopt;
  Blocker blocker =
      plain_blocker("bound-other-dev",
                    "the answer comes in by " + link_name(world, in) +
                        ", and the client takes it only by " + link_name(world, question_.bound),
                    "route", "ip route get " + packet.tuple.destination.text());
  add_stop(world, Stage::Reply, blocker);
  return blocker;
}

Blocker WayBack::leaves_bound(const Packet& packet) {
  World& world = sites_.home().world;
  const std::string text = "the answer to " + packet.tuple.destination.text() + " leaves by " +
                           link_name(world, packet.out) + ", to which the socket is bound";
  Blocker blocker = plain_blocker("no-route-back", text, "route",
                                  "ip route get " + packet.tuple.destination.text() + " oif " +
                                      shell_word(link_name(world, packet.out)));
  add_stop(world, Stage::Reply, blocker);
  return blocker;
}

}  // namespace hark::reach
