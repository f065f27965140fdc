// Work whose parts do not depend on each other, done by several threads.
#pragma once

#include <cstddef>
#include <functional>

namespace hark {

/// How many threads can run at once (sched_getaffinity(2)), at most 8: more gain little here.
[[nodiscard]] std::size_t useful_threads();

/// Calls `job` with each number below `count` once, by so many threads at most, of which this one
/// is one. All are done when it returns. A job does not throw.
void do_each(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& job);

}  // namespace hark
