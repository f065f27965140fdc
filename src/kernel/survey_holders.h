// Who holds the files of sockets, and one process of every set of namespaces: all tasks are
// visited, and every slot of their descriptor tables is compared with the addresses of the files
// looked for. No file is touched unless its address is one of them: that is what makes it fast, and
// what makes 600,000 descriptors a matter of milliseconds.
//
// No lock is taken. A table may change while it is read and a process may end; so what was hit is
// looked at again in the end: the process must still be the one that was described, the descriptor
// still that file, and the file still the socket's. What was not there at the time is missed, as by
// every reader of /proc; but not what is passed on to a new process in the meantime.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernel/kernel_layout.h"
#include "kernel/kernel_reader.h"
#include "kernel/survey_sockets.h"
#include "kernel/work_pair.h"

extern "C" {
#include "bpf/records.h"
}

namespace hark::kernel {

/// A descriptor that is a listener's socket.
struct Holding {
  std::uint32_t process = 0;  ///< position of its holder among the processes
  std::uint32_t fd = 0;
  std::uint32_t inode = 0;
};

struct FoundHolders {
  std::vector<hark_process> processes;
  std::vector<Holding> holdings;
};

/// What came of it is only valid if reader.state() is.
[[nodiscard]] FoundHolders survey_holders(KernelReader& reader, WorkPair& pair,
                                          const KernelLayout& layout,
                                          std::span<const FoundSocket> sockets);

}  // namespace hark::kernel
