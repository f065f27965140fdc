// What the processes of servers.h do.
#pragma once

#include <sys/socket.h>

#include <string>
#include <utility>
#include <vector>

#include "servers.h"

namespace hark::differential {

/// An address as the system calls want it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};
[[nodiscard]] SocketAddress socket_address(const IpAddress& address, std::uint16_t port);
[[nodiscard]] std::pair<IpAddress, std::uint16_t> read_socket_address(const SocketAddress& from);

/// Opens what `spec` says, in the caller's namespace.
[[nodiscard]] Result<UniqueFd> open_listener(const ListenSpec& spec);

/// Serves until `control` is closed. One byte on it: serve what there is, then write one line a
/// delivery and an empty one.
void serve(const std::vector<ListenSpec>& specs, const std::vector<UniqueFd>& sockets, int control);

}  // namespace hark::differential
