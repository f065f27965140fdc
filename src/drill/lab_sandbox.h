// The walls of `hark lab`: namespaces that end, with all that is in them, when the process that
// made them ends, however that happens.
//
// One process, the first of a pid namespace, holds everything: mounts, network namespaces (bound on
// a tmpfs that only its mount namespace has), services, the person's shell. When it dies the kernel
// kills the others. It dies when its maker dies (PR_SET_PDEATHSIG; pid_namespaces(7): signals from
// the outside reach it). The files of the machine can be read inside, and not be written.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "base/result.h"

namespace hark::drill {

struct LabSandbox {
  pid_t pid = 0;  ///< its first process, a child of the caller
};

/// Starts it; `body` is its first process, in new user, network, mount, pid, IPC and UTS namespaces
/// where it may do everything, with its own /proc, /run and /tmp. Root is kept from the machine by
/// the user namespace too; only where the kernel forbids these is root left without one. This very
/// program, and the file `helper` if it is there, can be found below kLabHark. The error says what
/// forbids it, and what would help.
[[nodiscard]] Result<LabSandbox> start_lab_sandbox(const std::string& helper,
                                                   const std::function<int()>& body);

/// Why the kernel does not let an ordinary user make namespaces, as far as its settings tell.
[[nodiscard]] Error no_namespaces(int code);

}  // namespace hark::drill
