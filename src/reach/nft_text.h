// A rule of nf_tables as text, from its bytecode: what `nft list ruleset` would print.
//
// nft keeps no source text in the kernel: it reads the bytecode back as well, and leaves out what
// it put in by itself (that the protocol is TCP, where a port of TCP is asked for). This follows
// nft 1.0.6 for the forms that it makes; what has no words there is said in words of the bytecode,
// between brackets, and never left out.
#pragma once

#include <functional>
#include <string>

#include "host/network.h"
#include "reach/nft_values.h"

namespace hark::reach {

/// What a rule's text needs and the ruleset does not hold. Whatever is empty is done without.
struct RuleTextHelp {
  /// The name of a link by its index; without it `iif` has a number.
  ruletext::LinkName link_name = {};
  /// An iptables match or target in words; without it `xt match "conntrack"`.
  std::function<std::string(const decode::nft::XtMatch&)> match_words = {};
  std::function<std::string(const decode::nft::XtTarget&)> target_words = {};
  /// With what the rule has counted so far; without it no counter is told.
  bool counts = true;
};

/// One line without comment and handle. Anonymous sets stand where they are used, cut after
/// kShownElements. Bytes of names are as they are: whoever prints them escapes them. Time is
/// bounded by the size of the rule and of the anonymous sets and chains that it uses.
[[nodiscard]] std::string rule_text(const host::NftRuleset& ruleset, const decode::nft::Rule& rule,
                                    const RuleTextHelp& help = {});
constexpr std::size_t kShownElements = 24;

}  // namespace hark::reach
