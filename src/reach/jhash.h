// Bob Jenkins' hash as the kernel has it: include/linux/jhash.h, and reciprocal_scale().
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace hark::reach {

/// jhash(): of bytes.
[[nodiscard]] std::uint32_t jhash(ByteView key, std::uint32_t seed);
/// jhash2(): of 32-bit numbers in this machine's order.
[[nodiscard]] std::uint32_t jhash2(std::span<const std::uint32_t> key, std::uint32_t seed);
/// A number below `below`, from one of 32 bits.
[[nodiscard]] constexpr std::uint32_t reciprocal_scale(std::uint32_t value, std::uint32_t below) {
  return static_cast<std::uint32_t>((std::uint64_t{value} * below) >> 32U);
}

}  // namespace hark::reach
