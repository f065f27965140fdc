#include "reach/netfilter.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "reach/conntrack.h"
#include "reach/ipvs.h"
#include "reach/nat.h"
#include "reach/nft_machine.h"
#include "reach/prepared_ruleset.h"
#include "reach/shell_word.h"

namespace hark::reach {

std::string key_of(const RulePlace& place) {
  const std::string last = place.policy        ? "policy"
                           : place.handle != 0 ? std::to_string(place.handle)
                                               : "#" + std::to_string(place.number);
  return fmt::format("{}:{}:{}:{}:{}", place.tool, place.family, place.table, place.chain, last);
}

std::string words_of(const RulePlace& place) {
  if (place.tool == "ipvs") return fmt::format("IPVS service {} {}", place.table, place.chain);
  const std::string chain = place.family.empty()
                                ? fmt::format("{} {} {}", place.tool, place.table, place.chain)
                                : fmt::format("{} {} {}", place.family, place.table, place.chain);
  if (place.policy) return "the policy of " + chain;
  std::string out = place.handle != 0 ? fmt::format("{} handle {}", chain, place.handle)
                                      : fmt::format("{} rule {}", chain, place.number);
  if (!place.comment.empty()) out += fmt::format(" \"{}\"", place.comment);
  return out;
}

std::string command_of(const RulePlace& place) {
  if (place.tool == "ipvs") return "ipvsadm -L -n";
  if (place.family.empty()) {
    return fmt::format("{} -t {} -S {}", place.tool, place.table, shell_word(place.chain));
  }
  if (!is_nft_name(place.table) || !is_nft_name(place.chain)) return "nft -a list ruleset";
  return fmt::format("nft -a list chain {} {} {}", place.family, place.table, place.chain);
}

namespace {

bool ends(const HookResult& result) {
  return result.end != HookResult::End::Accept;
}

/// What an entry says is added to what the hook says so far.
void merge(HookResult& to, HookResult&& from) {
  to.end = from.end;
  to.tcp_reset = from.tcp_reset;
  to.icmp_type = from.icmp_type;
  to.icmp_code = from.icmp_code;
  to.rerouted = to.rerouted || from.rerouted;
  std::ranges::move(from.notes, std::back_inserter(to.notes));
  if (from.place || ends(from)) to.place = std::move(from.place);
}

/// A chain of type `route` has the packet routed again where it changed what routes depend on.
bool changes_route(const Packet& before, const Packet& after) {
  return before.mark != after.mark || before.tos != after.tos ||
         before.tuple.source != after.tuple.source ||
         before.tuple.destination != after.tuple.destination;
}

HookResult run_chain(HookRun& run, const PreparedChain& chain) {
  const bool routes = run.hook == HookPoint::Output && chain.chain->type == "route";
  if (!routes) return Machine(run, chain).execute();
  const Packet before = run.packet;
  HookResult result = Machine(run, chain).execute();
  if (!ends(result)) result.rerouted = changes_route(before, run.packet);
  return result;
}

HookResult run_groups(HookRun& run, std::span<const HookGroup> groups, const HookPlan& plan);

/// The NAT core: nf_nat_inet_fn(). Chains of NAT see only what has no mapping yet, until one sets
/// it.
HookResult run_nat(HookRun& run, const HookPlan& plan) {
  Connection* connection = connection_of(run.packet, run.view);
  if (connection == nullptr) return {};
  const bool destination = changes_destination(run.hook);
  // An ICMP error is translated as its connection is, and asks no rule.
  const bool asks =
      run.packet.ct == CtState::New || (run.packet.ct == CtState::Related && !run.packet.related);
  HookResult result;
  if (asks && !is_decided(*connection, destination)) {
    result = run_groups(run, plan.nat, plan);
    if (ends(result)) return result;
    decide_none(*connection, destination);
  }
  const IpAddress before = run.packet.tuple.destination;
  translate(run.hook, run.packet, *connection);
  result.rerouted =
      result.rerouted || (run.hook == HookPoint::Output && before != run.packet.tuple.destination);
  return result;
}

HookResult run_entry(HookRun& run, const HookEntry& entry, const HookPlan& plan) {
  switch (entry.kind) {
    case HookEntry::Kind::Chain:
      return run_chain(run, *entry.chain);
    case HookEntry::Kind::Legacy:
      return run_legacy_table(run.world, run.hook, *entry.legacy, run.packet, run.view);
    case HookEntry::Kind::Nat:
      return run_nat(run, plan);
    case HookEntry::Kind::Confirm:
      confirm(run.packet, run.view);
      return {};
    case HookEntry::Kind::Conntrack:
      break;
  }
  HookResult result;
  if (!track(run.world, run.packet, run.view)) {
    result.end = HookResult::End::Drop;
    result.notes = {"the table of conntrack is full"};
  }
  return result;
}

/// Chains of NAT end their walk with the first that sets a mapping.
bool walk_is_over(const HookRun& run, const HookEntry& entry) {
  const bool nat = (entry.chain != nullptr && entry.chain->chain->type == "nat") ||
                   (entry.legacy != nullptr && entry.legacy->name == "nat");
  if (!nat || !run.view.connection) return false;
  return is_decided(*run.view.connection, changes_destination(run.hook));
}

HookResult run_entries(HookRun& run, const std::vector<HookEntry>& entries, const HookPlan& plan) {
  HookResult result;
  for (const HookEntry& entry : entries) {
    merge(result, run_entry(run, entry, plan));
    if (ends(result) || walk_is_over(run, entry)) break;
  }
  return result;
}

/// What a group would come to in one order, tried on copies. Questions get their first answer.
struct Trial {
  HookResult result;
  Packet packet;
  ConntrackView view;

