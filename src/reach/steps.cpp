#include "reach/steps.h"

#include <string>

namespace hark::reach {
namespace {

Stage stage_of(HookPoint hook) {
  switch (hook) {
    case HookPoint::Ingress:
    case HookPoint::BridgePrerouting:
    case HookPoint::BridgeInput:
      return Stage::Netdev;
    case HookPoint::Prerouting:
      return Stage::Prerouting;
    case HookPoint::Input:
      return Stage::Input;
    case HookPoint::Forward:
      return Stage::Forward;
    case HookPoint::ArpIn:
    case HookPoint::ArpOut:
      return Stage::Link;
    case HookPoint::Output:
    case HookPoint::Postrouting:
    case HookPoint::Egress:
      break;
  }
  return Stage::Reply;
}

/// What a hook did, as a step. Hooks at which nothing happened are left out, but for prerouting and
/// input, which everybody asks about.
void tell(World& world, HookPoint hook, Stage stage, const HookResult& result) {
  for (const std::string& note : result.notes) {
    add_step(world, stage, "rewrite", note, result.place ? result.place->command() : std::string());
  }
  const bool asked = hook == HookPoint::Prerouting || hook == HookPoint::Input;
  // NAT is told by its note; that it lets the packet through goes without saying.
  const bool told = !result.notes.empty() && result.place && result.place->nat;
  if (result.place && !result.place->policy && !told) {
    add_step(world, stage, "pass", "accepted by " + result.place->words(), result.place->command());
    world.path.back().rule = result.place->rule;
  } else if (asked && result.notes.empty()) {
    add_step(world, stage, "pass", "nothing stops it");
  }
}

/// Rules that could not be read could stop anything.
std::optional<Arrival> unread_rules(World& world, Stage stage) {
  for (const auto fact : {host::NetworkFact::Nftables, host::NetworkFact::Legacy}) {
    const host::Gap* gap = world.network.gap(fact);
    if (gap == nullptr) continue;
    const Condition passes = {
        .code = gap->code, .text = gap->what, .key = "unread:" + gap->code, .doubt = Doubt::Unread};
    if (world.choices.pick(passes)) continue;
    Arrival out;
    out.blocker =
        Blocker{.cause = {.code = gap->code, .text = gap->what, .evidence = {}}, .key = gap->code};
    add_step(world, stage, "unknown", gap->what);
    return out;
  }
  return std::nullopt;
}

}  // namespace

void add_step(World& world, Stage stage, const char* verdict, std::string detail,
              std::string verify) {
  world.path.push_back(
      {.stage = stage,
       .verdict = verdict,
       .detail = world.place.empty() ? std::move(detail) : "in " + world.place + ": " + detail,
       .verify = verify.empty() ? verify : world.command + verify,
       .netns = world.network.netns});
}

void add_stop(World& world, Stage stage, const Blocker& blocker) {
  const std::string verify =
      blocker.cause.evidence.empty() ? std::string() : blocker.cause.evidence.front().verify;
  add_step(world, stage, "stop", blocker.cause.text, verify);
}

std::string link_name(const World& world, std::uint32_t index) {
  const host::Link* link = world.network.link(index);
  return link == nullptr ? "link " + std::to_string(index) : link->name;
}

std::optional<Arrival> pass_hook(World& world, HookPoint hook, Packet& packet, ConntrackView& view,
                                 Stage stage, bool& rerouted) {
  using End = HookResult::End;
  if (auto end = unread_rules(world, stage)) return end;
  const HookResult result = run_hook(world, hook, packet, view);
  rerouted = result.rerouted;
  Arrival out;
  if (result.end == End::Accept) {
    tell(world, hook, stage, result);
    return std::nullopt;
  }
  if (result.end == End::Synproxy) {
    view.synproxy = true;
    add_step(world, stage, "rewrite", "netfilter's SYN proxy answers first");
    return std::nullopt;
  }
  out.blocker = blocker_of(world, hook, packet, result);
  if (result.end == End::Ipvs) {
    for (const std::string& note : result.notes) {
      add_step(world, stage, "rewrite", note, result.place->command());
    }
    out.blocker->cause.text += ", and not followed further";
    out.to = Arrival::To::Unseen;
    return out;
  }
  if (result.end == End::Queue) {
    const Condition passes = {
        .code = "queue",
        .text = "the program behind the queue of " +
                (result.place ? result.place->words() : std::string("a rule")) + " lets it through",
        .key = "queue:" + out.blocker->key,
        .doubt = Doubt::Opaque};
    if (world.choices.pick(passes)) return std::nullopt;
  }
  add_stop(world, stage, *out.blocker);
  out.to = result.end == End::Reject ? Arrival::To::Refused : Arrival::To::Lost;
  out.refusal = {
      .tcp_reset = result.tcp_reset, .icmp_type = result.icmp_type, .icmp_code = result.icmp_code};
  return out;
}

std::optional<Arrival> pass_hook(World& world, HookPoint hook, Packet& packet, ConntrackView& view,
                                 Stage stage) {
  bool rerouted = false;
  return pass_hook(world, hook, packet, view, stage, rerouted);
}

std::optional<Arrival> pass_hook(World& world, HookPoint hook, Packet& packet,
                                 ConntrackView& view) {
  return pass_hook(world, hook, packet, view, stage_of(hook));
}

}  // namespace hark::reach
