// What sock_diag tells of a socket beyond a listing: flags, memory, signatures. linux/inet_diag.h,
// linux/sock_diag.h, net/ipv4/inet_diag.c, tcp_diag.c.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/protocol.h"
#include "base/result.h"

namespace hark::decode {

struct SocketDetails {
  IpAddress local;
  std::uint16_t local_port = 0;
  std::uint8_t state = 0;  ///< TCP_* of net/tcp_states.h
  std::uint32_t uid = 0;
  std::uint32_t inode = 0;
  std::uint32_t queue_length = 0;        ///< of a listener: connections that wait to be accepted
  std::uint32_t queue_limit = 0;         ///< of a listener: its backlog
  std::optional<bool> transparent = {};  ///< IP_TRANSPARENT (Linux 5.10)
  std::optional<std::uint64_t> memory_used = {};   ///< bytes that wait in the receive queue
  std::optional<std::uint64_t> memory_limit = {};  ///< sk_rcvbuf
  std::optional<std::uint64_t> drops = {};         ///< packets that the socket dropped
  /// Peers that must sign their segments. Empty: none, or the asker lacks CAP_NET_ADMIN.
  std::vector<Prefix> md5 = {};

  bool operator==(const SocketDetails&) const = default;
};

/// Bits of `states`.
constexpr std::uint32_t kListening = 1U << 10U;      // TCP_LISTEN
constexpr std::uint32_t kUnconnected = 1U << 7U;     // TCP_CLOSE, as UDP sockets are
constexpr std::uint32_t kHalfOpen = 1U << 3U;        // TCP_SYN_RECV; walks all connections
constexpr std::uint32_t kBoundInactive = 1U << 13U;  // TCP_BOUND_INACTIVE, Linux 6.8

/// A dump of Tcp, Udp or Udplite sockets in these states. Kernels that do not know a state answer
/// with nothing.
[[nodiscard]] Bytes socket_details_request(Family family, Protocol protocol, std::uint32_t states);

/// The states of a TCP connection that was made once: established, and all that it closes by.
constexpr std::uint32_t kConnections =
    1U << 1U | 1U << 4U | 1U << 5U | 1U << 6U | 1U << 8U | 1U << 9U | 1U << 11U;

/// A dump of the TCP connections of one family with this local port: the kernel chooses, so that
/// the answer is as short as they are few.
[[nodiscard]] Bytes connections_request(Family family, std::uint16_t local_port);

/// Any malformed message is an error: never a half list.
[[nodiscard]] Result<std::vector<SocketDetails>> decode_socket_details(ByteView messages);

}  // namespace hark::decode
