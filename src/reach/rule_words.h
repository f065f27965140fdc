// How a rule is told to people.
#pragma once

#include <string>

#include "host/network.h"

namespace hark::reach {

/// In nft's own words; empty where they are not known.
[[nodiscard]] std::string rule_words(const host::NftRuleset& ruleset,
                                     const decode::nft::Rule& rule);

}  // namespace hark::reach
