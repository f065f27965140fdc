// What every operation that the kernel takes keeps to: nft_*_init of net/netfilter. Whoever
// evaluates an operation may rely on it.
#pragma once

#include <string>

#include "decode/nft_expression.h"

namespace hark::decode::nft {

/// Why an operation is none that the kernel would have taken, or one that this program does not
/// know ("meta key 99"); empty: all is well. Then
/// - what is read or written stays within the sixteen registers, and is not empty;
/// - operands are as long as the operation says, both ends of a range equally long;
/// - keys, operators, types and the like are ones that nft_keys.h names;
/// - Meta and Ct have exactly one of `dreg` and `sreg`, Exthdr at most one;
/// - a shift is by 1 to 31 bits and its length a multiple of 4 but for the last register's rest.
/// The length of a set's key is not known here: Lookup, Dynset and ObjectRef may reach too far.
[[nodiscard]] std::string broken_rule(const Operation& operation);

}  // namespace hark::decode::nft
