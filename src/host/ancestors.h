// Who started a process: its parents, up to process 1 or the edge of the pid namespace.
//
// /proc/PID/stat (proc(5); do_task_stat of fs/proc/array.c) names the parent, the start time and
// the terminal. A process whose parent ended hangs on the nearest reaper above it, so the chain
// says who is responsible now, which need not be who called fork.
#pragma once

#include <vector>

#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

/// Fills Process::started_by of each, reading every ancestor once. The chain of a process ends at
/// the first ancestor that cannot be read, or that started after its child and so is another
/// process under a used pid; after 64 of them; and with Outside where the kernel gives no parent's
/// pid because that is in a pid namespace above. A process that cannot be read keeps the empty
/// optional.
void read_ancestors(kernel::Source& source, std::vector<Process>& processes);

}  // namespace hark::host
