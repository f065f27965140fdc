#include "reach/rule_words.h"

namespace hark::reach {

std::string rule_words(const host::NftRuleset& /*ruleset*/, const decode::nft::Rule& /*rule*/) {
  return {};
}

}  // namespace hark::reach
