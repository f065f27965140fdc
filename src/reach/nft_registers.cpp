#include "reach/nft_registers.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace hark::reach {

namespace nft = decode::nft;

namespace {

std::uint8_t number(std::byte byte) {
  return std::to_integer<std::uint8_t>(byte);
}

std::byte byte_at(ByteView view, std::size_t at) {
  return at < view.size() ? view[at] : std::byte{0};
}

int order(ByteView a, ByteView b) {
  const std::size_t length = std::min(a.size(), b.size());
  return length == 0 ? 0 : std::memcmp(a.data(), b.data(), length);
}

std::optional<bool> both(std::optional<bool> a, std::optional<bool> b) {
  if (a == false || b == false) return false;
  if (a == true && b == true) return true;
  return std::nullopt;
}

}  // namespace

PartBytes PartBytes::known(ByteView bytes) {
  return {.bytes = Bytes(bytes.begin(), bytes.end()),
          .bits = std::vector<std::uint8_t>(bytes.size(), 0xff)};
}

PartBytes PartBytes::unknown(std::size_t length) {
  return {.bytes = Bytes(length), .bits = std::vector<std::uint8_t>(length, 0)};
}

bool PartBytes::all_known() const {
  return std::ranges::all_of(bits, [](std::uint8_t mask) { return mask == 0xff; });
}

bool PartBytes::may_be(ByteView other) const {
  if (other.size() != bytes.size()) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (((number(bytes[i]) ^ number(other[i])) & bits[i]) != 0) return false;
  }
  return true;
}

Bytes PartBytes::least() const {
  return bytes;
}

Bytes PartBytes::greatest() const {
  Bytes most = bytes;
  for (std::size_t i = 0; i < most.size(); ++i) {
    most[i] |= static_cast<std::byte>(static_cast<std::uint8_t>(~bits[i]));
  }
  return most;
}

void Registers::store(nft::Reg reg, ByteView bytes, std::span<const std::uint8_t> bits,
                      std::uint8_t origin) {
  const std::size_t from = reg * std::size_t{4};
  if (from >= kSize || bytes.empty()) return;
  const std::size_t length = std::min(bytes.size(), kSize - from);
  const std::size_t padded = std::min((length + 3) / 4 * 4, kSize - from);
  for (std::size_t i = 0; i < padded; ++i) {
    bytes_[from + i] = byte_at(bytes, i);
    bits_[from + i] = i < bits.size() ? bits[i] : std::uint8_t{0xff};
    clients_[from + i] = {};
  }
  for (std::size_t i = from / 4; i < (from + padded) / 4; ++i) origins_[i] = origin;
}

void Registers::store(nft::Reg reg, const PartBytes& value, std::uint8_t origin) {
  store(reg, value.bytes, value.bits, origin);
}

void Registers::store(nft::Reg reg, ByteView known) {
  store(reg, known, {}, 0);
}

std::optional<ByteView> Registers::known(nft::Reg reg, std::size_t length) const {
  const std::size_t from = std::min(reg * std::size_t{4}, kSize);
  const std::size_t count = std::min(length, kSize - from);
  for (std::size_t i = from; i < from + count; ++i) {
    if (bits_[i] != 0xff) return std::nullopt;
  }
  return ByteView(bytes_).subspan(from, count);
}

void Registers::mark_clients(nft::Reg reg, std::span<const ClientByte> copies,
                             std::uint8_t origin) {
  const std::size_t from = reg * std::size_t{4};
  for (std::size_t i = 0; i < copies.size() && from + i < kSize; ++i) {
    if (!copies[i].is_client()) continue;
    clients_[from + i] = copies[i];
    bits_[from + i] = static_cast<std::uint8_t>(~copies[i].kept);
    bytes_[from + i] = std::byte{0};
    origins_[(from + i) / 4] = origin;
  }
}

std::optional<std::span<const ClientByte>> Registers::clients(nft::Reg reg,
                                                              std::size_t length) const {
  const std::size_t from = std::min(reg * std::size_t{4}, kSize);
  const std::size_t count = std::min(length, kSize - from);
  bool any = false;
  for (std::size_t i = from; i < from + count; ++i) {
    if (clients_[i].is_client()) {
      any = true;
    } else if (bits_[i] != 0xff) {
      return std::nullopt;
    }
  }
  if (!any) return std::nullopt;
  return std::span(clients_).subspan(from, count);
}

