// Every socket that has a port of one namespace, from the tables in which bind(2) itself looks
// (Linux 6.8: net/ipv4/inet_connection_sock.c, inet_hashtables.c, udp.c), with the flags that it
// compares. sock_diag tells neither SO_REUSEADDR nor SO_REUSEPORT, and a connection in TIME_WAIT
// has no descriptor through which they could be asked.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bound_parts.h"
#include "base/protocol.h"
#include "kernel/kernel_layout.h"
#include "kernel/kernel_reader.h"

namespace hark::kernel {

struct FoundBound {
  std::vector<BindBucket> buckets;  ///< of TCP
  std::vector<BindEntry> sockets;
};

struct BoundQuestion {
  std::uint64_t netns = 0;  ///< inode
  Protocol protocol = Protocol::Tcp;
  std::uint16_t port = 0;  ///< 0: all
};

/// `own_socket` as of survey_sockets(). EOPNOTSUPP: not Tcp or Udp, or this kernel's tables are
/// others; ESTALE: no such namespace.
[[nodiscard]] Result<FoundBound> survey_bound(KernelReader& reader, const KernelLayout& layout,
                                              int own_socket, const BoundQuestion& asked);

/// The answer of Source::bound_sockets.
[[nodiscard]] Bytes bound_parts(const FoundBound& found);

}  // namespace hark::kernel
