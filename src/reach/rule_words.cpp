#include "reach/rule_words.h"

#include "reach/nft_text.h"
#include "reach/xt.h"

namespace hark::reach {

std::string rule_words(const host::Network& network, const decode::nft::Rule& rule) {
  RuleTextHelp help;
  help.counts = false;
  help.link_name = [&network](std::uint32_t index) {
    const host::Link* link = network.link(index);
    return link == nullptr ? std::string() : link->name;
  };
  help.match_words = [](const decode::nft::XtMatch& match) { return words_of(match); };
  help.target_words = [](const decode::nft::XtTarget& target) { return words_of(target); };
  return rule_text(network.nft, rule, help);
}

}  // namespace hark::reach
