// What decides whether a listener takes a packet and whether somebody serves it, beyond what a
// listing shows: keys, flags and queues of the socket, limits and freezers of its holders.
// linux/inet_diag.h, linux/sock_diag.h, proc(5), cgroups(7); the options of sockets through their
// holders, see kernel/live_options.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/rare.h"
#include "decode/socket_options.h"
#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

/// More of a socket that listens, and the sockets that are bound without listening.
struct SocketFacts {
  std::uint32_t inode = 0;
  std::optional<bool> transparent = {};         ///< IP_TRANSPARENT
  std::optional<std::vector<Prefix>> md5 = {};  ///< peers that must sign; empty optional: not told
  std::optional<std::uint64_t> memory_used = {};   ///< sk_rmem_alloc, bytes
  std::optional<std::uint64_t> memory_limit = {};  ///< sk_rcvbuf
  std::uint32_t queue_length = 0;                  ///< of a listener, as it was seen last
  std::uint32_t half_open = 0;  ///< connections in SYN_RECV that wait for their ACK
  /// Looked at twice: did its queue get shorter? Empty: not looked at twice.
  std::optional<bool> drains = {};
  /// As the holder set them; empty: could not be read.
  Rare<decode::SocketOptions> options = {};
  bool operator==(const SocketFacts&) const = default;
};

/// A TCP socket that has a port and does not listen (TCP_BOUND_INACTIVE, Linux 6.8).
struct BoundSocket {
  IpAddress address;
  std::uint16_t port = 0;
  std::uint32_t inode = 0;
  std::uint32_t uid = 0;
  bool operator==(const BoundSocket&) const = default;
};

struct HolderFacts {
  std::uint32_t pid = 0;
  std::optional<bool> frozen = {};
  std::string frozen_file = {};                  ///< the file that says so; empty: none was read
  std::optional<std::uint64_t> open_files = {};  ///< empty also where far less than the limit
  std::optional<std::uint64_t> file_limit = {};  ///< RLIMIT_NOFILE, soft
  bool operator==(const HolderFacts&) const = default;
};

/// Sockets whose options the kernel did not give out, and the reason of the last one.
struct RefusedOptions {
  std::size_t sockets = 0;
  Error error = {};
};

struct ServiceFacts {
  std::vector<SocketFacts> sockets;  ///< by inode
  std::vector<BoundSocket> bound;
  std::vector<HolderFacts> holders;  ///< by pid
  RefusedOptions refused = {};

  [[nodiscard]] const SocketFacts* socket(std::uint32_t inode) const;
  [[nodiscard]] const HolderFacts* holder(std::uint32_t pid) const;
};

class CgroupFolders;  // cgroup_folders.h

/// What of it is asked for.
struct ServiceRequest {
  std::optional<std::uint16_t> port = {};  ///< of one port, else of all
  bool half_open =
      false;            ///< count SYN_RECV: walks all connections, and matters without SYN cookies
  bool options = true;  ///< of sockets, through their holders
  bool bound = true;    ///< sockets that are bound and do not listen: walks a long table
  CgroupFolders* folders = nullptr;  ///< as of NetworkRequest
};

/// Reads them for the listeners of one namespace. What cannot be read stays empty. What is asked of
/// the kernel does not depend on the port, so that a recording answers for each.
[[nodiscard]] ServiceFacts read_service_facts(kernel::Source& source, const kernel::NetnsRef& netns,
                                              const Host& host, NetnsId id,
                                              const ServiceRequest& request);

/// The options of a listener's socket, through whoever of its owners lets them be read. Nothing
/// where none does; `refused` then says why, if it was for want of a right.
[[nodiscard]] std::optional<decode::SocketOptions> read_socket_options(
    kernel::Source& source, const Host& host, const Listener& listener,
    std::optional<Error>& refused);

/// One more look at the queues of listeners. A socket whose queue held connections and is shorter
/// now drains; one that is not does not, until a later look shows it. True: nothing is left to look
/// for.
[[nodiscard]] bool look_again(kernel::Source& source, const kernel::NetnsRef& netns,
                              ServiceFacts& facts);

}  // namespace hark::host
