// Rules that are known to match nobody, whoever the client is. Many clients are followed through
// the same rules; most of these are about another port, and need not be run more than once.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "decode/nft_ruleset.h"
#include "reach/clients.h"
#include "reach/netfilter.h"

namespace hark::reach {

/// Rules one after the other of which each asks for one range of clients and then drops, accepts or
/// returns: lists of addresses. They are one question with one answer for each verdict. Which of
/// the rules a client meets is told of him, but does not make a class of his own.
struct ClientRun {
  struct Part {
    std::size_t at;  ///< of the rule in its chain
    AddressRange clients;
    decode::nft::Verdict verdict;
  };
  std::vector<Part> parts;
  /// Who meets a rule with that verdict first.
  std::map<decode::nft::Verdict, AddressSet> meet;
  AddressSet all;
  std::size_t end = 0;  ///< behind the last
};

class RuleMemory {
 public:
  struct Rules {
    std::unordered_set<const decode::nft::Rule*> failing;
    /// By the rule with which it begins; nullptr: none does there.
    std::unordered_map<const decode::nft::Rule*, std::unique_ptr<const ClientRun>> runs;
  };

  /// Those of packets that are the same at this hook but for the client. Stays where it is.
  [[nodiscard]] Rules& of(HookPoint hook, const Packet& packet, const ConntrackView& view,
                          const Clients& clients);

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
