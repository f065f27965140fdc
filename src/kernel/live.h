// The running kernel. The only place of hark with system calls that read the host.
#pragma once

#include <memory>

#include "kernel/source.h"

namespace hark::kernel {

/// A source that asks this machine. Opens nothing until it is asked; keeps at most one socket per
/// namespace and netlink protocol. `proc_root` and `cgroup_root` are for tests on a made-up tree.
[[nodiscard]] std::unique_ptr<Source> make_live(std::string proc_root = "/proc");

}  // namespace hark::kernel
