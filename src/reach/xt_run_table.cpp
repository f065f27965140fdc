// ipt_do_table() and ip6t_do_table() of net/ipv4/netfilter/ip_tables.c, net/ipv6/netfilter/
// ip6_tables.c.
#include <algorithm>
#include <optional>

#include "reach/client_tests.h"
#include "reach/clients.h"
#include "reach/nat.h"
#include "reach/xt.h"
#include "reach/xt_ask.h"
#include "reach/xt_prepared.h"

namespace hark::reach {
namespace {

using decode::xt::Chain;
using decode::xt::Rule;
using decode::xt::Table;

std::optional<std::uint32_t> number_of(HookPoint hook) {
  switch (hook) {
    case HookPoint::Prerouting:
      return 0;
    case HookPoint::Input:
      return 1;
    case HookPoint::Forward:
      return 2;
    case HookPoint::Output:
      return 3;
    case HookPoint::Postrouting:
      return 4;
    case HookPoint::Ingress:
    case HookPoint::Egress:
    case HookPoint::ArpIn:
    case HookPoint::ArpOut:
    case HookPoint::BridgePrerouting:
    case HookPoint::BridgeInput:
      return std::nullopt;
  }
  return std::nullopt;
}

const char* tool_of(Family family) {
  return family == Family::Inet ? "iptables" : "ip6tables";
}

class Run {
 public:
  Run(World& world, HookPoint hook, const Table& table, Packet& packet, ConntrackView& view)
      : world_(world), hook_(hook), table_(table), packet_(packet), view_(view) {}

  HookResult from(const Chain& base) {
    chain_ = static_cast<std::size_t>(&base - table_.chains.data());
    base_ = chain_;
    // A jump goes down to a chain that is not being walked (the kernel refuses loops), and each
    // step goes on: what is bounded here is only what a broken table could do.
    for (std::size_t step = 0; step < kMostSteps; ++step)
      if (auto end = next()) return *end;
    return ended(HookResult::End::Drop, std::nullopt);
  }

 private:
  static constexpr std::size_t kMostSteps = 10'000'000;
  static constexpr std::size_t kDeepest = 10'000;

  struct Frame {
    std::size_t chain = 0, rule = 0;
  };

  [[nodiscard]] RulePlace place(std::size_t chain, std::optional<std::size_t> rule) const {
    RulePlace out;
    out.tool = tool_of(table_.family);
    out.table = table_.name;
    out.chain = table_.chains[chain].name;
    out.nat = table_.name == "nat";
    out.policy = !rule.has_value();
    if (!rule) return out;
    out.number = static_cast<std::uint32_t>(*rule + 1);
    out.rule = legacy_rule_text(table_, chain, *rule, &world_.network);
    out.comment = comment_of(table_.chains[chain].rules[*rule]);
    return out;
  }

  static std::string comment_of(const Rule& rule) {
    for (const auto& match : rule.matches) {
      const auto blob = decode::xt::read(match);
      if (blob && blob->name() == "comment") return blob->text(Field::Text);
    }
    return {};
  }

  HookResult ended(HookResult::End end, std::optional<RulePlace> place) {
    HookResult out;
    out.end = end;
    if (place) out.place = std::make_shared<const ToldPlace>(std::move(*place));
    out.notes = std::move(notes_);
    return out;
  }

  /// "-s ADDRESS -j DROP" and no more.
  [[nodiscard]] bool asks_for_clients(const Rule& rule) const {
    const bool ends = rule.jump == Rule::Jump::Drop || rule.jump == Rule::Jump::Accept ||
                      rule.jump == Rule::Jump::Return;
    return ends && rule.matches.empty() && !rule.source.any() && !rule.not_source &&
           rule.destination.any() && rule.in.any() && rule.out.any() && rule.protocol == 0 &&
           rule.fragments == rule.not_fragments;
  }

  /// Many such rules, one after the other, that end alike are one question. Nothing: there are too
  /// few of them, or one of another kind comes first. True: the next rule is the one that the
  /// client meets; false: it is none of them, and the walk is behind them.
  std::optional<bool> meet_list(const Chain& chain) {
    constexpr std::size_t kLeast = 32;
    const Rule::Jump jump = chain.rules[rule_].jump;
    std::size_t end = rule_;
    while (end < chain.rules.size() && chain.rules[end].jump == jump &&
           asks_for_clients(chain.rules[end]) && range_asked(chain.rules[end].source)) {
      ++end;
    }
    if (end - rule_ < kLeast) return std::nullopt;
    if (packet_.tuple.source != world_.clients->address()) return std::nullopt;
    const auto* first = &chain.rules[rule_];
    std::string key(reinterpret_cast<const char*>(&first), sizeof first);
    auto known = world_.clients->groups.find(key);
    if (known == world_.clients->groups.end()) {
      std::vector<AddressRange> ranges;
      for (std::size_t at = rule_; at < end; ++at) {
        ranges.push_back(*range_asked(chain.rules[at].source));
      }
      ClientGroups all{
          .groups = {}, .all_addresses = AddressSet(std::move(ranges)), .all_ports = {}};
      known = world_.clients->groups.emplace(std::move(key), std::move(all)).first;
    }
    world_.clients->split(known->second.all_addresses);
    list_ = {.chain = chain_, .rule = end};
    while (rule_ < end && !chain.rules[rule_].source.matches(packet_.tuple.source)) ++rule_;
    return rule_ < end;
  }

