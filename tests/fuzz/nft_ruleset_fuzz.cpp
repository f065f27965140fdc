// The decoders of nf_tables; the first byte chooses one. What is accepted keeps to what
// nft_expression_rules.h and nft_ruleset.h promise to those who evaluate it.
#include <cstdint>
#include <cstdlib>

#include "decode/nft_expression_rules.h"
#include "decode/nft_expressions.h"
#include "decode/nft_ruleset.h"

namespace {

using namespace hark;
using namespace hark::decode::nft;

void require(bool truth) {
  if (!truth) std::abort();
}

void check(const std::vector<Expression>& expressions) {
  for (const Expression& expression : expressions) {
    require(broken_rule(expression.operation).empty());
    if (const auto* unknown = std::get_if<Unknown>(&expression.operation)) {
      require(!unknown->why.empty());
    }
    if (const auto* dynset = std::get_if<Dynset>(&expression.operation)) {
      check(dynset->expressions);
    }
  }
}

template <typename T>
bool failed(const Result<T>& result) {
  if (!result) require(!result.error().what.empty());
  return !result;
}

/// A set with the lengths that the input asks for.
Set set_for(std::uint8_t choice) {
  Set set{.family = TableFamily::Ip, .table = "g", .name = "s"};
  constexpr std::uint32_t kLengths[] = {2, 4, 8, 16};
  set.key_length = kLengths[choice & 3U];
  if ((choice & 4U) != 0) set.flags = kSetMap;
  if ((choice & 8U) != 0) set.data_type = kDataVerdict;
  set.data_length = (choice & 16U) != 0 ? 8 : 4;
  return set;
}

void elements(ByteView bytes) {
  if (bytes.empty()) return;
  const Set set = set_for(std::to_integer<std::uint8_t>(bytes[0]));
  const auto found = decode_elements(bytes.subspan(1), set);
  if (failed(found)) return;
  for (const Element& element : *found) {
    require(element.catch_all ? element.key.empty() : element.key.size() == set.key_length);
    require(!element.key_end || element.key_end->size() == set.key_length);
    require(!element.data || element.data->size() == set.data_length);
    require(!element.verdict || (set.map() && set.data_type == kDataVerdict));
    check(element.expressions);
  }
}

void sets(ByteView bytes) {
  const auto found = decode_sets(bytes);
  if (failed(found)) return;
  for (const Set& set : *found) {
    require(set.key_length >= 1 && set.key_length <= 64 && set.data_length <= 64);
    std::uint32_t all = 0;
    for (const std::uint32_t field : set.fields) all += (field + 3) / 4 * 4;
    require(set.fields.empty() || all == set.key_length);
    require(!set.name.empty() && !set.table.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes = std::as_bytes(std::span(data + 1, size - 1));
  constexpr unsigned kDecoders = 9;
  switch (data[0] % kDecoders) {
    case 0:
      (void)failed(decode_generation(bytes));
      break;
    case 1:
      (void)failed(decode_tables(bytes));
      break;
    case 2: {
      const auto chains = decode_chains(bytes);
      if (failed(chains)) break;
      for (const Chain& chain : *chains) require(chain.hook.has_value() != chain.type.empty());
      break;
    }
    case 3: {
      const auto rules = decode_rules(bytes);
      if (failed(rules)) break;
      for (const Rule& rule : *rules) check(rule.expressions);
      break;
    }
    case 4:
      sets(bytes);
      break;
    case 5:
      (void)failed(decode_objects(bytes));
      break;
    case 6:
      (void)failed(decode_flowtables(bytes));
      break;
    case 7:
      elements(bytes);
      break;
    default:
      if (const auto expressions = decode_expressions(bytes)) check(*expressions);
      break;
  }
  return 0;
}
