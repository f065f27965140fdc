#include "reach/aim_key.h"

#include <algorithm>
#include <cstring>

namespace hark::reach {
namespace {

/// What a run of registers that come from one thing asks, between two keys.
class KeyPart {
 public:
  KeyPart(Aim& aim, ByteView first, ByteView last, bool negated)
      : aim_(aim), first_(first), last_(last), negated_(negated) {}

  bool ask(const Slot* slots) {
    const Slot& one = *slots;
    using enum What;
    switch (one.what) {
      case Padding:
        return true;
      case Port:
        if (first_.size() != 2 || one.at != 0 || one.mask != 0xff) break;
        return aim_.ask_ports(PortSet({port_at(first_), port_at(last_)}), negated_);
      case Protocol:
        if (first_.size() != 1 || !is_one()) break;
        return aim_.ask_protocol(std::to_integer<std::uint8_t>(first_[0]), negated_);
      case NetfilterFamily:
      case EtherType:
        return ask_family(one.what);
      case Address4:
      case Address6:
        if (one.at != 0) break;
        return ask_address(slots, one.what == Address4 ? Family::Inet : Family::Inet6);
      case AddressType:
        if (!asks_local()) break;
        aim_.local = true;
        return true;
      case Constant:
        return ask_constant(slots);
      case Chance:
        aim_.chance = true;
        return true;
      case Unknown:
      case Client:
        break;
    }
    aim_.conditional = true;
    return true;
  }

 private:
  [[nodiscard]] bool is_one() const { return std::ranges::equal(first_, last_); }

  bool ask_family(What what) {
    constexpr unsigned kIpv4 = 2, kIpv6 = 10;                  // NFPROTO_*
    constexpr unsigned kEtherIp = 0x0800, kEtherIp6 = 0x86dd;  // ETH_P_*
    const bool ether = what == What::EtherType;
    if (!is_one() || first_.size() != (ether ? 2U : 1U)) {
      aim_.conditional = true;
      return true;
    }
    const unsigned number = ether ? port_at(first_) : std::to_integer<unsigned>(first_[0]);
    if (number == (ether ? kEtherIp : kIpv4)) return aim_.ask_family(Family::Inet, negated_);
    if (number == (ether ? kEtherIp6 : kIpv6)) return aim_.ask_family(Family::Inet6, negated_);
    return negated_;
  }

  bool ask_address(const Slot* slots, Family family) {
    IpAddress mask = address_at({}, family, 0);
    for (std::size_t i = 0; i < first_.size() && i < mask.bytes.size(); ++i) {
      mask.bytes[i] = slots[i].mask;
    }
    const IpAddress first = address_at(first_, family, 0);
    const bool whole = std::ranges::all_of(slots, slots + first_.size(),
                                           [](const Slot& slot) { return slot.mask == 0xff; });
    if (whole) {
      return aim_.ask_addresses(AddressSet({first, address_at(last_, family, 0xff)}), negated_);
    }
    const auto some = is_one() ? masked_addresses(first, mask) : std::nullopt;
    if (some) return aim_.ask_addresses(*some, negated_);
    aim_.conditional = true;
    return aim_.ask_family(family);
  }

  /// RTN_LOCAL, in the byte order of the host.
  [[nodiscard]] bool asks_local() const {
    constexpr std::uint32_t kLocal = 2;
    std::uint32_t type = 0;
    if (first_.size() != sizeof type || negated_ || !is_one()) return false;
    std::memcpy(&type, first_.data(), sizeof type);
    return type == kLocal;
  }

  bool ask_constant(const Slot* slots) const {
    Bytes value;
    for (std::size_t i = 0; i < first_.size(); ++i) {
      value.push_back(slots[i].value & static_cast<std::byte>(slots[i].mask));
    }
    const bool within = !std::ranges::lexicographical_compare(value, first_) &&
                        !std::ranges::lexicographical_compare(last_, value);
    return within != negated_;
  }

  Aim& aim_;
  const ByteView first_, last_;
  const bool negated_;
};

/// Do these two bytes belong to one thing?
bool go_together(const Slot& a, const Slot& b) {
  return a.what == b.what && (a.what == What::Constant || b.at == a.at + 1);
}

}  // namespace

std::uint16_t port_at(ByteView bytes) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[0]) << 8U |
                                    std::to_integer<unsigned>(bytes[1]));
}

IpAddress address_at(ByteView bytes, Family family, std::uint8_t rest) {
  IpAddress out;
  out.family = family;
  const std::size_t length = out.bits() / 8;
  for (std::size_t i = 0; i < length; ++i) {
    out.bytes[i] = i < bytes.size() ? std::to_integer<std::uint8_t>(bytes[i]) : rest;
  }
  return out;
}

bool ask_key(KeyState& state, std::size_t at, ByteView first, ByteView last, bool negated) {
  const std::size_t length = std::min({first.size(), last.size(), kSlots - at});
  for (std::size_t i = 0; i < length;) {
    std::size_t end = i + 1;
    const Slot* slots = &state.slots[at + i];
    while (end < length && go_together(slots[end - i - 1], slots[end - i])) ++end;
    KeyPart part(state.aim, first.subspan(i, end - i), last.subspan(i, end - i), negated);
    if (!part.ask(slots)) return false;
    i = end;
  }
  return true;
}

bool is_of_destination(const Slot& slot) {
  using enum What;
  switch (slot.what) {
    case Port:
    case Protocol:
    case NetfilterFamily:
    case EtherType:
    case Address4:
    case Address6:
    case AddressType:
    case Constant:
      return true;
    case Unknown:
    case Padding:
    case Client:
    case Chance:
      break;
  }
  return false;
}

}  // namespace hark::reach
