// Rules that are known to match nobody, whoever the client is. Many clients are followed through
// the same rules; most of these are about another port, and need not be run more than once.
#pragma once

#include <deque>
#include <unordered_set>

#include "decode/nft_ruleset.h"
#include "reach/clients.h"
#include "reach/netfilter.h"

namespace hark::reach {

class RuleMemory {
 public:
  using Rules = std::unordered_set<const decode::nft::Rule*>;

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
