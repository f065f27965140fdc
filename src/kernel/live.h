// The running kernel. Together with its parts (live_*.cpp) the only place of hark with system calls
// that read the host.
#pragma once

#include <memory>
#include <string>

#include "kernel/search.h"
#include "kernel/source.h"

namespace hark::kernel {

/// A source that asks this machine. Opens nothing until it is asked, keeps a bounded number of
/// sockets, and one thread that enters namespaces. `proc_root` is for tests on a made-up tree;
/// `best` is the first rung of the ladder that is tried (search.h).
[[nodiscard]] std::unique_ptr<Source> make_live(std::string proc_root = "/proc",
                                                Search best = Search::Survey);

}  // namespace hark::kernel
