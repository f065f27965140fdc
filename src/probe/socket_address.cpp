#include "probe/socket_address.h"

#include <netinet/in.h>

#include <cstring>

namespace hark::probe {

SocketAddress socket_address(const IpAddress& address, std::uint16_t port, std::uint32_t scope) {
  SocketAddress out;
  if (address.family == Family::Inet) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, address.bytes.data(), 4);
    std::memcpy(&out.bytes, &in, sizeof in);
    out.size = sizeof in;
    return out;
  }
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  in6.sin6_scope_id = scope;
  std::memcpy(&in6.sin6_addr, address.bytes.data(), 16);
  std::memcpy(&out.bytes, &in6, sizeof in6);
  out.size = sizeof in6;
  return out;
}

std::optional<LocalEnd> local_end(int socket) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) != 0) return std::nullopt;
  LocalEnd out;
  if (own.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &own, sizeof in);
    std::memcpy(out.address.bytes.data(), &in.sin_addr, 4);
    out.port = ntohs(in.sin_port);
    return out;
  }
  if (own.ss_family != AF_INET6) return std::nullopt;
  sockaddr_in6 in6{};
  std::memcpy(&in6, &own, sizeof in6);
  out.address.family = Family::Inet6;
  std::memcpy(out.address.bytes.data(), &in6.sin6_addr, 16);
  out.port = ntohs(in6.sin6_port);
  return out;
}

}  // namespace hark::probe
