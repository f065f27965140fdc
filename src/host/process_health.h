// How the processes that hold listeners fare, beyond what a listing shows: states of their threads,
// who traces them, libraries removed since, limits of their cgroup. What `frozen` and descriptors
// are is read with the sockets already: HolderFacts of service_facts.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "decode/process_health.h"
#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

struct ThreadHealth {
  std::uint32_t tid = 0;
  char state = '?';
  bool operator==(const ThreadHealth&) const = default;
};

/// What the cgroup of a process allows it. Empty: no such limit, or it could not be read.
struct CgroupHealth {
  std::string path = {};                      ///< of the folder whose files about memory were read
  std::string cpu_path = {};                  ///< of the one whose cpu.stat was read
  bool memory_v1 = false;                     ///< `path` is of the old hierarchy
  std::optional<std::uint64_t> periods = {};  ///< of cpu.max, since the cgroup was made
  std::optional<std::uint64_t> throttled = {};  ///< of these, how many ended early
  std::optional<std::uint64_t> memory_used = {};
  std::optional<std::uint64_t> memory_limit = {};
  /// Of `memory_used`, what cannot be given back without swapping: not the cache of files.
  std::optional<std::uint64_t> memory_held = {};
  std::optional<std::uint64_t> memory_refused = {};  ///< "max" of memory.events
  std::optional<std::uint64_t> oom_kills = {};
  bool operator==(const CgroupHealth&) const = default;
};

struct ProcessHealth {
  std::uint32_t pid = 0;
  decode::TaskStatus status = {};  ///< of its first thread; state '?': it is gone, or was not read
  std::string tracer = {};  ///< name of the process that traces it; empty: none, or not known
  std::optional<std::vector<std::string>> deleted_libraries = {};
  /// At most kMostThreads, the first one first; only where that one is in a state in which it does
  /// not serve.
  std::vector<ThreadHealth> threads = {};
  std::optional<CgroupHealth> cgroup = {};
  static constexpr std::size_t kMostThreads = 64;
  bool operator==(const ProcessHealth&) const = default;
};

/// What is read of each process besides its status.
struct HealthRequest {
  bool libraries = false;
  bool cgroups = false;
};

/// Of these processes, by pid. At most kMostExamined are looked into, so that the work is bounded;
/// the others are left out.
[[nodiscard]] std::vector<ProcessHealth> read_process_health(
    kernel::Source& source, const std::vector<const Process*>& processes,
    const HealthRequest& request);
constexpr std::size_t kMostExamined = 4096;

}  // namespace hark::host
