// What only change tells: queues, drops and counters at one moment. Two looks, a short time apart,
// tell a queue that does not drain from one that is just busy, and a counter that rises from one
// that rose last week.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

struct SocketLook {
  std::uint64_t length = 0;  ///< LISTEN: connections that wait; UNCONN: bytes
  std::uint64_t limit = 0;   ///< LISTEN: backlog; UNCONN: bytes
  std::optional<std::uint64_t> drops = {};
  bool operator==(const SocketLook&) const = default;
};

struct ProcessLook {
  char state = '?';
  std::optional<std::uint64_t> switches = {};  ///< context switches of its first thread
  bool operator==(const ProcessLook&) const = default;
};

/// By "TcpExtListenOverflows", "UdpRcvbufErrors", "Udp6RcvbufErrors".
using Counters = std::map<std::string, std::uint64_t>;

struct Look {
  std::int64_t at_ms = 0;                       ///< since boot
  std::map<std::uint32_t, SocketLook> sockets;  ///< by inode: TCP that listens, UDP, UDP-Lite
  std::map<NetnsId, Counters> counters;
  std::map<std::uint32_t, ProcessLook> processes;  ///< by pid

  [[nodiscard]] const SocketLook* socket(std::uint32_t inode) const;
  [[nodiscard]] const ProcessLook* process(std::uint32_t pid) const;
  [[nodiscard]] std::optional<std::uint64_t> counter(NetnsId id, std::string_view name) const;
};

/// Looks at these namespaces (`ways` as of collect_with_ways) and processes. What cannot be read is
/// not in it.
[[nodiscard]] Look take_look(kernel::Source& source, const std::vector<kernel::NetnsRef>& ways,
                             const std::vector<NetnsId>& namespaces,
                             const std::vector<std::uint32_t>& pids);

}  // namespace hark::host