void Registers::store_u8(nft::Reg reg, std::uint8_t value) {
  store(reg, ByteView(reinterpret_cast<const std::byte*>(&value), sizeof value));
}
void Registers::store_u16(nft::Reg reg, std::uint16_t value) {
  store(reg, ByteView(reinterpret_cast<const std::byte*>(&value), sizeof value));
}
void Registers::store_u32(nft::Reg reg, std::uint32_t value) {
  store(reg, ByteView(reinterpret_cast<const std::byte*>(&value), sizeof value));
}
void Registers::store_u64(nft::Reg reg, std::uint64_t value) {
  store(reg, ByteView(reinterpret_cast<const std::byte*>(&value), sizeof value));
}

void Registers::store_name(nft::Reg reg, std::string_view name) {
  std::array<std::byte, 16> padded{};
  const ByteView bytes = as_bytes(name.substr(0, padded.size() - 1));
  std::copy(bytes.begin(), bytes.end(), padded.begin());
  store(reg, ByteView(padded));
}

PartBytes Registers::load(nft::Reg reg, std::size_t length) const {
  const std::size_t from = std::min(reg * std::size_t{4}, kSize);
  const std::size_t count = std::min(length, kSize - from);
  PartBytes out;
  out.bytes.assign(bytes_.begin() + static_cast<std::ptrdiff_t>(from),
                   bytes_.begin() + static_cast<std::ptrdiff_t>(from + count));
  out.bits.assign(bits_.begin() + static_cast<std::ptrdiff_t>(from),
                  bits_.begin() + static_cast<std::ptrdiff_t>(from + count));
  return out;
}

std::uint32_t Registers::load_u32(nft::Reg reg) const {
  std::uint32_t value = 0;
  if (reg < nft::kRegisters) std::memcpy(&value, &bytes_[reg * std::size_t{4}], sizeof value);
  return value;
}

std::uint8_t Registers::origin(nft::Reg reg, std::size_t length) const {
  const std::size_t from = reg * std::size_t{4};
  for (std::size_t i = from; i < std::min(from + length, kSize); ++i) {
    if (bits_[i] != 0xff) return origins_[i / 4];
  }
  return 0;
}

void Registers::forget_all(std::uint8_t origin) {
  bytes_.fill(std::byte{0});
  bits_.fill(0);
  origins_.fill(origin);
  clients_.fill({});
}

std::optional<bool> compare(const PartBytes& left, nft::CmpOp op, ByteView right) {
  if (op == nft::CmpOp::Eq || op == nft::CmpOp::Neq) {
    if (!left.may_be(right.first(std::min(right.size(), left.bytes.size())))) {
      return op == nft::CmpOp::Neq;
    }
    if (!left.all_known()) return std::nullopt;
    return op == nft::CmpOp::Eq;
  }
  const auto holds = [op](int sign) {
    switch (op) {
      case nft::CmpOp::Lt:
        return sign < 0;
      case nft::CmpOp::Lte:
        return sign <= 0;
      case nft::CmpOp::Gt:
        return sign > 0;
      case nft::CmpOp::Gte:
        return sign >= 0;
      case nft::CmpOp::Eq:
      case nft::CmpOp::Neq:
        break;
    }
    return false;
  };
  const bool low = holds(order(left.least(), right));
  const bool high = holds(order(left.greatest(), right));
  if (low != high) return std::nullopt;
  return low;
}

std::optional<bool> within(const PartBytes& value, ByteView from, ByteView to) {
  return both(compare(value, nft::CmpOp::Gte, from), compare(value, nft::CmpOp::Lte, to));
}

