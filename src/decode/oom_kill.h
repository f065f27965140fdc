// Lines of the kernel's log that tell whom it killed for want of memory: dump_oom_summary of
// mm/oom_kill.c with mem_cgroup_print_oom_context of mm/memcontrol.c. The prefixes are printk's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace hark::decode {

struct OomKillLine {
  std::optional<std::int64_t> since_boot_ms = {};  ///< nothing: the log has no times
  std::uint32_t pid = 0;
  std::string program;  ///< of the kernel's 15 bytes
  std::string cgroup;   ///< task_memcg; empty: the kernel has no memory cgroups
  /// oom_memcg, whose limit was reached: this one or one above it; empty: the whole host was out of
  /// memory.
  std::string limited = {};
  bool operator==(const OomKillLine&) const = default;
};

/// In the order of the log. Other lines, and those that are not whole, are passed over.
[[nodiscard]] std::vector<OomKillLine> decode_oom_kills(ByteView log);

}  // namespace hark::decode
