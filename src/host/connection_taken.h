// Did a program of this host take a connection? The kernel completes handshakes by itself.
#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "kernel/source.h"

namespace hark::host {

/// The server's end of a TCP connection to this namespace: true, accept(2) gave it to a program;
/// false, it waits for that. Nothing: it is not there, as where a rule led the client elsewhere, or
/// it could not be asked for. A socket that nobody has accepted has no inode (sock_graft).
[[nodiscard]] std::optional<bool> connection_taken(
    kernel::Source& source, const kernel::NetnsRef& netns, const IpAddress& server,
    std::uint16_t server_port, const IpAddress& client, std::uint16_t client_port);

}  // namespace hark::host
