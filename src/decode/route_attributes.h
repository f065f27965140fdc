// What the decoders of rtnetlink's messages share. Not for others.
#pragma once

#include <cstring>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "decode/netlink_attributes.h"

namespace hark::decode {

/// dev_valid_name of net/core/dev.c, so that a name is safe in a path and a word of a line. It is
/// not safe to print: it may hold control characters and bytes above 127.
[[nodiscard]] bool is_link_name(std::string_view name);

/// AF_* of a message; nothing: neither of IPv4 nor of IPv6.
[[nodiscard]] std::optional<Family> family_of(std::uint8_t address_family);
[[nodiscard]] std::uint8_t address_family_of(Family family);

/// The content as an address of exactly that family.
[[nodiscard]] std::optional<IpAddress> address_of(ByteView bytes, Family family);
/// The same with a length, host bits cleared; nothing if the length is impossible.
[[nodiscard]] std::optional<Prefix> prefix_of(const IpAddress& address, std::uint8_t length);

/// Puts an attribute's value into `to`; false: it has another size.
template <typename T>
[[nodiscard]] bool take_value(const NetlinkAttribute& attribute, T& to) {
  const auto value = attribute.value<T>();
  if (value) to = *value;
  return value.has_value();
}
template <typename T>
[[nodiscard]] bool take_value(const NetlinkAttribute& attribute, std::optional<T>& to) {
  to = attribute.value<T>();
  return to.has_value();
}
[[nodiscard]] inline bool take_address(const NetlinkAttribute& attribute, Family family,
                                       std::optional<IpAddress>& to) {
  to = address_of(attribute.bytes, family);
  return to.has_value();
}

}  // namespace hark::decode
