// Processes that the kernel killed for want of memory, as its log tells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kernel/source.h"

namespace hark::host {

struct OomKill {
  std::uint32_t pid = 0;
  std::string program;                     ///< as the kernel had it: any bytes but newlines
  std::string cgroup;                      ///< of the memory controller
  std::string unit;                        ///< by its cgroup; empty: none
  std::string limited = {};                ///< whose limit it was; empty: the whole host's memory
  std::optional<std::int64_t> at_ms = {};  ///< since 1970, about; nothing: the log has no times
  bool operator==(const OomKill&) const = default;
};

/// Oldest first. EPERM where the right to read the log is missing.
[[nodiscard]] Result<std::vector<OomKill>> read_oom_kills(kernel::Source& source);

}  // namespace hark::host
