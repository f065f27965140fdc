// Where the threads of a process wait, and whether it could be told of a connection in ways that no
// thread's state shows. Only of processes at whose sockets connections wait: all threads and all
// descriptors are looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "decode/process_health.h"
#include "kernel/source.h"

namespace hark::host {

struct ThreadWait {
  std::uint32_t tid = 0;
  char state = '?';
  std::optional<std::uint64_t> switches = {};  ///< context switches
  /// In which function of the kernel it waits; empty: it runs, or it was not told.
  std::string wchan = {};
  std::optional<decode::TaskCall> call = {};  ///< in which system call; root alone is told
  bool operator==(const ThreadWait&) const = default;
};

struct ProcessWaits {
  std::uint32_t pid = 0;
  std::vector<ThreadWait> threads = {};  ///< by tid
  bool whole = false;                    ///< every thread and every descriptor was seen
  bool io_uring = false;   ///< it has one, by which it may accept without any thread waiting
  bool signalled = false;  ///< a signal tells it of connections (O_ASYNC)
  std::vector<std::uint64_t> polled = {};  ///< inodes that its epolls hold, ascending
  bool operator==(const ProcessWaits&) const = default;
};

/// A process and the descriptors by which it holds listeners.
struct WaitQuestion {
  std::uint32_t pid = 0;
  std::vector<std::uint32_t> fds;
};

/// By pid; processes that are gone are left out. Of more than kMostWaitThreads threads or
/// kMostWaitFds descriptors the others are not looked at, and the process is not whole.
[[nodiscard]] std::vector<ProcessWaits> read_process_waits(
    kernel::Source& source, const std::vector<WaitQuestion>& questions);
constexpr std::size_t kMostWaitThreads = 1024;
constexpr std::size_t kMostWaitFds = 16384;

}  // namespace hark::host
