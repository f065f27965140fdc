// The wire between kernel::Source's two process calls and decode: which parts (base/parts.h) the
// buffers hold. It is part of the recording format: tags may be added, never renumbered.
//
// scan_namespaces and scan_descriptors, for each process in the order of its pid:
//   Pid           u32, opens the record; every part up to the next Pid belongs to it
// and of what was asked for
//   namespaces:
//   NetnsInode    u64, from the link /proc/PID/ns/net; failed part: errno (EACCES: not our process)
//   NetProcInode  u64, inode of /proc/PID/net/dev, which tells namespaces apart without any right;
//                 of hark itself and where NetnsInode failed; and, if one of those is in another
//                 namespace than hark, of the first process of every NetnsInode
//   MntnsInode    u64, from /proc/PID/ns/mnt; left out where it failed
//   descriptors:
//   Sockets       FdInode[], every descriptor that is a socket; failed part: errno of reading
//                 /proc/PID/fd (there may be one of each: the kernel can let us list but not look)
//   NetnsFds      FdInode[], every descriptor that is a network namespace; left out if none
//   and of what a search through the kernel's own memory finds out by the way, of both:
//   Facts         ProcessFacts; processes with the same `group` are in the same cgroups
//   Cgroup        the bytes of /proc/PID/cgroup, of one process of each group
// read_processes, for each process that still exists:
//   Pid           u32, opens the record
//   Stat Status Cmdline Cgroup   the bytes of these files of /proc/PID
//   Exe           the target of /proc/PID/exe
//   Uid           u32, the effective one, where Status was not read
//   Sockets       FdInode[], those asked for that the held process was seen to hold still
//   any of them may be a failed part with its errno
#pragma once

#include <array>
#include <cstdint>

namespace hark {

enum class ProcessPart : std::uint16_t {
  Pid = 1,
  NetnsInode = 2,
  NetProcInode = 3,
  MntnsInode = 4,
  Sockets = 5,
  NetnsFds = 6,
  Stat = 7,
  Status = 8,
  Cmdline = 9,
  Exe = 10,
  Cgroup = 11,
  Facts = 12,
  Uid = 13,
};

/// What is known of a process without reading its files.
struct ProcessFacts {
  std::uint64_t start_ns = 0;  ///< since boot
  std::uint32_t uid = 0;       ///< effective
  std::uint32_t group = 0;     ///< the same for all that are in the same cgroups
  char state = '?';            ///< as in proc(5)
  std::uint8_t exe_deleted = 0;
  std::array<char, 16> name{};  ///< NUL-terminated
  std::array<char, 32> exe{};  ///< the last part of its program's path, perhaps cut; NUL-terminated
  std::array<char, 6> unused{};
  bool operator==(const ProcessFacts&) const = default;
};
static_assert(sizeof(ProcessFacts) == 72);

/// A descriptor and the inode behind it. Socket and namespace inodes are 32 bits wide in the kernel
/// (get_next_ino of fs/inode.c, proc_alloc_inum of fs/proc/generic.c).
struct FdInode {
  std::uint32_t fd = 0;
  std::uint32_t inode = 0;
  bool operator==(const FdInode&) const = default;
};

}  // namespace hark
