// /proc/PID/cgroup: cgroups(7).
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

/// One line `ID:CONTROLLERS:PATH`. Version 2 is the line with id 0 and no controllers.
struct CgroupLine {
  unsigned hierarchy = 0;
  std::string controllers;  ///< "cpu,cpuacct", "name=systemd", ""
  std::string path;         ///< may hold any byte but newline and NUL; " (deleted)" is cut off

  bool operator==(const CgroupLine&) const = default;
};

/// A malformed or cut off line is an error naming its number.
[[nodiscard]] Result<std::vector<CgroupLine>> decode_cgroup_file(ByteView text);

/// The path that tells most of a process: version 2 if it is not "/", else the systemd hierarchy,
/// else the longest of the others; "/" if there is none.
[[nodiscard]] std::string telling_path(const std::vector<CgroupLine>& lines);

}  // namespace hark::decode
