#include "reach/picture.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "reach/prepared_ruleset.h"

namespace hark::reach {
namespace {

struct Hooked {
  HookPoint hook;
  bool by_link;  ///< its chains are those of one link
};

/// The hooks at which netfilter looks at a packet on a stage, in order.
std::vector<Hooked> hooks_at(Stage stage) {
  switch (stage) {
    case Stage::Netdev:
      return {{HookPoint::Ingress, true}};
    case Stage::Prerouting:
      return {{HookPoint::Prerouting, false}};
    case Stage::Input:
      return {{HookPoint::Input, false}};
    case Stage::Forward:
      return {{HookPoint::Forward, false}, {HookPoint::Postrouting, false}};
    case Stage::Reply:
      return {{HookPoint::Output, false}, {HookPoint::Postrouting, false}};
    case Stage::Link:
    case Stage::Xdp:
    case Stage::Tc:
    case Stage::Route:
    case Stage::Socket:
    case Stage::Handshake:
    case Stage::Process:
      break;
  }
  return {};
}

std::string chain_words(const HookEntry& entry) {
  switch (entry.kind) {
    case HookEntry::Kind::Chain:
      return entry.chain->table->key + " " + entry.chain->chain->name;
    case HookEntry::Kind::Legacy:
      return (entry.legacy->family == Family::Inet ? "iptables " : "ip6tables ") +
             entry.legacy->name;
    case HookEntry::Kind::Conntrack:
    case HookEntry::Kind::Confirm:
    case HookEntry::Kind::Nat:
      break;
  }
  return "conntrack";
}

/// Does a text of the engine speak of that chain? "dropped by inet filter input handle 7".
bool names(std::string_view text, const std::string& chain) {
  for (std::size_t at = text.find(chain); at != std::string_view::npos;
       at = text.find(chain, at + 1)) {
    const std::size_t behind = at + chain.size();
    const bool begins = at == 0 || text[at - 1] == ' ';
    if (begins && (behind == text.size() || text[behind] == ' ' || text[behind] == ':'))
      return true;
  }
  return false;
}

void add_chains(const HookPlan& plan, const std::vector<HookGroup>& groups,
                std::vector<PictureChain>& out) {
  for (const HookGroup& group : groups) {
    for (const HookEntry& entry : group.entries) {
      if (entry.kind == HookEntry::Kind::Confirm) continue;  // decides nothing
      // The NAT core runs the chains of NAT.
      if (entry.kind == HookEntry::Kind::Nat) {
        add_chains(plan, plan.nat, out);
        continue;
      }
      out.push_back(
          {.name = chain_words(entry), .priority = entry.priority, .sure = group.others.empty()});
    }
  }
}

class Painter {
 public:
  Painter(const host::Network& network, const Answer& answer)
      : rules_(network), netns_(network.netns), answer_(answer) {}

  std::vector<PictureStage> paint() {
    for (const Step& step : answer_.path) {
      const bool here = step.netns == netns_;
      if (out_.empty() || out_.back().stage != step.stage ||
          out_.back().steps.back().netns != step.netns) {
        // Of another namespace the chains are not at hand.
        out_.push_back({.stage = step.stage,
                        .steps = {},
                        .chains = here ? chains_at(step.stage) : std::vector<PictureChain>()});
      }
      out_.back().steps.push_back(step);
    }
    for (PictureStage& stage : out_) mark(stage);
    mark_end();
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::vector<PictureChain> chains_at(Stage stage) const {
    std::vector<PictureChain> out;
    const Question& asked = answer_.question;
    for (const Hooked& hooked : hooks_at(stage)) {
      const HookPlan& plan =
          rules_.plan(hooked.hook, asked.destination.family, hooked.by_link ? asked.interface : 0);
      add_chains(plan, plan.groups, out);
    }
    return out;
  }

  static void mark(PictureStage& stage) {
    for (PictureChain& chain : stage.chains) {
      chain.acted = std::ranges::any_of(
          stage.steps, [&](const Step& step) { return names(step.detail, chain.name); });
    }
  }

  /// The step that decides: the first that stops it; else where it is taken.
  void mark_end() {
    const auto ends = [](const Step& step) {
      return step.verdict == "stop" || step.verdict == "unknown";
    };
    auto at = std::ranges::find_if(
        out_, [&](const PictureStage& stage) { return std::ranges::any_of(stage.steps, ends); });
    if (at == out_.end()) at = std::ranges::find(out_, Stage::Socket, &PictureStage::stage);
    if (at == out_.end()) return;
    at->decided = true;
    for (PictureChain& chain : at->chains) {
      chain.decided = std::ranges::any_of(at->steps, [&](const Step& step) {
        return ends(step) && names(step.detail, chain.name);
      });
    }
  }

  PreparedRuleset rules_;
  host::NetnsId netns_;
  const Answer& answer_;
  std::vector<PictureStage> out_;
};

}  // namespace

std::vector<PictureStage> picture_of(const host::Network& network, const Answer& answer) {
  return Painter(network, answer).paint();
}

}  // namespace hark::reach
