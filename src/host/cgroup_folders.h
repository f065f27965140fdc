// Where the files of a process's cgroups are: the mounts of /proc/self/mountinfo joined with the
// paths of /proc/PID/cgroup. cgroups(7).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "decode/cgroup.h"
#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

class CgroupFolders {
 public:
  /// Reads the mounts, once.
  explicit CgroupFolders(kernel::Source& source);

  /// The folder of the process in cgroup v2, or in the hierarchy of that controller of v1; empty:
  /// there is none. Where only v2 is mounted, nothing more is read of the process.
  [[nodiscard]] std::string v2(const Process& process);
  [[nodiscard]] std::string v1(const Process& process, std::string_view controller);

  /// The folder of a cgroup of the memory controller, by its path; empty: there is none.
  struct Memory {
    std::string folder;
    bool v1 = false;
  };
  [[nodiscard]] Memory memory(std::string_view path) const;

 private:
  struct Mount {
    std::string controllers;  ///< ",rw,freezer,"
    std::string point;
  };
  [[nodiscard]] const std::vector<decode::CgroupLine>& lines_of(const Process& process);

  kernel::Source& source_;
  std::string v2_;
  std::vector<Mount> v1_;
  std::uint32_t pid_ = 0;  ///< whose lines these are
  std::vector<decode::CgroupLine> lines_;
};

}  // namespace hark::host
