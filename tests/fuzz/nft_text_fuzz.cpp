// The text of rules: three answers of the kernel one behind the other, each with its length in 16
// bits before it: rules, sets, and elements for the first of these sets. Every rule has a text that
// says of everything that is not known that it is not.
#include <cstdint>
#include <cstdlib>

#include "reach/nft_text.h"

namespace {

using namespace hark;

void require(bool truth) {
  if (!truth) std::abort();
}

ByteView piece(ByteReader& reader) {
  const auto length = reader.value<std::uint16_t>();
  return reader.take(std::min<std::size_t>(length, reader.left()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader reader(std::as_bytes(std::span(data, size)));
  host::NftRuleset ruleset;
  if (auto rules = decode::nft::decode_rules(piece(reader))) ruleset.rules = std::move(*rules);
  if (auto sets = decode::nft::decode_sets(piece(reader))) ruleset.sets = std::move(*sets);
  if (!ruleset.sets.empty()) {
    auto elements = decode::nft::decode_elements(piece(reader), ruleset.sets.front());
    if (elements) ruleset.sets.front().elements = std::move(*elements);
  }
  for (const decode::nft::Rule& rule : ruleset.rules) {
    const std::string text = reach::rule_text(ruleset, rule);
    for (const decode::nft::Expression& expression : rule.expressions) {
      const auto* unknown = std::get_if<decode::nft::Unknown>(&expression.operation);
      if (unknown != nullptr) require(text.find(unknown->why) != std::string::npos);
    }
    require(reach::rule_text(ruleset, rule) == text);
  }
  return 0;
}
