// Sockets that have a port, as bind(2) compares them: from the kernel's own tables
// (base/bound_parts.h), or from sock_diag, which does not tell all. linux/inet_diag.h,
// net/ipv4/inet_diag.c.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bound_parts.h"
#include "base/bytes.h"
#include "base/protocol.h"
#include "base/result.h"
#include "decode/inet_diag.h"

namespace hark::decode {

/// What the asked interface does not tell is empty.
struct BoundRecord {
  SocketRecord socket;
  /// A connection that only waits for late packets: it has no socket file, no user and no owner.
  bool time_wait = false;
  std::optional<bool> reuse = {};            ///< SO_REUSEADDR
  std::optional<bool> reuseport = {};        ///< SO_REUSEPORT
  std::optional<std::uint32_t> l3mdev = {};  ///< of TCP: the VRF of whose bucket it is
  bool operator==(const BoundRecord&) const = default;
};

struct BoundDump {
  std::vector<BindBucket> buckets;   ///< of TCP
  std::vector<BoundRecord> sockets;  ///< in the order of the answer
};

/// The answer of Source::bound_sockets. A socket of a family that there cannot be, or a buffer that
/// is cut off, is an error as a whole.
[[nodiscard]] Result<BoundDump> decode_bound_sockets(ByteView parts, Protocol protocol);

/// A dump of the sockets of Tcp, Udp or Udplite that have a port from `first` to `last`, in
/// whatever state but the half-open, which are no sockets yet. `first` 0: all ports.
[[nodiscard]] Bytes bound_request(Family family, Protocol protocol, std::uint16_t first,
                                  std::uint16_t last);
[[nodiscard]] Result<std::vector<BoundRecord>> decode_bound_dump(ByteView messages,
                                                                 Protocol protocol);

}  // namespace hark::decode
