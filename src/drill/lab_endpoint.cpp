#include "drill/lab_endpoint.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace hark::drill {

const sockaddr* LabEndpoint::get() const {
  return reinterpret_cast<const sockaddr*>(&storage);
}

LabEndpoint lab_endpoint(const IpAddress& address, std::uint16_t port, bool udp) {
  LabEndpoint out;
  out.udp = udp;
  if (address.family == Family::Inet) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes.data(), sizeof v4.sin_addr);
    std::memcpy(&out.storage, &v4, sizeof v4);
    out.length = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address.bytes.data(), sizeof v6.sin6_addr);
    std::memcpy(&out.storage, &v6, sizeof v6);
    out.length = sizeof v6;
  }
  return out;
}

std::optional<LabEndpoint> parse_lab_endpoint(std::string_view text) {
  const bool udp = text.starts_with("udp/");
  if (udp || text.starts_with("tcp/")) text.remove_prefix(4);
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) {
    address.remove_prefix(1);
    address.remove_suffix(1);
  }
  const auto parsed = IpAddress::parse(address);
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  if (!parsed || !port || *port == 0) return std::nullopt;
  return lab_endpoint(*parsed, *port, udp);
}

}  // namespace hark::drill