PartBytes masked(const PartBytes& value, ByteView mask, ByteView xored) {
  PartBytes out = value;
  for (std::size_t i = 0; i < out.bytes.size(); ++i) {
    const std::byte kept = byte_at(mask, i);
    out.bits[i] = static_cast<std::uint8_t>(out.bits[i] | static_cast<std::uint8_t>(~number(kept)));
    out.bytes[i] =
        ((out.bytes[i] & kept) ^ byte_at(xored, i)) & static_cast<std::byte>(out.bits[i]);
  }
  return out;
}

namespace {

/// Words of 32 bits in host order, the first one the most significant: nft_bitwise_eval_lshift.
std::vector<std::uint32_t> words_of(ByteView bytes) {
  std::vector<std::uint32_t> words((bytes.size() + 3) / 4);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::array<std::byte, 4> raw{};
    std::memcpy(raw.data(), &words[i / 4], 4);
    raw[i % 4] = bytes[i];
    std::memcpy(&words[i / 4], raw.data(), 4);
  }
  return words;
}

std::vector<std::uint32_t> shift_words(std::vector<std::uint32_t> words, std::uint32_t bits,
                                       bool left) {
  std::uint64_t carry = 0;
  const std::size_t count = words.size();
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t& word = words[left ? count - 1 - i : i];
    const std::uint64_t wide =
        left ? std::uint64_t{word} << bits : (std::uint64_t{word} << 32U) >> bits;
    word = static_cast<std::uint32_t>((left ? wide : wide >> 32U) | carry);
    carry = left ? wide >> 32U : wide & 0xffffffffU;
  }
  return words;
}

Bytes bytes_of(const std::vector<std::uint32_t>& words, std::size_t length) {
  Bytes out(words.size() * 4);
  if (!out.empty()) std::memcpy(out.data(), words.data(), out.size());
  out.resize(length);
  return out;
}

}  // namespace

PartBytes shifted(const PartBytes& value, std::uint32_t bits, bool left) {
  if (bits == 0 || bits > 31) return value;
  // What is shifted in is known to be zero: shift the complement, "not known".
  Bytes open;
  for (const std::uint8_t mask : value.bits) {
    open.push_back(static_cast<std::byte>(static_cast<std::uint8_t>(~mask)));
  }
  const Bytes open_then = bytes_of(shift_words(words_of(open), bits, left), open.size());
  PartBytes out{.bytes = bytes_of(shift_words(words_of(value.bytes), bits, left), open.size()),
                .bits = {}};
  for (const std::byte mask : open_then) {
    out.bits.push_back(static_cast<std::uint8_t>(~number(mask)));
  }
  return out;
}

PartBytes combined(const PartBytes& a, const PartBytes& b, nft::Bitwise::Op op) {
  PartBytes out = a;
  for (std::size_t i = 0; i < out.bytes.size() && i < b.bytes.size(); ++i) {
    const std::uint8_t x = number(a.bytes[i]);
    const std::uint8_t y = number(b.bytes[i]);
    std::uint8_t known = static_cast<std::uint8_t>(a.bits[i] & b.bits[i]);
    std::uint8_t value = static_cast<std::uint8_t>(x ^ y);
    if (op == nft::Bitwise::Op::And) {
      // A zero on one side is enough to know.
      known = static_cast<std::uint8_t>(known | (a.bits[i] & ~x) | (b.bits[i] & ~y));
      value = static_cast<std::uint8_t>(x & y);
    } else if (op == nft::Bitwise::Op::Or) {
      known = static_cast<std::uint8_t>(known | x | y);
      value = static_cast<std::uint8_t>(x | y);
    }
    out.bits[i] = known;
    out.bytes[i] = static_cast<std::byte>(value & known);
  }
  return out;
}

PartBytes swapped(const PartBytes& value, std::uint32_t size) {
  PartBytes out = value;
  if (std::endian::native == std::endian::big || size < 2) return out;
  for (std::size_t at = 0; at + size <= out.bytes.size(); at += size) {
    const auto first = static_cast<std::ptrdiff_t>(at);
    const auto last = static_cast<std::ptrdiff_t>(at + size);
    std::reverse(out.bytes.begin() + first, out.bytes.begin() + last);
    std::reverse(out.bits.begin() + first, out.bits.begin() + last);
  }
  return out;
}

}  // namespace hark::reach
