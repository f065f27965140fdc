// Who holds a socket or a network namespace, from the kernel's iterators over tasks
// (bpf/task.bpf.c, bpf/task_file.bpf.c): the rungs between the survey and /proc.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "kernel/bpf_link.h"

extern "C" {
#include "bpf/records.h"
}

namespace hark::kernel {

/// Every socket that may be a listener and every network namespace, by descriptor, from a walk over
/// the descriptor tables of all tasks. Linux 6.4.
[[nodiscard]] Result<std::vector<hark_found>> iterate_tasks(const KernelTypes& types);

/// The same from the iterator that hands out each file. Linux 5.11.
[[nodiscard]] Result<std::vector<hark_found>> iterate_files(const KernelTypes& types);

}  // namespace hark::kernel
