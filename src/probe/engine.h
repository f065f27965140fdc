// Many attempts at once on one thread: an epoll, a deadline for each, and never more sockets than
// there is room for.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "probe/attempt.h"
#include "probe/connection.h"

namespace hark::probe {

struct EngineOptions {
  Helpers helpers;
  /// Once this descriptor is readable all ends, and what is not known is not done; -1: nothing
  /// interrupts.
  int stop = -1;
  std::size_t parallel = 0;  ///< sockets at once; 0: room_for_sockets()
  /// Called as each ends, in the order in which they do.
  std::function<void(std::size_t, const Seen&)> ended = {};
};

/// How many sockets this process may still open, within RLIMIT_NOFILE. The soft limit is raised as
/// far as the hard one allows and `wanted` needs; some are left for others. At least 1, and not
/// more than a few thousand.
[[nodiscard]] std::size_t room_for_sockets(std::size_t wanted);

/// Tries them all. The answers are in the order of `attempts`, which must outlive the call.
[[nodiscard]] std::vector<Seen> run_attempts(std::span<const Attempt> attempts,
                                             const EngineOptions& options);

}  // namespace hark::probe
