#include "decode/nft_attributes.h"

#include <array>

namespace hark::decode::nft {
namespace {

/// A nested attribute that holds one attribute of this type.
std::optional<NetlinkAttribute> only(const NetlinkAttribute& nest, std::uint16_t type) {
  NetlinkAttributes attributes(nest.bytes);
  const auto first = attributes.next();
  if (!first || first->type != type || attributes.next() || attributes.broken()) return {};
  return first;
}

struct WireVerdict {
  std::uint32_t code = 0;
  std::string chain = {};
};
constexpr std::array<Field<WireVerdict>, 2> kVerdict = {{
    {NFTA_VERDICT_CODE, be32<&WireVerdict::code>, kRequired},
    {NFTA_VERDICT_CHAIN, name<&WireVerdict::chain>},
}};

/// nft_verdict_init: verdicts that can stand in a rule. A queue's number is in the upper half.
std::optional<Verdict> verdict_of(std::uint32_t code) {
  constexpr std::uint32_t kVerdictMask = 0xff;  // NF_VERDICT_MASK
  const auto number = static_cast<std::int32_t>(code);
  if (number >= static_cast<std::int32_t>(Verdict::Return) && number < 0) {
    return static_cast<Verdict>(number);
  }
  const std::uint32_t plain = code & kVerdictMask;
  if (plain == static_cast<std::uint32_t>(Verdict::Queue)) return Verdict::Queue;
  if (code <= static_cast<std::uint32_t>(Verdict::Stolen)) return static_cast<Verdict>(number);
  return std::nullopt;
}

}  // namespace

std::optional<Reg> register_of(std::uint32_t wire) {
  constexpr std::uint32_t kWordsOfOld = NFT_REG_SIZE / NFT_REG32_SIZE;
  if (wire >= NFT_REG_1 && wire <= NFT_REG_4) {
    return static_cast<Reg>((wire - NFT_REG_1) * kWordsOfOld);
  }
  if (wire >= NFT_REG32_00 && wire <= NFT_REG32_15) return static_cast<Reg>(wire - NFT_REG32_00);
  return std::nullopt;
}

std::optional<Bytes> data_value(const NetlinkAttribute& attribute) {
  const auto value = only(attribute, NFTA_DATA_VALUE);
  if (!value || value->bytes.empty() || value->bytes.size() > NFT_DATA_VALUE_MAXLEN) return {};
  return Bytes(value->bytes.begin(), value->bytes.end());
}

std::optional<VerdictTo> data_verdict(const NetlinkAttribute& attribute) {
  const auto nest = only(attribute, NFTA_DATA_VERDICT);
  if (!nest) return std::nullopt;
  WireVerdict wire;
  if (read_fields<WireVerdict>(nest->bytes, kVerdict, wire).fault != Fault::None) return {};
  const auto verdict = verdict_of(wire.code);
  if (!verdict) return std::nullopt;
  const bool leads = *verdict == Verdict::Jump || *verdict == Verdict::Goto;
  if (leads != !wire.chain.empty()) return std::nullopt;
  return VerdictTo{.verdict = *verdict, .chain = std::move(wire.chain)};
}

bool fits(Reg first, std::size_t length) {
  constexpr std::size_t kAll = std::size_t{kRegisters} * NFT_REG32_SIZE;
  return length != 0 && length <= kAll - std::size_t{first} * NFT_REG32_SIZE;
}

}  // namespace hark::decode::nft