  /// The addresses that it is about, where they are one range.
  static std::optional<AddressRange> range_asked(const decode::xt::AddressMatch& match) {
    const auto ranges = masked_ranges(match.address, match.mask, match.address.bits() / 8);
    if (!ranges || ranges->size() != 1) return std::nullopt;
    return ranges->front();
  }

  /// One rule, or what stands behind the last: nothing where the walk goes on.
  std::optional<HookResult> next() {
    const Chain& chain = table_.chains[chain_];
    if (rule_ >= chain.rules.size()) return end_of_chain();
    bool met = false;
    if (chain_ == list_.chain && rule_ < list_.rule) {
      // Behind a rule of a list that is to be taken for removed: who is in the list is settled.
      met = chain.rules[rule_].source.matches(packet_.tuple.source);
      if (!met) return ++rule_, std::nullopt;
    } else if (world_.clients != nullptr && asks_for_clients(chain.rules[rule_])) {
      const auto list = meet_list(chain);
      if (list && !*list) return std::nullopt;
      met = list.has_value();
    }
    const std::size_t at = rule_++;
    const Rule& rule = chain.rules[at];
    const XtMatched matched = met ? XtMatched::Yes : matches(rule, at);
    if (matched == XtMatched::HotDrop) {
      const RulePlace where = place(chain_, at);
      if (world_.is_waived(key_of(where))) return std::nullopt;
      return ended(HookResult::End::Drop, where);
    }
    if (matched == XtMatched::No) return std::nullopt;
    return act(rule, at);
  }

  std::optional<HookResult> end_of_chain() {
    if (!stack_.empty()) {
      chain_ = stack_.back().chain;
      rule_ = stack_.back().rule;
      stack_.pop_back();
      return std::nullopt;
    }
    const RulePlace where = place(base_, std::nullopt);
    const bool drops = table_.chains[base_].policy != Rule::Jump::Accept;
    if (!drops || world_.is_waived(key_of(where))) return ended(HookResult::End::Accept, where);
    return ended(HookResult::End::Drop, where);
  }

  [[nodiscard]] XtContext context(std::size_t at) const {
    const Chain& chain = table_.chains[chain_];
    return {hook_, table_.family,
            std::string(tool_of(table_.family)) + " " + table_.name + " " + chain.name + " rule " +
                std::to_string(at + 1)};
  }

  [[nodiscard]] std::string device(std::uint32_t index, bool shown) const {
    const host::Link* link = shown && index != 0 ? world_.network.link(index) : nullptr;
    return link == nullptr ? std::string() : link->name;
  }

  /// ip_packet_match(); no packet of a question is a fragment.
  [[nodiscard]] bool header_matches(const Rule& rule) {
    if (!rule.in.any() || rule.not_in) {
      if (rule.in.matches(device(packet_.in, has_in(hook_))) == rule.not_in) return false;
    }
    if (!rule.out.any() || rule.not_out) {
      if (rule.out.matches(device(packet_.out, has_out(hook_))) == rule.not_out) return false;
    }
    if (rule.protocol != 0 && (rule.protocol == packet_.protocol) == rule.not_protocol)
      return false;
    if (rule.fragments != rule.not_fragments) return false;
    const Tuple& tuple = packet_.tuple;
    return address_matches(tuple.destination, rule.destination) != rule.not_destination &&
           address_matches(tuple.source, rule.source) != rule.not_source;
  }

  [[nodiscard]] static bool ports_fail(const Rule& rule, const Packet& packet) {
    return std::ranges::any_of(
        rule.matches, [&packet](const auto& match) { return xt_port_fails(match, packet); });
  }

  [[nodiscard]] bool address_matches(const IpAddress& asked,
                                     const decode::xt::AddressMatch& match) {
    return match.any() || masked_equal(world_, asked, match.address, match.mask);
  }

  XtMatched matches(const Rule& rule, std::size_t at) {
    // Whom the source tells apart does not matter where the port is another one for all.
    if (world_.clients != nullptr && ports_fail(rule, packet_)) return XtMatched::No;
    if (!header_matches(rule)) return XtMatched::No;
    if (rule.matches.empty()) return XtMatched::Yes;
    const XtContext where = context(at);
    for (const auto& match : rule.matches) {
      const XtMatched matched = xt_match(world_, where, match, packet_, view_);
      if (matched != XtMatched::Yes) return matched;
    }
    return XtMatched::Yes;
  }

