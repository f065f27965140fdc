// Work for two threads: one has it to do, the other would only wait for the end of it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

namespace hark::kernel {

class WorkPair {
 public:
  enum class Hand : std::uint8_t { First, Second };
  /// Is called with each number once, by either thread, which tells which one it is.
  using Job = std::function<void(Hand, std::uint32_t)>;

  /// For who has the work: does the job for each number below `count`, some of them perhaps by who
  /// helps. All are done when it returns.
  void each(std::uint32_t count, const Job& job);
  /// There will be no more.
  void finish();

  /// For who waits: helps with what there is, until finish().
  void help();

 private:
  struct Work {
    const Job& job;
    std::uint32_t count;
    std::atomic<std::uint32_t> next = 0;

    void take_part(Hand hand);
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  Work* work_ = nullptr;  ///< what there is to help with
  bool helping_ = false;
  bool finished_ = false;
};

}  // namespace hark::kernel
