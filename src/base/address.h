// IP addresses and prefixes, of both families in one type.
#pragma once

#include <endian.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace hark {

enum class Family : std::uint8_t { Inet, Inet6 };

/// An address in network byte order. IPv4 uses the first four bytes, the others are zero, so that
/// comparison works on both families. Orders IPv4 before IPv6.
struct IpAddress {
  Family family = Family::Inet;
  std::array<std::uint8_t, 16> bytes{};

  bool operator==(const IpAddress&) const = default;
  std::strong_ordering operator<=>(const IpAddress& other) const {
    if (family != other.family) return family <=> other.family;
    if (high() != other.high()) return high() <=> other.high();
    return low() <=> other.low();
  }
  /// The first and the last eight bytes as numbers: they order as addresses do.
  [[nodiscard]] std::uint64_t high() const { return number_at(0); }
  [[nodiscard]] std::uint64_t low() const { return number_at(8); }

  /// Strict text forms only (inet_pton(3)); no zone, no brackets, no names.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  /// The usual short form (inet_ntop(3)).
  [[nodiscard]] std::string text() const;

  [[nodiscard]] unsigned bits() const { return family == Family::Inet ? 32 : 128; }
  /// 0.0.0.0 or ::
  [[nodiscard]] bool is_unspecified() const;
  /// 127.0.0.0/8, ::1, and ::ffff:127.0.0.0/104 (RFC 1122 3.2.1.3, RFC 4291 2.5.3 and 2.5.5.2)
  [[nodiscard]] bool is_loopback() const;
  /// 169.254.0.0/16, fe80::/10
  [[nodiscard]] bool is_link_local() const;
  /// 224.0.0.0/4, ff00::/8
  [[nodiscard]] bool is_multicast() const;
  /// RFC 1918 and RFC 6598 of IPv4, fc00::/7 of IPv6
  [[nodiscard]] bool is_private() const;
  /// ::ffff:0:0/96: an IPv6 socket bound to an IPv4 address
  [[nodiscard]] bool is_v4_mapped() const;
  /// The IPv4 address inside a v4-mapped one; any other address unchanged.
  [[nodiscard]] IpAddress unmapped() const;

 private:
  [[nodiscard]] std::uint64_t number_at(std::size_t at) const {
    std::uint64_t number = 0;
    std::memcpy(&number, &bytes[at], sizeof number);
    return be64toh(number);
  }
};

/// An address and how many of its leading bits count. The others are zero.
struct Prefix {
  IpAddress address;
  std::uint8_t length = 0;

  auto operator<=>(const Prefix&) const = default;

  /// `10.0.0.0/8`, `::/0`, or a lone address (all bits). Host bits are cleared.
  [[nodiscard]] static std::optional<Prefix> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool contains(const IpAddress& candidate) const;
};

}  // namespace hark
