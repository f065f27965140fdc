#include "host/oom_kills.h"

#include "decode/oom_kill.h"
#include "host/cgroup_names.h"
#include "kernel/kernel_log.h"

namespace hark::host {

Result<std::vector<OomKill>> read_oom_kills(kernel::Source& source) {
  const auto log = source.read_file(std::string(kernel::kKernelLog));
  if (!log) return fail(log.error());
  const auto clock = source.clock();
  std::vector<OomKill> out;
  for (decode::OomKillLine& one : decode::decode_oom_kills(*log)) {
    OomKill kill{.pid = one.pid,
                 .program = std::move(one.program),
                 .cgroup = one.cgroup,
                 .unit = unit_of_cgroup(one.cgroup),
                 .limited = std::move(one.limited)};
    // The log's clock stands still while the machine sleeps: about is all that can be said.
    if (clock && one.since_boot_ms) {
      kill.at_ms = clock->realtime_ms - clock->boottime_ms + *one.since_boot_ms;
    }
    out.push_back(std::move(kill));
  }
  return out;
}

}  // namespace hark::host
