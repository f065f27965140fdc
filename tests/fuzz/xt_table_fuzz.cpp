// decode_table: whatever is accepted has jumps to chains that are there, and can be printed.
#include <algorithm>
#include <cstdlib>
#include <span>

#include "decode/xt_table.h"
#include "decode/xt_words.h"
#include "reach/xt.h"

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hark;
  constexpr std::size_t kInfo = 84;  // sizeof(ipt_getinfo)
  const ByteView bytes = std::as_bytes(std::span(data, size));
  const ByteView info = bytes.first(std::min(size, kInfo));
  for (const Family family : {Family::Inet, Family::Inet6}) {
    const auto table = decode::xt::decode_table(family, info, bytes.subspan(info.size()));
    if (!table) {
      require(!table.error().why.empty());
      continue;
    }
    require(table->family == family);
    for (std::size_t i = 0; i < table->chains.size(); ++i) {
      for (std::size_t j = 0; j < table->chains[i].rules.size(); ++j) {
        const auto& rule = table->chains[i].rules[j];
        require(rule.jump != decode::xt::Rule::Jump::Chain || rule.chain < table->chains.size());
        require(reach::legacy_rule_text(*table, i, j, nullptr).starts_with("-A "));
      }
    }
  }
  return 0;
}
