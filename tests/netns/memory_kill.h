// A process that the kernel kills for want of memory.
#pragma once

#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

namespace hark::netns {

/// The folder of a new cgroup of the memory controller, with little memory: of this path below the
/// root of the hierarchy. Empty: there is no such controller here.
inline std::string small_cgroup(const std::string& path) {
  namespace fs = std::filesystem;
  const bool old = fs::exists("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  const std::string folder = (old ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup") + path;
  std::error_code error;
  fs::create_directories(folder, error);
  const std::string limit = folder + (old ? "/memory.limit_in_bytes" : "/memory.max");
  if (!fs::exists(limit)) return {};
  std::ofstream(limit) << 16 * 1024 * 1024;
  if (!old) std::ofstream(folder + "/memory.swap.max") << 0;
  return folder;
}

/// Removes it, and the folder around it if that is empty then.
inline void remove_cgroup(const std::string& folder) {
  std::error_code in_use;
  std::filesystem::remove(folder, in_use);
  std::filesystem::remove(std::filesystem::path(folder).parent_path(), in_use);
}

/// A process in that cgroup that takes more than there is; the signal that ended it, or -1.
inline int take_too_much(const std::string& folder) {
  constexpr std::size_t kTooMuch = std::size_t{64} << 20U;
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::ofstream(folder + "/cgroup.procs") << ::getpid() << std::flush;
    void* memory =
        ::mmap(nullptr, kTooMuch, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) std::memset(memory, 1, kTooMuch);
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

/// Whether this process may read the kernel's log.
inline bool can_read_kernel_log() {
  constexpr int kSizeOfLog = 10;  // SYSLOG_ACTION_SIZE_BUFFER
  return ::klogctl(kSizeOfLog, nullptr, 0) >= 0;
}

}  // namespace hark::netns
