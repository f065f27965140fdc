// What the BPF programs found, in the form of the seam (base/process_parts.h, base/socket_parts.h).
// Addresses of the kernel's memory end here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/socket_parts.h"
#include "kernel/survey_sockets.h"

extern "C" {
#include "bpf/records.h"
}

namespace hark::kernel {

/// A descriptor that is a socket or a network namespace, and who has it.
struct Held {
  const hark_process* process = nullptr;
  std::uint32_t fd = 0;
  std::uint32_t inode = 0;
  bool is_netns = false;
};

/// The answer of Source::scan_sockets.
[[nodiscard]] Bytes socket_parts(std::span<const SurveyedNetns> namespaces,
                                 std::span<const FoundSocket> sockets, SurveyDepth depth);

/// The answer of Source::scan_namespaces: of each set of namespaces a process. Of each group of
/// processes in the same cgroups one's /proc/PID/cgroup is read.
[[nodiscard]] Bytes namespace_parts(const std::string& proc_root,
                                    std::vector<const hark_process*> first);

/// The answer of Source::scan_descriptors. Of each group of processes in the same cgroups one's
/// /proc/PID/cgroup is read. A process 1 into whose descriptors /proc does not let us look, and
/// which the kernel keeps from its own iterators too, is said to be unreadable.
[[nodiscard]] Bytes holder_parts(const std::string& proc_root, std::vector<Held> held);

}  // namespace hark::kernel
