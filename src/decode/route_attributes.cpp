#include "decode/route_attributes.h"

#include <sys/socket.h>

#include <algorithm>

namespace hark::decode {

bool is_link_name(std::string_view name) {
  constexpr std::size_t kLongestName = 15;  // IFNAMSIZ without its NUL
  return !name.empty() && name.size() <= kLongestName && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/ \t\n\v\f\r")) == std::string_view::npos;
}

std::optional<Family> family_of(std::uint8_t address_family) {
  if (address_family == AF_INET) return Family::Inet;
  if (address_family == AF_INET6) return Family::Inet6;
  return std::nullopt;
}

std::uint8_t address_family_of(Family family) {
  return family == Family::Inet ? AF_INET : AF_INET6;
}

std::optional<IpAddress> address_of(ByteView bytes, Family family) {
  IpAddress out{.family = family};
  if (bytes.size() != out.bits() / 8) return std::nullopt;
  std::memcpy(out.bytes.data(), bytes.data(), bytes.size());
  return out;
}

std::optional<Prefix> prefix_of(const IpAddress& address, std::uint8_t length) {
  if (length > address.bits()) return std::nullopt;
  Prefix out{.address = address, .length = length};
  for (std::size_t i = 0; i < out.address.bytes.size(); ++i) {
    const std::size_t kept = length > i * 8 ? std::min<std::size_t>(length - i * 8, 8) : 0;
    out.address.bytes[i] = static_cast<std::uint8_t>(out.address.bytes[i] & (0xff00U >> kept));
  }
  return out;
}

}  // namespace hark::decode
