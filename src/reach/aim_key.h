// What a key in the registers of an nf_tables rule asks of a packet's destination. Registers hold
// not values but where their bytes come from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "decode/nft_operations.h"
#include "reach/aim.h"

namespace hark::reach {

constexpr std::size_t kSlots = std::size_t{decode::nft::kRegisters} * 4;

enum class What : std::uint8_t {
  Unknown,
  Padding,
  Client,
  Port,
  Protocol,
  NetfilterFamily,
  EtherType,
  Address4,
  Address6,
  AddressType,
  Chance,
  Constant,
};

/// One byte of a register.
struct Slot {
  What what = What::Unknown;
  std::uint8_t at = 0;       ///< which byte of it
  std::uint8_t mask = 0xff;  ///< bits that were not masked out
  std::byte value{};         ///< of Constant
};
using Slots = std::array<Slot, kSlots>;

struct KeyState {
  Aim aim;
  Slots slots = {};
};

/// The key in the slots from `at` on lies between `first` and `last`, each part of it. False: no
/// packet is left.
[[nodiscard]] bool ask_key(KeyState& state, std::size_t at, ByteView first, ByteView last,
                           bool negated);

/// Does it tell of where the packet is sent?
[[nodiscard]] bool is_of_destination(const Slot& slot);

/// An address whose first bytes are these; the others are `rest`.
[[nodiscard]] IpAddress address_at(ByteView bytes, Family family, std::uint8_t rest);
[[nodiscard]] std::uint16_t port_at(ByteView bytes);

}  // namespace hark::reach
