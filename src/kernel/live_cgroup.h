// Paths of cgroups by their ids. cgroups(7), "Cgroups v2"; fs/kernfs/mount.c (file handles).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace hark::kernel {

/// The id of a cgroup of version 2 is the inode of its folder, and also its file handle. Opening by
/// handle costs microseconds but needs CAP_DAC_READ_SEARCH; without it the tree is walked once.
class CgroupPaths {
 public:
  explicit CgroupPaths(std::string proc_root) : proc_root_(std::move(proc_root)) {}
  /// As Source::cgroup_path.
  [[nodiscard]] Result<std::string> path_of(std::uint64_t id);
  /// The folder of the cgroup at a path as path_of() gives it. ENODEV: no cgroup v2 here. 0 or
  /// errno.
  [[nodiscard]] int open(const std::string& path, UniqueFd& out);

 private:
  [[nodiscard]] int open_mount();
  [[nodiscard]] int by_handle(std::uint64_t id, std::string& out) const;
  void walk();

  std::string proc_root_;
  bool tried_ = false;
  bool walked_ = false;
  std::string mount_point_;
  UniqueFd mount_;
  std::map<std::uint64_t, std::string> known_;
};

}  // namespace hark::kernel
