// What /proc says of processes: the two buffers of base/process_parts.h, and the files in them.
// proc(5), fs/proc/array.c.
//
// A buffer that is cut off, begins without a process or holds an impossible length is an error as a
// whole. Parts with an unknown tag are passed over: newer recordings may have more.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/process_parts.h"
#include "base/result.h"

namespace hark::decode {

/// One process of scan_namespaces or scan_descriptors.
struct ScannedProcess {
  std::uint32_t pid = 0;
  std::optional<std::uint64_t> netns_inode;     ///< empty: not ours to see
  std::optional<std::uint64_t> net_proc_inode;  ///< stands in for it, to tell namespaces apart
  std::optional<std::uint64_t> mntns_inode;
  /// Its sockets are [first_socket, end_socket) of the scan's list.
  std::uint32_t first_socket = 0;
  std::uint32_t end_socket = 0;
  int sockets_error = 0;  ///< errno of /proc/PID/fd or of a link in it; 0: all was read
  static constexpr std::uint32_t kNoFacts = 0xffffffff;
  std::uint32_t facts = kNoFacts;  ///< position among the scan's facts
  std::vector<FdInode> netns_fds;

  bool operator==(const ScannedProcess&) const = default;
};

struct ProcessScan {
  std::vector<ScannedProcess> processes;   ///< by ascending pid
  std::vector<FdInode> sockets;            ///< of all processes, in one array: a busy host has many
  std::vector<ProcessFacts> facts;         ///< where the search told more than descriptors
  std::map<std::uint32_t, Bytes> cgroups;  ///< by ProcessFacts::group, for decode_cgroup_file

  [[nodiscard]] const ProcessFacts* facts_of(const ScannedProcess& process) const {
    return process.facts < facts.size() ? &facts[process.facts] : nullptr;
  }
};

/// Pids that do not ascend are an error.
[[nodiscard]] Result<ProcessScan> decode_process_scan(ByteView parts);

/// USER_HZ is 100 on every machine that hark runs on.
constexpr std::int64_t kMsPerTick = 10;

/// /proc/PID/stat. The name stands in parentheses and may hold any byte, parentheses too: it ends
/// at the last one.
struct StatRecord {
  std::string name;
  char state = '?';
  std::uint32_t parent_pid = 0;
  std::uint32_t flags = 0;        ///< PF_* of linux/sched.h: 0x00200000 is a kernel thread
  std::uint64_t start_ticks = 0;  ///< since boot, in hundredths of a second (USER_HZ)
  std::int32_t terminal = 0;      ///< tty_nr, the device of its controlling terminal; 0: none

  [[nodiscard]] std::int64_t start_ms() const {  ///< since boot
    return static_cast<std::int64_t>(start_ticks) * kMsPerTick;
  }
  bool operator==(const StatRecord&) const = default;
};
[[nodiscard]] Result<StatRecord> decode_stat(ByteView text);

/// /proc/PID/status.
struct StatusRecord {
  std::uint32_t effective_uid = 0;
  std::uint64_t effective_capabilities = 0;

  bool operator==(const StatusRecord&) const = default;
};
[[nodiscard]] Result<StatusRecord> decode_status(ByteView text);

/// /proc/PID/cmdline: arguments, each ended by NUL. A process that rewrote its title has one with
/// blanks in it, perhaps without NUL; trailing NULs of an overwritten area are dropped, and empty
/// arguments at the end with them: the two cannot be told apart. Kernel threads have none.
[[nodiscard]] std::vector<std::string> decode_cmdline(ByteView text);

/// One process of read_processes. What the buffer does not hold is an error, as is what could not
/// be read (its errno) and what could not be decoded.
struct ProcessRecord {
  std::uint32_t pid = 0;
  Result<StatRecord> stat = not_told("stat");
  Result<StatusRecord> status = not_told("status");
  Result<std::vector<std::string>> cmdline = not_told("cmdline");
  Result<std::string> exe = not_told("exe");  ///< link target as it is; " (deleted)" still there
  Result<Bytes> cgroup = not_told("cgroup");  ///< for decode_cgroup_file
  std::optional<std::uint32_t> uid;           ///< effective, where status was not read
  std::vector<FdInode> sockets;
  int sockets_error = 0;  ///< errno of looking at its descriptors; 0: all were looked at

  [[nodiscard]] static tl::unexpected<Error> not_told(const char* what);
};
/// In the order of the buffer.
[[nodiscard]] Result<std::vector<ProcessRecord>> decode_processes(ByteView parts);

}  // namespace hark::decode
