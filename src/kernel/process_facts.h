// What is told of a process: include/linux/sched.h, cred.h, nsproxy.h.
#pragma once

#include <cstdint>
#include <span>

#include "kernel/kernel_layout.h"
#include "kernel/kernel_reader.h"

extern "C" {
#include "bpf/records.h"
}

namespace hark::kernel {

struct DescribedTask {
  std::uint64_t task = 0;   ///< address; a thread that still has what a leader that exited has lost
  std::uint64_t files = 0;  ///< address of its files_struct
  std::uint64_t leader = 0;  ///< found: address
  bool stays = false;        ///< it still is the process that was described
  hark_process process{};    ///< found: all but `first`; namespaces only where that is set
};

/// Finds what is told of tasks.
void describe_tasks(KernelReader& reader, const KernelLayout& layout,
                    std::span<DescribedTask> tasks);

/// Sets `stays`: neither has a process ended and another one taken its place, nor its descriptors.
void check_tasks(KernelReader& reader, const KernelLayout& layout, std::span<DescribedTask> tasks);

}  // namespace hark::kernel
