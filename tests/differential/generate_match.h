// The parts of random nftables rules.
#pragma once

#include <string>
#include <vector>

#include "generate.h"

namespace hark::differential {

/// A named set or map of the table.
struct NamedSet {
  std::string name;
  std::string type;  ///< "v4", "v6", "port", "v4.port", "verdicts-port" …
};

/// Where a rule stands.
struct Scope {
  Plan& plan;
  std::string family = {};
  std::string hook = {}, type = {};
  bool in_chain = false;
  std::vector<std::string> chains = {};  ///< that can be jumped to
  std::vector<NamedSet> sets = {};
  // Of the rule that is being made: nft refuses one that can never match.
  bool v6 = false, tcp = true;
  std::vector<std::string> used = {};  ///< kinds of matches
  [[nodiscard]] bool netdev() const { return family == "netdev"; }
  [[nodiscard]] bool before_routing() const {
    return hook == "prerouting" || hook == "input" || hook == "ingress";
  }
};

/// Begins a rule.
void begin_rule(Scope& scope);
/// One match, such as `ip saddr != 192.0.2.0/28`.
[[nodiscard]] std::string match(Scope& scope);
/// A rule that ends in a verdict map; may be empty.
[[nodiscard]] std::string verdict_map_rule(Scope& scope);
/// Declares the table's sets, and notes them in the scope.
[[nodiscard]] std::string sets_of_table(Scope& scope);

}  // namespace hark::differential
