// Listeners that the kernel opened by itself: VXLAN devices, WireGuard, the NFS server and so on.
// Each kind is a row of a table in kernel_makers.cpp: of which protocol its sockets are, and how
// the kernel is asked for their ports.
#pragma once

#include <span>

#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

/// Names the kernel's part in every listener that no process was seen to hold, and gives those an
/// empty list of owners. `refs` leads to the namespaces of the host, by their ids.
///
/// A namespace is asked only if it has such a listener, and only for the kinds that open sockets of
/// its protocol; a host without such listeners is asked nothing. What the kernel has not is no gap;
/// what it tells only with a right is one, if a listener is left that it could explain.
void name_kernel_owners(kernel::Source& source, std::span<const kernel::NetnsRef> refs, Host& host);

}  // namespace hark::host
