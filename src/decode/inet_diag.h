// sock_diag of internet sockets: linux/inet_diag.h, net/ipv4/inet_diag.c, tcp_diag.c, udp_diag.c.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/protocol.h"
#include "base/result.h"

namespace hark::decode {

/// One socket as sock_diag or a table of /proc/net tells of it. What the asked interface does not
/// tell is empty.
struct SocketRecord {
  Protocol protocol = Protocol::Tcp;
  IpAddress local;
  std::uint16_t local_port = 0;  ///< a raw socket's is its IP protocol number
  IpAddress remote;
  std::uint16_t remote_port = 0;
  std::uint8_t state = 0;                        ///< TCP_* of net/tcp_states.h
  std::optional<std::uint32_t> interface_index;  ///< bound device; 0: none
  std::uint32_t uid = 0;
  std::uint32_t inode = 0;
  std::optional<std::uint64_t> cookie;
  std::optional<std::uint64_t> queue_length;  ///< LISTEN: connections waiting; others: bytes
  std::optional<std::uint64_t> queue_limit;   ///< LISTEN: backlog; others: receive buffer in bytes
  std::optional<std::uint64_t> drops;
  /// Empty for IPv4 and where it is not told. True for every IPv6 raw socket, as these never see an
  /// IPv4 packet.
  std::optional<bool> v6only;
  std::optional<std::uint64_t> cgroup_id;
  /// Whether some process ever got a descriptor for it; false: the kernel made it for itself.
  std::optional<bool> has_file;
  bool time_wait = false;  ///< of TCP: no socket any more, whatever its state is said to be

  bool operator==(const SocketRecord&) const = default;
};

/// Whether a TCP socket shall tell its upper layer protocol. That comes only with the whole of
/// tcp_info, which triples an answer: ask where some socket may have one.
enum class Ulp : std::uint8_t { NotAsked, Asked };

/// A dump request for one family and protocol (IPPROTO_*), only sockets in the states of the mask.
/// LISTEN alone makes the kernel skip the table of connections: never ask for another bit with it.
/// For raw sockets the kernel ignores the mask. ENOENT in the answer: the kernel knows no dump of
/// this protocol (raw, MPTCP).
[[nodiscard]] Bytes inet_diag_request(Family family, Protocol protocol, std::uint32_t states,
                                      Ulp ulp = Ulp::Asked);

/// Asks for one TCP socket: the server's end of a connection, or the listener that would get it
/// where there is none (inet_lookup). ENOENT: neither. An ordinary user may ask.
[[nodiscard]] Bytes inet_diag_question(const IpAddress& local, std::uint16_t local_port,
                                       const IpAddress& remote, std::uint16_t remote_port);

struct SocketDump {
  std::vector<SocketRecord> sockets;
  bool interrupted = false;  ///< the kernel says that the table changed under the dump
};

/// The messages of a dump asked with inet_diag_request. `asked` is the protocol of the request; a
/// TCP socket with the "mptcp" ULP is the subflow listener of an MPTCP one, shares its inode, and
/// is returned as Mptcp; kernels before 6.15 name the ULP only to CAP_NET_ADMIN. Any malformed
/// message is an error: never a half list.
[[nodiscard]] Result<SocketDump> decode_inet_diag(ByteView messages, Protocol asked);

}  // namespace hark::decode
