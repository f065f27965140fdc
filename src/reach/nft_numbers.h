// Bits of numbers that nf_tables' programs carry; keys are in decode/nft_keys.h:
// linux/netfilter/nf_tables.h, linux/netfilter/nf_nat.h, nf_conntrack_common.h.
#pragma once

#include <cstdint>

namespace hark::reach {

// NF_CT_STATE_BIT of IP_CT_*
constexpr std::uint32_t kCtInvalid = 1;
constexpr std::uint32_t kCtEstablished = 2;
constexpr std::uint32_t kCtRelated = 4;
constexpr std::uint32_t kCtNew = 8;
constexpr std::uint32_t kCtUntracked = 64;

// IPS_*
constexpr std::uint32_t kStatusSeenReply = 0x2;
constexpr std::uint32_t kStatusAssured = 0x4;
constexpr std::uint32_t kStatusConfirmed = 0x8;
constexpr std::uint32_t kStatusSourceNat = 0x10;
constexpr std::uint32_t kStatusDestinationNat = 0x20;
constexpr std::uint32_t kStatusSourceNatDone = 0x80;
constexpr std::uint32_t kStatusDestinationNatDone = 0x100;

// NF_NAT_RANGE_*
constexpr std::uint32_t kNatRandom = 0x4;
constexpr std::uint32_t kNatPersistent = 0x8;
constexpr std::uint32_t kNatFullyRandom = 0x10;
constexpr std::uint32_t kNatNetmap = 0x40;

// NFTA_FIB_F_*
constexpr std::uint32_t kFibDestination = 0x2;
constexpr std::uint32_t kFibMark = 0x4;
constexpr std::uint32_t kFibIif = 0x8;
constexpr std::uint32_t kFibOif = 0x10;
constexpr std::uint32_t kFibPresent = 0x20;
// NFT_FIB_RESULT_*
constexpr std::uint32_t kFibResultOif = 1;
constexpr std::uint32_t kFibResultName = 2;
constexpr std::uint32_t kFibResultType = 3;

// NFPROTO_*
constexpr std::uint8_t kProtoInet = 1;
constexpr std::uint8_t kProtoIp = 2;
constexpr std::uint8_t kProtoArp = 3;
constexpr std::uint8_t kProtoNetdev = 5;
constexpr std::uint8_t kProtoBridge = 7;
constexpr std::uint8_t kProtoIp6 = 10;

}  // namespace hark::reach
