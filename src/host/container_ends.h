// Containers that ended where somebody may miss them: whom the kernel killed for want of memory,
// whom their runtime starts again and again.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host/host.h"
#include "host/oom_kills.h"
#include "kernel/source.h"

namespace hark::host {

struct ContainerEnd {
  Container container = {};    ///< has a name
  std::vector<OomKill> kills;  ///< of its processes, oldest first
  /// Something runs in it now, or, of a pod's, in what has taken its place. Nothing: not known.
  std::optional<bool> runs = {};

  // Of docker and podman, as of decode::ContainerState.
  bool restarting = false;
  bool stopped_by_hand = false;
  std::uint32_t restarts = 0;
  std::optional<std::uint32_t> exit_status = {};
  std::optional<std::int64_t> started_at_ms = {};
  std::optional<std::int64_t> ended_at_ms = {};
  bool operator==(const ContainerEnd&) const = default;
};

/// By runtime and id. Of docker and podman those that they have started again, and all in which one
/// of `kills` was. A container that its runtime does not know any more is nobody's trouble. Those
/// that do not run are told of only where `host` has the namespace that hark runs in: they are in
/// none.
[[nodiscard]] std::vector<ContainerEnd> read_container_ends(kernel::Source& source,
                                                            const Host& host,
                                                            const std::vector<OomKill>& kills);

}  // namespace hark::host
