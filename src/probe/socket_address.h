// Addresses as connect(2) and bind(2) want them.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>

#include "base/address.h"

namespace hark::probe {

struct SocketAddress {
  sockaddr_storage bytes{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* generic() const {
    return reinterpret_cast<const sockaddr*>(&bytes);
  }
};

/// `scope`: the link of a link-local address, else 0.
[[nodiscard]] SocketAddress socket_address(const IpAddress& address, std::uint16_t port,
                                           std::uint32_t scope);

struct LocalEnd {
  IpAddress address;
  std::uint16_t port = 0;
};

/// What the kernel chose for a socket. Nothing: it is no socket of IP.
[[nodiscard]] std::optional<LocalEnd> local_end(int socket);

}  // namespace hark::probe
