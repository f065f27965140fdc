// What /proc and cgroup files say of how a process fares: proc(5), cgroups(7),
// Documentation/admin-guide/cgroup-v2.rst. Each is a short text but for maps; whatever a line does
// not say stays empty, and lines that nobody knows are passed over.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace hark::decode {

/// /proc/PID/status and /proc/PID/task/TID/status: proc_pid_status of fs/proc/array.c.
struct TaskStatus {
  char state = '?';  ///< R S D T t Z X I, as in proc(5)
  std::optional<std::uint32_t> tracer_pid = {};
  std::optional<std::uint32_t> threads = {};
  /// Context switches, voluntary or not: a task whose number stays has not run.
  std::optional<std::uint64_t> switches = {};
  bool operator==(const TaskStatus&) const = default;
};
[[nodiscard]] TaskStatus decode_task_status(ByteView text);

/// The libraries in /proc/PID/maps that are mapped to be run and have been removed from their
/// folder since: sorted, each once, at most 16. Memory without a file that the kernel calls deleted
/// as well (memfd, SysV and shared anonymous memory, /dev) is none.
[[nodiscard]] std::vector<std::string> decode_deleted_libraries(ByteView maps);

/// /proc/PID/task/TID/syscall of a task that waits inside one: its number for the task's own
/// machine, and its arguments. proc_pid_syscall of fs/proc/base.c.
struct TaskCall {
  std::int64_t number = -1;
  std::array<std::uint64_t, 6> arguments = {};
  bool operator==(const TaskCall&) const = default;
};
/// Nothing where it runs, or waits outside of a system call.
[[nodiscard]] std::optional<TaskCall> decode_task_call(ByteView text);

/// The inodes that an epoll watches, from /proc/PID/fdinfo/FD: ep_show_fdinfo of fs/eventpoll.c.
[[nodiscard]] std::vector<std::uint64_t> decode_epoll_inodes(ByteView info);
/// The flags of a descriptor from the same file, as open(2) has them; nothing if it has none.
[[nodiscard]] std::optional<std::uint32_t> decode_descriptor_flags(ByteView info);

/// "nr_periods 12\nnr_throttled 3\n": cpu.stat, memory.events and other flat files of cgroups, and
/// /proc/net/snmp6.
[[nodiscard]] std::map<std::string, std::uint64_t> decode_flat_numbers(ByteView text);

/// /proc/net/netstat and /proc/net/snmp, pairs of lines "TcpExt: A B" and "TcpExt: 1 2", as
/// "TcpExtA". netstat_seq_show of net/ipv4/proc.c. A value below zero is left out.
[[nodiscard]] std::map<std::string, std::uint64_t> decode_counters(ByteView text);

}  // namespace hark::decode
