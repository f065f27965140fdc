// Comparisons and lookups of bytes that are the client's, where many clients are followed at once
// (clients.h): the answer is the witness's, and those who would get another one leave. All give
// nothing where the bytes are not the client's, or which clients leave takes too long to say: then
// they are bytes that are not known.
#pragma once

#include <optional>
#include <vector>

#include "reach/nft_machine.h"

namespace hark::reach {

[[nodiscard]] std::optional<bool> compare_clients(Machine& machine, decode::nft::Reg reg,
                                                  decode::nft::CmpOp op, ByteView data);
[[nodiscard]] std::optional<bool> clients_within(Machine& machine, decode::nft::Reg reg,
                                                 ByteView from, ByteView to);

/// The bytes with the witness's in the place of the client's; nothing where others are not known.
[[nodiscard]] std::optional<Bytes> witness_bytes(const Machine& machine, decode::nft::Reg reg,
                                                 std::size_t length);
/// What an expression comes to for everybody; nothing: that depends, or it does more than ask.
[[nodiscard]] std::optional<Next> for_everybody(Machine& machine,
                                                const decode::nft::Expression& expression);
/// Of "the client's address is …" the range that is meant, and nothing else; of any other
/// comparison nothing.
[[nodiscard]] std::optional<AddressRange> asked_range(const Machine& machine,
                                                      const decode::nft::Cmp& op);
/// The clients stay for which the set holds what it holds for the witness.
[[nodiscard]] bool split_by_set(Machine& machine, const PreparedSet& set, decode::nft::Reg reg);

}  // namespace hark::reach