  [[nodiscard]] bool same_as(const Trial& other) const {
    return result.end == other.result.end && result.tcp_reset == other.result.tcp_reset &&
           result.icmp_type == other.result.icmp_type &&
           result.icmp_code == other.result.icmp_code && packet == other.packet &&
           view == other.view;
  }
};

Trial try_order(const HookRun& run, const std::vector<HookEntry>& entries, const HookPlan& plan) {
  Choices choices;
  std::vector<Step> path;
  std::vector<std::string> assumptions;
  World world{.host = run.world.host,
              .network = run.world.network,
              .choices = choices,
              .path = path,
              .assumptions = assumptions,
              .waived = run.world.waived,
              .prepared = run.world.prepared,
              .heard = run.world.heard,
              .routes = run.world.routes,
              .xt = run.world.xt,
              .hooks_run = run.world.hooks_run,
              .scope = run.world.scope};
  Trial trial{.result = {}, .packet = run.packet, .view = run.view};
  HookRun copy{world, run.rules, run.hook, trial.packet, trial.view, trial.result};
  HookResult ended = run_entries(copy, entries, plan);
  merge(trial.result, std::move(ended));
  return trial;
}

std::string words_of(const HookEntry& entry) {
  if (entry.chain != nullptr) return entry.chain->table->key + " " + entry.chain->chain->name;
  if (entry.legacy != nullptr) return "the legacy table " + entry.legacy->name;
  return entry.kind == HookEntry::Kind::Nat ? "NAT" : "conntrack";
}

Condition in_order(const HookRun& run, const std::vector<HookEntry>& order) {
  std::string names;
  for (const HookEntry& entry : order) names += (names.empty() ? "" : ", ") + words_of(entry);
  const std::string text =
      fmt::format("the order at priority {} is: {}", order.front().priority, names);
  return {.code = "hook-order",
          .text = text,
          .key = fmt::format("hook-order:{}:{}", static_cast<unsigned>(run.hook), text),
          .doubt = Doubt::Opaque};
}

/// Which of the orders that may be: asked only where it matters.
const std::vector<HookEntry>& ordered(HookRun& run, const HookGroup& group, const HookPlan& plan) {
  std::vector<const std::vector<HookEntry>*> orders = {&group.entries};
  std::vector<Trial> trials;
  trials.push_back(try_order(run, group.entries, plan));
  for (const std::vector<HookEntry>& order : group.others) {
    Trial trial = try_order(run, order, plan);
    if (std::ranges::any_of(trials, [&](const Trial& one) { return one.same_as(trial); })) continue;
    trials.push_back(std::move(trial));
    orders.push_back(&order);
  }
  for (std::size_t i = 0; i + 1 < orders.size(); ++i) {
    if (run.world.choices.pick(in_order(run, *orders[i]))) return *orders[i];
  }
  return *orders.back();
}

HookResult run_groups(HookRun& run, std::span<const HookGroup> groups, const HookPlan& plan) {
  HookResult result;
  for (const HookGroup& group : groups) {
    merge(result, group.others.empty() ? run_entries(run, group.entries, plan)
                                       : run_entries(run, ordered(run, group, plan), plan));
    if (ends(result) || walk_is_over(run, group.entries.back())) break;
  }
  return result;
}

/// What nobody could read may do anything: pass or drop. It is one condition for all hooks, and for
/// who asks before it comes here (steps.cpp).
bool unread_lets_pass(World& world, host::NetworkFact fact) {
  const host::Gap* gap = world.network.gap(fact);
  if (gap == nullptr) return true;
  return world.choices.pick(Condition{
      .code = gap->code, .text = gap->what, .key = "unread:" + gap->code, .doubt = Doubt::Unread});
}

bool programs_let_pass(World& world) {
  for (const host::AttachedProgram& program : world.network.programs) {
    if (program.where != "netfilter") continue;
    const bool pass = world.choices.pick(
        Condition{.code = "bpf",
                  .text = fmt::format("BPF program {} \"{}\" of netfilter lets it pass", program.id,
                                      program.name),
                  .key = fmt::format("bpf:netfilter:{}", program.id),
                  .doubt = Doubt::Opaque});
    if (!pass) return false;
  }
  return true;
}

/// All that runs at the hook, and IPVS among it. What that takes no later chain sees.
HookResult run_all(HookRun& run, const HookPlan& plan) {
  const std::span<const HookGroup> groups = plan.groups;
  const auto priority = ipvs_priority(run.hook);
  const bool asks = priority && (!run.world.network.ipvs.empty() ||
                                 run.world.network.gap(host::NetworkFact::Ipvs) != nullptr);
  if (!asks) return run_groups(run, groups, plan);
  const auto later = std::ranges::find_if(
      groups, [&](const HookGroup& group) { return group.entries.front().priority >= *priority; });
  const auto before = static_cast<std::size_t>(later - groups.begin());
  HookResult result = run_groups(run, groups.first(before), plan);
  if (ends(result)) return result;
  if (!unread_lets_pass(run.world, host::NetworkFact::Ipvs)) {
    result.end = HookResult::End::Drop;
    return result;
  }
  if (auto taken = run_ipvs(run.world, run.packet)) {
    merge(result, std::move(*taken));
    return result;
  }
  merge(result, run_groups(run, groups.subspan(before), plan));
  return result;
}

HookResult dropped() {
  HookResult result;
  result.end = HookResult::End::Drop;
  return result;
}

}  // namespace

HookResult run_hook(World& world, HookPoint hook, Packet& packet, ConntrackView& view) {
  if (!unread_lets_pass(world, host::NetworkFact::Nftables) ||
      !unread_lets_pass(world, host::NetworkFact::Legacy)) {
    return dropped();
  }
  const bool by_device = hook == HookPoint::Ingress || hook == HookPoint::Egress;
  if (!by_device && !programs_let_pass(world)) return dropped();
  // Beyond some the ways to go would be too many: from there on a rule draws once for all packets.
  constexpr std::size_t kMostDraws = 5;
  if (world.choices.taken().size() < kMostDraws) ++world.hooks_run;
  std::optional<PreparedRuleset> own;
  if (world.prepared == nullptr) own.emplace(world.network);
  // A packet made here begins its way in no zone.
  if (hook == HookPoint::Output && packet.ct == CtState::None) packet.ct_zone = 0;
  const PreparedRuleset& rules = world.prepared != nullptr ? *world.prepared : *own;
  const std::uint32_t link = hook == HookPoint::Egress ? packet.out : packet.in;
  const HookPlan& plan = rules.plan(hook, packet.family, link);
  HookResult result;
  HookRun run{world, rules, hook, packet, view, result};
  HookResult ended = run_all(run, plan);
  merge(result, std::move(ended));
  return result;
}

}  // namespace hark::reach
