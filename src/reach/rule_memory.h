// Rules that are known to match nobody, whoever the client is. Many clients are followed through
// the same rules; most of these are about another port, and need not be run more than once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "decode/nft_ruleset.h"
#include "reach/clients.h"
#include "reach/netfilter.h"
#include "reach/prepared_ruleset.h"

namespace hark::reach {

/// Rules one after the other of which each asks for one range of clients and then drops, accepts or
/// returns: lists of addresses. They are one question with one answer for each verdict. Which of
/// the rules a client meets is told of him, but does not make a class of his own.
struct ClientRun {
  struct Part {
    std::size_t at;  ///< of the rule in its chain
    AddressRange clients;
    decode::nft::Verdict verdict;
    bool operator==(const Part&) const = default;
  };
  std::vector<Part> parts;
  /// Who meets a rule with that verdict first.
  std::map<decode::nft::Verdict, AddressSet> meet;
  AddressSet all;
  std::size_t end = 0;  ///< behind the last
};

/// By the rule with which they begin; most destinations meet the same ones.
using ClientRuns =
    std::unordered_map<const decode::nft::Rule*, std::vector<std::shared_ptr<const ClientRun>>>;

/// The rules of one chain that may match somebody.
class OpenRules {
 public:
  /// There are as many as the chain has rules, for every situation: kept small.
  struct Rule {
    std::uint32_t position = 0;  ///< in the chain
    std::uint32_t run = 0;  ///< 0: not looked for; 1: none; else 2 more than its place in runs_
  };

  OpenRules(const PreparedChain& chain, std::optional<std::uint16_t> port);

  /// The first open one from that position of the chain on; nullptr: there is none.
  [[nodiscard]] Rule* first_from(std::size_t position);
  /// It matches nobody.
  void close(const Rule& rule);

  [[nodiscard]] static bool looked_for_run(const Rule& rule) { return rule.run != 0; }
  /// What was found to begin with this rule; nullptr: nothing does.
  void keep_run(Rule& rule, std::shared_ptr<const ClientRun> run);
  [[nodiscard]] const ClientRun* run_of(const Rule& rule) const {
    return rule.run < kFirstRun ? nullptr : runs_[rule.run - kFirstRun].get();
  }

 private:
  static constexpr std::uint32_t kFirstRun = 2;
  [[nodiscard]] std::size_t open_from(std::size_t at);

  std::vector<Rule> rules_;
  std::vector<std::shared_ptr<const ClientRun>> runs_;
  /// Leads over those that are closed: by place in rules_, one more than it has.
  std::vector<std::uint32_t> next_;
};

class RuleMemory {
 public:
  /// Keeps the reference: what others have found is found once.
  explicit RuleMemory(ClientRuns& found) : runs(found) {}
  ClientRuns& runs;

  struct Rules {
    std::optional<std::uint16_t> port;  ///< the packet's destination port, where it has one
    std::unordered_map<const PreparedChain*, OpenRules> chains = {};

    [[nodiscard]] OpenRules& of(const PreparedChain& chain);
  };

  /// Those of packets that are the same at this hook but for the client. Stays where it is. `port`
  /// follows from the packet.
  [[nodiscard]] Rules& of(HookPoint hook, const Packet& packet, const ConntrackView& view,
                          const Clients& clients, std::optional<std::uint16_t> port);

 private:
  struct Situation {
    HookPoint hook;
    Packet packet;
    ConntrackView view;
    Rules rules = {};
  };
  std::deque<Situation> situations_;
};

}  // namespace hark::reach
