// Listeners that no process holds, as far as could be seen: what does, and what narrows it down.
#pragma once

#include <span>

#include "decode/process.h"
#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

/// Fills Listener::held_by wherever owners were looked for and no process was found; to be called
/// after name_kernel_owners. `scan` is the scan of descriptors in which none was found, `refs`
/// leads to the namespaces by their ids.
///
/// Only where all processes could be read and a socket still has no holder is more read: which
/// processes have an io_uring, and what is registered with it; which UNIX sockets have descriptors
/// in their queue. That work is bounded, whatever the host has. With `details` the same where all
/// but a few could be read, and where many could not, who is in the socket's cgroup.
void explain_unheld(kernel::Source& source, std::span<const kernel::NetnsRef> refs,
                    const decode::ProcessScan& scan, bool details, Host& host);

}  // namespace hark::host
