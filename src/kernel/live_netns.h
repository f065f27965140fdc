// Entering network namespaces: the only place of hark that calls setns(2).
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"
#include "kernel/source.h"

namespace hark::kernel {

/// Opens the file of a namespace that has paths; ESTALE: none of them leads there any more. 0 or
/// errno.
[[nodiscard]] int open_netns(const NetnsRef& netns, UniqueFd& out);

/// A thread that goes into namespaces so that no other thread has to: it enters, opens one thing
/// or asks one thing there, and hands the descriptor over. A socket or a file of /proc/net belongs
/// to the namespace in which it was opened for ever, whoever reads it. Started at the first use.
class NetnsThread {
 public:
  NetnsThread() = default;
  NetnsThread(const NetnsThread&) = delete;
  NetnsThread& operator=(const NetnsThread&) = delete;
  ~NetnsThread();

  /// Runs `open` (a descriptor, or -1 with errno) inside the namespace and returns what it opened.
  /// EPERM: no CAP_SYS_ADMIN over it. ESTALE: none of its paths leads there any more.
  [[nodiscard]] Result<UniqueFd> open_inside(const NetnsRef& netns,
                                             const std::function<int()>& open);

  /// Runs `work` (0 or errno) inside the namespace: for what needs no descriptor, and asks the
  /// namespace of whoever calls. The same errors, and those of `work`. Work that is done there may
  /// ask for more, of another namespace, too.
  [[nodiscard]] int run_inside(const NetnsRef& netns, const std::function<int()>& work);

  /// Is it work of run_inside() that asks? It is in no namespace for good: our own one, too, it has
  /// to enter.
  [[nodiscard]] bool is_this_one() const { return std::this_thread::get_id() == thread_.get_id(); }

 private:
  struct Task {
    const NetnsRef* netns = nullptr;
    const std::function<int()>* work = nullptr;
    int error = 0;
    bool done = false;
  };
  void run();
  [[nodiscard]] int enter(const NetnsRef& netns);

  std::mutex mutex_;
  std::condition_variable changed_;
  Task* task_ = nullptr;
  bool stop_ = false;
  std::uint64_t inside_ = 0;  ///< inode of the namespace the thread is in; 0: not known
  std::thread thread_;
};

}  // namespace hark::kernel
