// What stands on the wire of an expression where that is not what the operation holds, and how it
// is read.
#pragma once

#include <linux/netfilter/nf_tables.h>

#include <cstdint>
#include <optional>

#include "decode/nft_attributes.h"
#include "decode/nft_expression.h"

namespace hark::decode::nft::grammar {

struct AnyImmediate {
  std::uint32_t dreg = 0;
  std::optional<Bytes> data = {};
  std::optional<VerdictTo> verdict = {};
};
inline bool immediate_data(const NetlinkAttribute& attribute, AnyImmediate& out) {
  out.data = data_value(attribute);
  out.verdict = data_verdict(attribute);
  return out.data || out.verdict;
}
/// nft_payload_set_dump and nft_payload_dump: one name for reading and writing.
struct AnyPayload {
  std::optional<Reg> dreg = {};
  std::optional<Reg> sreg = {};
  PayloadBase base = PayloadBase::Network;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};
struct AnyLookup {
  Lookup lookup = {};
  std::optional<std::uint32_t> dreg = {};
};
/// Of a shift `data` is a number of bits, of And, Or and Xor the other operand.
struct AnyBitwise {
  Bitwise bitwise = {};
  Bytes data = {};
};
struct AnyLast {
  std::uint32_t used = 0;
  std::uint64_t ms = 0;
};

/// The expressions in an expression: nft_expressions.cpp.
bool dynset_expression(const NetlinkAttribute& attribute, Dynset& out);
bool dynset_expressions(const NetlinkAttribute& attribute, Dynset& out);
inline bool dynset_flags(const NetlinkAttribute& attribute, Dynset& out) {
  const auto flags = big_endian<std::uint32_t>(attribute);
  if (!flags || (*flags & ~std::uint32_t{NFT_DYNSET_F_INV | NFT_DYNSET_F_EXPR}) != 0) return false;
  out.inverted = (*flags & NFT_DYNSET_F_INV) != 0;
  return true;
}
/// nft_quota_do_dump tells with a flag of its own that it has been used up.
inline bool quota_flags(const NetlinkAttribute& attribute, Quota& out) {
  const auto flags = big_endian<std::uint32_t>(attribute);
  if (!flags || (*flags & ~std::uint32_t{NFT_QUOTA_F_INV | NFT_QUOTA_F_DEPLETED}) != 0)
    return false;
  out.inverted = (*flags & NFT_QUOTA_F_INV) != 0;
  return true;
}
inline bool byteorder_op(const NetlinkAttribute& attribute, Byteorder& out) {
  const auto op = big_endian<std::uint32_t>(attribute);
  if (!op || *op > NFT_BYTEORDER_HTON) return false;
  out.to_host = *op == NFT_BYTEORDER_NTOH;
  return true;
}
inline bool log_prefix(const NetlinkAttribute& attribute, Log& out) {
  out.prefix = attribute.text();
  return true;
}

}  // namespace hark::decode::nft::grammar
