#include "kernel/live_netns.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>

#include "kernel/live_files.h"

namespace hark::kernel {
namespace {

/// ESTALE: it does not lead there.
int open_path(const std::string& path, std::uint64_t inode, UniqueFd& out) {
  const int failed = open_at(AT_FDCWD, path.c_str(), O_RDONLY, out);
  if (failed == ENOENT || failed == ESRCH) return ESTALE;
  if (failed != 0) return failed;
  // A path by way of a pid or a name may lead somewhere else by now.
  struct stat found {};
  return ::fstat(out.get(), &found) != 0 || found.st_ino != inode ? ESTALE : 0;
}

}  // namespace

int open_netns(const NetnsRef& netns, UniqueFd& out) {
  int error = ESTALE;
  for (const std::string& path : netns.paths) {
    const int failed = open_path(path, netns.inode, out);
    if (failed == 0) return 0;
    if (failed != ESTALE) error = failed;
  }
  return error;
}

NetnsThread::~NetnsThread() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Result<UniqueFd> NetnsThread::open_inside(const NetnsRef& netns, const std::function<int()>& open) {
  UniqueFd opened;
  const int error = run_inside(netns, [&open, &opened] {
    opened = UniqueFd(open());
    return opened.valid() ? 0 : errno;
  });
  if (error != 0) {
    return fail(kernel_error(error, "network namespace " + std::to_string(netns.inode)));
  }
  return opened;
}

int NetnsThread::run_inside(const NetnsRef& netns, const std::function<int()>& work) {
  if (is_this_one()) {
    const int error = enter(netns);
    return error != 0 ? error : work();
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  Task task;
  task.netns = &netns;
  task.work = &work;
  {
    std::unique_lock lock(mutex_);
    task_ = &task;
    changed_.notify_all();
    changed_.wait(lock, [&task] { return task.done; });
  }
  return task.error;
}

void NetnsThread::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || task_ != nullptr; });
    if (stop_) return;
    Task& task = *task_;
    task_ = nullptr;
    task.error = enter(*task.netns);
    if (task.error == 0) task.error = (*task.work)();
    task.done = true;
    changed_.notify_all();
  }
}

int NetnsThread::enter(const NetnsRef& netns) {
  if (netns.inode != 0 && netns.inode == inside_) return 0;
  UniqueFd fd;
  // The first thread of the process never leaves our own.
  const int failed = netns.paths.empty() ? open_at(AT_FDCWD, "/proc/self/ns/net", O_RDONLY, fd)
                                         : open_netns(netns, fd);
  if (failed != 0) return failed;
  if (::setns(fd.get(), CLONE_NEWNET) != 0) return errno;
  inside_ = netns.paths.empty() ? 0 : netns.inode;
  return 0;
}

}  // namespace hark::kernel
