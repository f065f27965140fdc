// From the attributes of an expression to what it does: the dump functions of
// net/netfilter/nft_*.c.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "decode/nft_expression.h"

namespace hark::decode::nft {

/// The attributes of NFTA_EXPR_*: a name and its data. An expression, or a part of one, that this
/// program does not know becomes Unknown. Nothing: the attributes themselves cannot be read.
[[nodiscard]] std::optional<Expression> decode_expression(ByteView attributes);

/// The NFTA_LIST_ELEMs of a list of expressions.
[[nodiscard]] std::optional<std::vector<Expression>> decode_expressions(ByteView list);

/// The data alone, of an expression or of an object that is one: "limit".
[[nodiscard]] Operation decode_operation(std::string_view name, ByteView data);

}  // namespace hark::decode::nft