  std::optional<HookResult> act(const Rule& rule, std::size_t at) {
    switch (rule.jump) {
      case Rule::Jump::Continue:
        return std::nullopt;
      case Rule::Jump::Accept:
        return ended(HookResult::End::Accept, place(chain_, at));
      case Rule::Jump::Drop:
        return stop(HookResult::End::Drop, at);
      case Rule::Jump::Queue:
        return stop(HookResult::End::Queue, at);
      case Rule::Jump::Return:
        rule_ = table_.chains[chain_].rules.size();
        return std::nullopt;
      case Rule::Jump::Chain:
        if (!rule.go_to) {
          if (stack_.size() >= kDeepest) return ended(HookResult::End::Drop, place(chain_, at));
          stack_.push_back({chain_, rule_});
        }
        chain_ = rule.chain;
        rule_ = 0;
        return std::nullopt;
      case Rule::Jump::Target:
        return aim(rule, at);
    }
    return std::nullopt;
  }

  /// An end that whoever asks may have waived.
  std::optional<HookResult> stop(HookResult::End end, std::size_t at) {
    RulePlace where = place(chain_, at);
    if (world_.is_waived(key_of(where))) return std::nullopt;
    return ended(end, std::move(where));
  }

  std::optional<HookResult> aim(const Rule& rule, std::size_t at) {
    const XtEffect effect = xt_target(world_, context(at), rule.target, packet_, view_);
    if (!effect.note.empty()) notes_.push_back(effect.note);
    switch (effect.verdict) {
      case XtEffect::Verdict::Continue:
        return std::nullopt;
      case XtEffect::Verdict::Accept:
        if (effect.nat &&
            !apply_nat(world_, hook_, *effect.nat, packet_, view_, context(at).place, notes_))
          return stop(HookResult::End::Drop, at);
        return ended(HookResult::End::Accept, place(chain_, at));
      case XtEffect::Verdict::Return:
        rule_ = table_.chains[chain_].rules.size();
        return std::nullopt;
      case XtEffect::Verdict::Drop:
        return stop(HookResult::End::Drop, at);
      case XtEffect::Verdict::Stolen:
        return stop(HookResult::End::Stolen, at);
      case XtEffect::Verdict::Queue:
        return stop(HookResult::End::Queue, at);
      case XtEffect::Verdict::Synproxy:
        return stop(HookResult::End::Synproxy, at);
      case XtEffect::Verdict::Reject:
        break;
    }
    auto out = stop(HookResult::End::Reject, at);
    if (!out) return out;
    out->tcp_reset = effect.tcp_reset;
    out->icmp_type = effect.icmp_type;
    out->icmp_code = effect.icmp_code;
    return out;
  }

  World& world_;
  HookPoint hook_;
  const Table& table_;
  Packet& packet_;
  ConntrackView& view_;
  std::size_t base_ = 0, chain_ = 0, rule_ = 0;
  Frame list_ = {};  ///< the end of the list of addresses that was met last
  std::vector<Frame> stack_;
  std::vector<std::string> notes_;
};

/// A table that could not be decoded may do anything.
HookResult unreadable(World& world, const host::LegacyTable& table) {
  HookResult out;
  const std::string name = std::string(tool_of(table.family)) + " " + table.name;
  if (!world.choices.pick({"iptables-table", "the table " + name + " is not understood",
                           "iptables-table:" + name, Doubt::Opaque}))
    out.end = HookResult::End::Drop;
  return out;
}

/// A packet's rules may change its mark or addresses on the way out: then it is routed again
/// (ipt_mangle_out, ip6t_mangle_out of iptable_mangle.c).
bool routed_again(const host::LegacyTable& table, HookPoint hook, const Packet& before,
                  const Packet& after) {
  if (table.name != "mangle" || hook != HookPoint::Output) return false;
  return before.mark != after.mark || before.tos != after.tos ||
         before.tuple.source != after.tuple.source ||
         before.tuple.destination != after.tuple.destination;
}

}  // namespace

HookResult run_legacy_table(World& world, HookPoint hook, const host::LegacyTable& table,
                            Packet& packet, ConntrackView& view) {
  const auto number = number_of(hook);
  if (!number || table.family != packet.family) return {};
  std::optional<PreparedXt> own;
  const Table* decoded = nullptr;
  decode::xt::Table one;
  if (world.xt != nullptr) {
    decoded = world.xt->table(table);
  } else if (auto read = decode::xt::decode_table(table.family, table.info, table.entries)) {
    one = std::move(*read);
    decoded = &one;
  }
  if (decoded == nullptr) return unreadable(world, table);
  const Chain* base = decoded->at_hook(*number);
  if (base == nullptr) return {};
  const Packet before = packet;
  HookResult out = Run(world, hook, *decoded, packet, view).from(*base);
  if (out.end == HookResult::End::Accept) out.rerouted = routed_again(table, hook, before, packet);
  return out;
}

}  // namespace hark::reach
