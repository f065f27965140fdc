// Files and folder names in which parts of the kernel tell of the sockets they have opened.
// Each is short; a malformed line is an error, and so is a port that is none.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "decode/generic_netlink.h"

namespace hark::decode {

/// /proc/net/rxrpc/locals: rxrpc_local_seq_show of net/rxrpc/proc.c.
///   Proto Local                                           Use Act RxQ
///   UDP   0.0.0.0:7001                                      2   1   0
[[nodiscard]] Result<std::vector<KernelSocket>> decode_rxrpc_locals(ByteView text);

/// /proc/fs/nfsd/portlist: svc_one_xprt_name of net/sunrpc/svc_xprt.c. "tcp 2049"; of transports
/// that are neither tcp nor udp (rdma) nothing is kept.
[[nodiscard]] Result<std::vector<KernelSocket>> decode_nfsd_portlist(ByteView text);

/// A sysctl or configfs attribute that holds one port; 0 and nothing at all: none.
[[nodiscard]] std::optional<std::uint16_t> decode_port(ByteView text);

/// "10.0.0.5:3260", "[::1]:3260": the name of a portal's folder in the iSCSI target's configfs
/// (lio_target_call_addnptotpg of drivers/target/iscsi/iscsi_target_configfs.c), and an address of
/// rxrpc. Nothing where it is something else.
[[nodiscard]] std::optional<KernelSocket> decode_portal(std::string_view text);

/// What /proc/PID/fdinfo/N says of an io_uring's registered files.
struct RingFiles {
  std::uint32_t count = 0;             ///< how many are registered
  std::vector<std::uint32_t> sockets;  ///< inodes, where this kernel tells them, as they come
  /// The names that older kernels give instead: "TCP", "UDPv6".
  std::vector<std::string> names;
};
/// io_uring_show_fdinfo of io_uring/fdinfo.c. A line "    0: socket:[1234]" for each file; kernels
/// before seq_file_path was used there give its short name alone, "    0: TCP". Nothing where the
/// text is of something else than an io_uring.
[[nodiscard]] std::optional<RingFiles> decode_ring_fdinfo(ByteView text);

/// How many descriptors lie in the queue of a UNIX socket: "scm_fds: N" of its fdinfo
/// (unix_show_fdinfo of net/unix/af_unix.c, since Linux 5.6). Nothing where it is not told.
[[nodiscard]] std::optional<std::uint32_t> decode_scm_fds(ByteView text);

}  // namespace hark::decode
