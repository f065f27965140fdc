#include "decode/nft_expression.h"

#include <tuple>

namespace hark::decode::nft {

/// Member by member, because a defaulted one outside of its class crashes clang 14.
bool Dynset::operator==(const Dynset& other) const {
  const auto members = [](const Dynset& it) {
    return std::tie(it.set, it.op, it.sreg_key, it.sreg_data, it.timeout_ms, it.inverted,
                    it.expressions);
  };
  return members(*this) == members(other);
}

}  // namespace hark::decode::nft
