// Who holds a listener: the join of sockets and descriptors by the socket's inode.
#pragma once

#include <cstdint>
#include <vector>

#include "decode/process.h"
#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

/// The sockets of the host's listeners, ascending.
[[nodiscard]] std::vector<std::uint32_t> listener_inodes(const Host& host);

/// Fills Host::processes and every listener's owners from a scan of descriptors. A listener nobody
/// was seen to hold gets an empty list only if `all_seen`: otherwise it stays unknown.
struct OwnerJoin {
  bool all_seen = false;     ///< every process could be looked into
  bool details = true;       ///< all that can be told of a process; false: what the search told
  std::int64_t boot_ms = 0;  ///< when the machine was started, since 1970
};
void join_owners(kernel::Source& source, const decode::ProcessScan& scan, const OwnerJoin& how,
                 Host& host);

}  // namespace hark::host
