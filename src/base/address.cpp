#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace hark {
namespace {

/// Zeroes every bit from position `length` on.
void clear_host_bits(IpAddress& address, unsigned length) {
  for (unsigned i = 0; i < address.bytes.size(); ++i) {
    const unsigned first_bit = i * 8;
    if (first_bit >= length) {
      address.bytes[i] = 0;
    } else if (first_bit + 8 > length) {
      const unsigned kept = length - first_bit;
      address.bytes[i] = static_cast<std::uint8_t>(address.bytes[i] & (0xffU << (8U - kept)));
    }
  }
}

bool inside(const IpAddress& address, std::string_view prefix) {
  return Prefix::parse(prefix)->contains(address);
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  // The longest text form has 45 characters (INET6_ADDRSTRLEN counts its zero as well).
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string copy(text);
  if (copy.size() != text.size() || copy.find('\0') != std::string::npos) return std::nullopt;
  IpAddress out;
  const bool v6 = copy.find(':') != std::string::npos;
  out.family = v6 ? Family::Inet6 : Family::Inet;
  if (inet_pton(v6 ? AF_INET6 : AF_INET, copy.c_str(), out.bytes.data()) != 1) return std::nullopt;
  return out;
}

std::string IpAddress::text() const {
  // inet_ntop() prints these by way of printf, which is ten times slower.
  if (family == Family::Inet) {
    std::array<char, INET_ADDRSTRLEN> text{};
    char* to = text.data();
    for (std::size_t i = 0; i < 4; ++i) {
      if (i > 0) *to++ = '.';
      to = std::to_chars(to, text.data() + text.size(), bytes[i]).ptr;
    }
    return {text.data(), to};
  }
  char buffer[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, bytes.data(), buffer, sizeof buffer);
  return buffer;
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(bytes, [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_loopback() const {
  if (family == Family::Inet) return bytes[0] == 127;
  if (is_v4_mapped()) return bytes[12] == 127;
  return std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t b) { return b == 0; }) &&
         bytes[15] == 1;
}

bool IpAddress::is_link_local() const {
  return family == Family::Inet ? bytes[0] == 169 && bytes[1] == 254
                                : bytes[0] == 0xfe && (bytes[1] & 0xc0U) == 0x80;
}

bool IpAddress::is_multicast() const {
  return family == Family::Inet ? (bytes[0] & 0xf0U) == 0xe0 : bytes[0] == 0xff;
}

bool IpAddress::is_private() const {
  if (is_v4_mapped()) return unmapped().is_private();
  if (family == Family::Inet6) return (bytes[0] & 0xfeU) == 0xfc;
  return inside(*this, "10.0.0.0/8") || inside(*this, "172.16.0.0/12") ||
         inside(*this, "192.168.0.0/16") || inside(*this, "100.64.0.0/10");
}

bool IpAddress::is_v4_mapped() const {
  return family == Family::Inet6 &&
         std::all_of(bytes.begin(), bytes.begin() + 10, [](std::uint8_t b) { return b == 0; }) &&
         bytes[10] == 0xff && bytes[11] == 0xff;
}

IpAddress IpAddress::unmapped() const {
  if (!is_v4_mapped()) return *this;
  IpAddress out;
  std::copy(bytes.begin() + 12, bytes.end(), out.bytes.begin());
  return out;
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  unsigned length = address->bits();
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    if (length > address->bits()) return std::nullopt;
  }
  Prefix out{*address, static_cast<std::uint8_t>(length)};
  clear_host_bits(out.address, length);
  return out;
}

std::string Prefix::text() const {
  return address.text() + "/" + std::to_string(length);
}

bool Prefix::contains(const IpAddress& candidate) const {
  if (candidate.family != address.family) return false;
  IpAddress masked = candidate;
  clear_host_bits(masked, length);
  return masked == address;
}

}  // namespace hark
