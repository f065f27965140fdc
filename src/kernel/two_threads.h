// Work over many small things, shared between this thread and at most one more.
//
// Walking /proc is all system calls, so a second processor is worth 1.7 to 1.9 times; more threads
// than two are not, as they meet at the kernel's locks.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/bytes.h"

namespace hark::kernel {

/// A worker: what one thread keeps for itself while it works.
class Worker {
 public:
  Worker() = default;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  virtual ~Worker() = default;
  /// Does thing number `index`, appending what is to be said of it to `out`.
  virtual void work(std::size_t index, Bytes& out) = 0;
};

/// Does all of [0, count) and returns what was said, in the order of the numbers. `make` is called
/// once in each thread that takes part.
[[nodiscard]] Bytes on_two_threads(std::size_t count,
                                   const std::function<std::unique_ptr<Worker>()>& make);

}  // namespace hark::kernel
