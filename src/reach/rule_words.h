// How a rule is told to people.
#pragma once

#include <string>

#include "host/network.h"

namespace hark::reach {

/// In the words of nft and iptables, without handle and comment.
[[nodiscard]] std::string rule_words(const host::Network& network, const decode::nft::Rule& rule);

}  // namespace hark::reach
