// The sixteen registers of an nf_tables program, of whose bits some are not known: nft_cmp.c,
// nft_range.c, nft_bitwise.c, nft_byteorder.c work on these. A comparison that the known bits
// settle needs no question.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "decode/nft_operations.h"
#include "reach/choices.h"
#include "reach/clients.h"

namespace hark::reach {

/// Where bits that are not known come from.
struct Origin {
  std::string code;  ///< of a Condition
  std::string what;  ///< "the source MAC address"
  Doubt doubt = Doubt::Opaque;
};

/// Bytes, and which of their bits are known (1). Bits that are not are zero in `bytes`.
struct PartBytes {
  Bytes bytes;
  std::vector<std::uint8_t> bits;

  [[nodiscard]] static PartBytes known(ByteView bytes);
  [[nodiscard]] static PartBytes unknown(std::size_t length);
  [[nodiscard]] bool all_known() const;
  /// Could these be the bytes? Of the same length.
  [[nodiscard]] bool may_be(ByteView other) const;
  /// The least and the greatest that they could be, as memcmp orders.
  [[nodiscard]] Bytes least() const;
  [[nodiscard]] Bytes greatest() const;
};

class Registers {
 public:
  /// Writes as the kernel does: the rest of the last register becomes zero. What does not fit is
  /// left out.
  void store(decode::nft::Reg reg, const PartBytes& value, std::uint8_t origin = 0);
  void store(decode::nft::Reg reg, ByteView known);
  void store(decode::nft::Reg reg, ByteView bytes, std::span<const std::uint8_t> bits,
             std::uint8_t origin);
  /// One number in this machine's byte order.
  void store_u8(decode::nft::Reg reg, std::uint8_t value);
  void store_u16(decode::nft::Reg reg, std::uint16_t value);
  void store_u32(decode::nft::Reg reg, std::uint32_t value);
  void store_u64(decode::nft::Reg reg, std::uint64_t value);
  /// A name of an interface: 16 bytes.
  void store_name(decode::nft::Reg reg, std::string_view name);

  /// At most what there is from that register on.
  [[nodiscard]] PartBytes load(decode::nft::Reg reg, std::size_t length) const;
  /// The bytes themselves where all their bits are known; else nothing. Most loads are such.
  [[nodiscard]] std::optional<ByteView> known(decode::nft::Reg reg, std::size_t length) const;
  [[nodiscard]] std::uint32_t load_u32(decode::nft::Reg reg) const;
  /// Says that the bytes from there on are copies of the client's (clients.h), and so not known.
  void mark_clients(decode::nft::Reg reg, std::span<const ClientByte> copies, std::uint8_t origin);
  /// Which of the bytes are such copies; all others are known. Nothing where none is a copy, or
  /// there are bytes that are neither.
  [[nodiscard]] std::optional<std::span<const ClientByte>> clients(decode::nft::Reg reg,
                                                                   std::size_t length) const;
  /// Of the first byte that is not known; 0: all are.
  [[nodiscard]] std::uint8_t origin(decode::nft::Reg reg, std::size_t length) const;
  void forget_all(std::uint8_t origin);

 private:
  static constexpr std::size_t kSize = 64;
  std::array<std::byte, kSize> bytes_{};
  std::array<std::uint8_t, kSize> bits_ = all_ones();
  std::array<std::uint8_t, decode::nft::kRegisters> origins_{};
  std::array<ClientByte, kSize> clients_{};

  static constexpr std::array<std::uint8_t, kSize> all_ones() {
    std::array<std::uint8_t, kSize> ones{};
    for (auto& byte : ones) byte = 0xff;
    return ones;
  }
};

/// What a comparison comes to: nothing where bits that are not known decide.
[[nodiscard]] std::optional<bool> compare(const PartBytes& left, decode::nft::CmpOp op,
                                          ByteView right);
[[nodiscard]] std::optional<bool> within(const PartBytes& value, ByteView from, ByteView to);

[[nodiscard]] PartBytes masked(const PartBytes& value, ByteView mask, ByteView xored);
[[nodiscard]] PartBytes shifted(const PartBytes& value, std::uint32_t bits, bool left);
[[nodiscard]] PartBytes combined(const PartBytes& a, const PartBytes& b,
                                 decode::nft::Bitwise::Op op);
/// Network order from or to host order, numbers of `size` bytes.
[[nodiscard]] PartBytes swapped(const PartBytes& value, std::uint32_t size);

}  // namespace hark::reach
