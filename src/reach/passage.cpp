#include "reach/passage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "reach/client_tests.h"
#include "reach/icmp_words.h"
#include "reach/shell_word.h"
#include "reach/steps.h"

namespace hark::reach {
namespace {

constexpr std::uint8_t kLocalType = 2;  // RTN_LOCAL

struct ProgramWords {
  const char* where;
  const char* code;
  Stage stage;
};
constexpr std::array<ProgramWords, 3> kIngressPrograms = {{
    {"xdp", "xdp-prog", Stage::Xdp},
    {"tcx-ingress", "tcx-ingress", Stage::Tc},
    {"tc-ingress", "tc-ingress", Stage::Tc},
}};
constexpr std::array<ProgramWords, 3> kEgressPrograms = {{
    {"tcx-egress", "tcx-egress", Stage::Reply},
    {"tc-egress", "tc-egress", Stage::Reply},
    {"netkit", "netkit", Stage::Reply},
}};

/// Programs that cannot be read may drop it.
std::optional<Blocker> programs(World& world, std::uint32_t index,
                                std::span<const ProgramWords> places) {
  const host::Link* link = world.network.link(index);
  if (link == nullptr) return std::nullopt;
  for (const ProgramWords& place : places) {
    for (const host::LinkProgram& program : link->programs) {
      if (program.where != place.where || program.harmless || world.is_waived(place.code)) continue;
      std::string name = program.kind + (program.name.empty() ? "" : " " + program.name);
      if (program.id != 0) name += " (" + std::to_string(program.id) + ")";
      const std::string text = std::string(place.where) + " program " + name + " at " + link->name;
      const Condition passes = {.code = place.code,
                                .text = text + " lets it through",
                                .key = std::string(place.code) + ":" + link->name + ":" +
                                       std::to_string(program.id) + program.detail,
                                .doubt = Doubt::Opaque};
      if (world.choices.pick(passes)) {
        add_step(world, place.stage, "unknown", text + " could drop it");
        continue;
      }
      const std::string verify = place.stage == Stage::Xdp
                                     ? "ip -d link show dev " + shell_word(link->name)
                                     : "tc filter show dev " + shell_word(link->name) + " ingress";
      Blocker blocker = {
          .cause = {.code = place.code,
                    .text = text + " drops it",
                    .evidence = {{.fact = text, .where = link->name, .verify = verify}}},
          .key = place.code};
      add_stop(world, place.stage, blocker);
      return blocker;
    }
  }
  return std::nullopt;
}

Arrival lost(Blocker blocker) {
  Arrival out;
  out.blocker = std::move(blocker);
  return out;
}

/// The question that a packet made here asks of routing.
Flow outgoing(const Packet& packet, const ConntrackView& view, std::uint32_t bound) {
  Flow flow = flow_of(packet);
  flow.in = 0;
  flow.out = bound;
  flow.uid = packet.socket_uid.value_or(0);
  flow.source_given = !packet.tuple.source.is_unspecified();
  // A refusal speaks for the address that was asked, whoever has it (ip_route_me_harder), and a
  // socket behind TPROXY for its client's destination.
  flow.transparent = !packet.from_socket || view.tproxy_port != 0;
  return flow;
}

std::string route_words(const World& world, const Packet& packet, const RouteIn& route) {
  const std::string address = packet.tuple.destination.text();
  if (route.to == RouteIn::To::Local) return address + " is this host's address";
  std::string out = address + " is reached by " + link_name(world, route.fib.link);
  if (route.fib.gateway) out += " via " + route.fib.gateway->text();
  return out;
}

std::string route_command(const World& world, const Packet& packet) {
  std::string out = "ip route get " + packet.tuple.destination.text() + " from " +
                    packet.tuple.source.text() + " iif " + shell_word(link_name(world, packet.in));
  if (packet.mark != 0) out += fmt::format(" mark {:#x}", packet.mark);
  return out;
}

/// The route of a packet that came in. One that was made here keeps the way that was found for it
/// when it left: the loopback device hands it on with its route.
std::optional<Arrival> routed(World& world, Packet& packet, Arrival& out) {
  if (world.network.is_loopback(packet.in)) {
    out.route.to = RouteIn::To::Local;
    return std::nullopt;
  }
  Flow flow = flow_of(packet);
  flow.entered = true;
  out.route = route_input(world, flow);
  if (out.route.to == RouteIn::To::Local || out.route.to == RouteIn::To::Forward) {
    add_step(world, Stage::Route, "pass", route_words(world, packet, out.route),
             route_command(world, packet));
    return std::nullopt;
  }
  Arrival end;
  end.route = out.route;
  end.to = out.route.to == RouteIn::To::Reject ? Arrival::To::Refused : Arrival::To::Lost;
  end.refusal = {.icmp_type = out.route.icmp_type, .icmp_code = out.route.icmp_code};
  end.blocker = Blocker{.cause = out.route.cause, .key = out.route.cause.code};
  add_stop(world, Stage::Route, *end.blocker);
  return end;
}

constexpr int kNotPermitted = 1;  // EPERM, of nf_hook_slow

constexpr std::uint8_t kPolicyIn = 0;
constexpr std::uint8_t kPolicyOut = 1;
constexpr std::uint8_t kPolicyForward = 2;
constexpr std::uint8_t kBlock = 1;

bool in_range(World& world, std::uint16_t port, const decode::PortRange& range) {
  return lies_between(world, port, range.first, range.last);
}

/// __xfrm_policy_check(): the first policy that selects the packet decides. `in` and `fwd` ones
/// with templates want packets that came through IPsec, and this one did not.
std::optional<Blocker> ipsec(World& world, const Packet& packet, std::uint8_t direction,
                             Stage stage) {
  if (world.is_waived("xfrm-policy")) return std::nullopt;
  const host::XfrmPolicy* chosen = nullptr;
  for (const host::XfrmPolicy& policy : world.network.xfrm) {
    if (policy.direction != direction || policy.family != packet.family ||
        !lies_within(world, packet.tuple.source, policy.source) ||
        !lies_within(world, packet.tuple.destination, policy.destination) ||
        (policy.protocol != 0 && policy.protocol != packet.protocol) ||
        !in_range(world, packet.tuple.source_port, policy.source_ports) ||
        !in_range(world, packet.tuple.destination_port, policy.destination_ports)) {
      continue;
    }
    if (chosen == nullptr || policy.priority < chosen->priority) chosen = &policy;
  }
  if (chosen == nullptr) return std::nullopt;
  const bool blocks = chosen->action == kBlock;
  if (!blocks && !chosen->templates) return std::nullopt;
  if (direction == kPolicyOut && !blocks) {
    world.assumptions.emplace_back("IPsec has a working association for the reply");
    return std::nullopt;
  }
  const char* code = direction == kPolicyIn    ? "xfrm-in-policy"
                     : direction == kPolicyOut ? "xfrm-out"
                                               : "xfrm-fwd-policy";
  if (world.is_waived(code)) return std::nullopt;
  Blocker out = {
      .cause = {.code = code,
                .text = blocks ? "an IPsec policy blocks it"
                               : "an IPsec policy wants it encrypted, and it is not",
                .evidence = {{.fact = "xfrm policy index " + std::to_string(chosen->index),
                              .where = "xfrm",
                              .verify = "ip xfrm policy"}}},
      .key = code};
  add_stop(world, stage, out);
  return out;
}

/// ip_forward() passes on nothing that did not come to this host's own link-layer address.
Arrival to_everybody(World& world, const Packet& packet) {
  const std::string text = "what came as a broadcast is not passed on";
  Blocker blocker = {
      .cause = {.code = "broadcast-dst",
                .text = text,
                .evidence = {{.fact = text,
                              .where = "route",
                              .verify = "ip route get " + packet.tuple.destination.text()}}},
      .key = "broadcast-dst"};
  add_stop(world, Stage::Forward, blocker);
  return lost(std::move(blocker));
}

/// A router takes one from the packet's TTL, and passes on none that has no more.
std::optional<Arrival> expired(World& world, Packet& packet) {
  if (packet.ttl > 1 || world.is_waived("ttl-expired")) {
    if (packet.ttl > 1) --packet.ttl;
    return std::nullopt;
  }
  constexpr std::uint8_t kExceeded4 = 11, kExceeded6 = 3;
  const std::string text = "the packet has passed as many routers as it may";
  Arrival end = lost({.cause = {.code = "ttl-expired",
                                .text = text,
                                .evidence = {{.fact = text, .where = "packet", .verify = ""}}},
                      .key = "ttl-expired"});
  end.to = Arrival::To::Refused;
  end.refusal.icmp_type = packet.family == Family::Inet ? kExceeded4 : kExceeded6;
  add_stop(world, Stage::Forward, *end.blocker);
  return end;
}

}  // namespace

Flow flow_of(const Packet& packet) {
  return {.family = packet.family,
          .source = packet.tuple.source,
          .destination = packet.tuple.destination,
          .in = packet.in,
          .mark = packet.mark,
          .tos = packet.tos,
          .protocol = packet.protocol,
          .source_port = packet.tuple.source_port,
          .destination_port = packet.tuple.destination_port};
}

Arrival arrive(World& world, Packet& packet, ConntrackView& view) {
  if (auto blocker = programs(world, packet.in, kIngressPrograms)) return lost(std::move(*blocker));
  if (auto end = pass_hook(world, HookPoint::Ingress, packet, view)) return *end;
  if (auto cause = refused_on_entry(world, flow_of(packet))) {
    const std::string key = cause->code;
    Blocker blocker = {.cause = std::move(*cause), .key = key};
    add_stop(world, Stage::Link, blocker);
    return lost(std::move(blocker));
  }
  if (auto end = pass_hook(world, HookPoint::Prerouting, packet, view)) return *end;
  Arrival out;
  if (auto end = routed(world, packet, out)) return *end;
  if (out.route.to == RouteIn::To::Forward) {
    out.to = Arrival::To::Forward;
    return out;
  }
  if (auto end = pass_hook(world, HookPoint::Input, packet, view)) {
    end->route = out.route;
    return *end;
  }
  if (auto blocker = ipsec(world, packet, kPolicyIn, Stage::Input))
    return lost(std::move(*blocker));
  out.to = Arrival::To::Local;
  return out;
}

std::optional<Arrival> forward(World& world, Packet& packet, ConntrackView& view,
                               const FibResult& fib, bool bridged) {
  if (!bridged) {
    if (auto blocker = ipsec(world, packet, kPolicyForward, Stage::Forward)) {
      return lost(std::move(*blocker));
    }
    if (packet.to_all) return to_everybody(world, packet);
    if (auto end = expired(world, packet)) return end;
  }
  packet.out = fib.link;
  packet.gateway = fib.gateway;
  for (const HookPoint hook : {HookPoint::Forward, HookPoint::Postrouting, HookPoint::Egress}) {
    if (auto end = pass_hook(world, hook, packet, view, Stage::Forward)) return end;
  }
  if (auto blocker = programs(world, packet.out, kEgressPrograms)) return lost(std::move(*blocker));
  if (world.carried) return std::nullopt;
  if (auto blocker = next_hop_silent(world, fib, packet, Stage::Forward)) {
    return not_there(packet, std::move(*blocker));
  }
  return std::nullopt;
}

Arrival not_there(const Packet& packet, Blocker blocker) {
  Arrival end = lost(std::move(blocker));
  const IcmpKind absent = host_unreachable(packet.family);
  end.to = Arrival::To::Refused;
  end.refusal = {.icmp_type = absent.type, .icmp_code = absent.code};
  return end;
}

std::optional<Arrival> pass_port(World& world, Packet& packet, ConntrackView& view,
                                 std::uint32_t port, bool out) {
  const std::uint32_t in = std::exchange(packet.in, out ? packet.in : port);
  const std::uint32_t leaves = std::exchange(packet.out, out ? port : packet.out);
  std::optional<Arrival> end;
  if (!out) {
    if (auto blocker = programs(world, port, kIngressPrograms)) end = lost(std::move(*blocker));
    if (!end) end = pass_hook(world, HookPoint::Ingress, packet, view, Stage::Netdev);
  } else {
    end = pass_hook(world, HookPoint::Egress, packet, view, Stage::Netdev);
    if (!end) {
      if (auto blocker = programs(world, port, kEgressPrograms)) end = lost(std::move(*blocker));
    }
  }
  packet.in = in;
  packet.out = leaves;
  return end;
}

Departure depart(World& world, Packet& packet, ConntrackView& view, std::uint32_t bound,
                 Stage stage) {
  Departure out;
  const auto no_way = [&](const char* code) {
    out.error = out.route.error;
    if (code != nullptr) out.route.cause.code = code;
    out.blocker = Blocker{.cause = out.route.cause, .key = out.route.cause.code};
    add_stop(world, stage, *out.blocker);
    return out;
  };
  out.route = route_output(world, outgoing(packet, view, bound));
  if (!out.route.ok) return no_way(nullptr);
  out.sent = true;
  packet.in = 0;
  packet.out = out.route.fib.link;
  packet.gateway = out.route.fib.gateway;
  packet.tuple.source = out.route.source;
  bool rerouted = false;
  if (auto end = pass_hook(world, HookPoint::Output, packet, view, stage, rerouted)) {
    // The new way is looked for as soon as NAT has changed the destination, before chains of later
    // priorities (nf_nat_ipv4_local_fn).
    if (rerouted) {
      RouteOut again = route_output(world, outgoing(packet, view, bound));
      if (!again.ok) {
        world.path.pop_back();
        out.route = std::move(again);
        return no_way("output-reroute");
      }
    }
    out.error = kNotPermitted;
    if (end->to == Arrival::To::Refused) out.refusal = end->refusal;
    out.unseen = end->to == Arrival::To::Unseen;
    out.blocker = std::move(end->blocker);
    return out;
  }
  if (rerouted) {
    out.route = route_output(world, outgoing(packet, view, bound));
    if (!out.route.ok) return no_way("output-reroute");
    packet.out = out.route.fib.link;
    packet.gateway = out.route.fib.gateway;
  }
  if (auto blocker = ipsec(world, packet, kPolicyOut, stage)) {
    out.blocker = std::move(blocker);
    return out;
  }
  for (const HookPoint hook : {HookPoint::Postrouting, HookPoint::Egress}) {
    if (auto end = pass_hook(world, hook, packet, view, stage)) {
      // What the device does with it the sender does not hear of.
      if (hook == HookPoint::Postrouting) out.error = kNotPermitted;
      out.blocker = std::move(end->blocker);
      return out;
    }
  }
  out.blocker = programs(world, packet.out, kEgressPrograms);
  if (!out.blocker && out.route.fib.type != kLocalType && !world.carried) {
    out.blocker = next_hop_silent(world, out.route.fib, packet, stage);
  }
  return out;
}

}  // namespace hark::reach
