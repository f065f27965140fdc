#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "scenes.h"

namespace hark::doctor {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

/// Of a limit of 32 descriptors that many are open.
void with_descriptors(Stage& stage, int count) {
  const int listener = stage.listen(80);
  stage.process([count] {
    constexpr rlimit kLimit = {.rlim_cur = 32, .rlim_max = 32};
    int open = 0;
    for (const auto& one : std::filesystem::directory_iterator("/proc/self/fd")) {
      open += one.exists() ? 1 : 0;
    }
    // Two will be closed: the folder's, and that by which this process says that it is ready.
    for (open -= 2; open < count; ++open) check(::open("/dev/null", O_RDONLY), "open");
    check(::setrlimit(RLIMIT_NOFILE, &kLimit), "setrlimit");
  });
  stage.give_away(listener);
}

void out_of_descriptors(Stage& stage) {
  with_descriptors(stage, 32);
}
void few_descriptors(Stage& stage) {
  with_descriptors(stage, 30);
}
void enough_descriptors(Stage& stage) {
  with_descriptors(stage, 24);
}

/// A server in a cgroup of that controller, which the old hierarchy or the new one has.
std::string limited_server(Stage& stage, const std::string& controller, pid_t pid,
                           const std::string& file, const std::string& limit) {
  const std::string root = Stage::cgroup_root(controller);
  if (root.empty()) throw Missing{"a mounted cgroup hierarchy: " + controller};
  const std::string path = stage.cgroup(root, {pid});
  Stage::write_file(path + "/" + file, limit);
  return path;
}

/// It waits for a byte before it takes its memory: it is moved first.
void takes_memory(Stage& stage, std::size_t size, bool of_a_file) {
  const int listener = stage.listen(80);
  const std::string file = stage.folder() + "/data";
  const std::string sign = stage.folder() + "/moved";
  const pid_t pid = stage.endless([size, of_a_file, file, sign] {
    while (!std::filesystem::exists(sign)) ::usleep(1000);
    if (of_a_file) {
      const UniqueFd fd(check(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), "open"));
      const std::string piece(kMiB, 'x');
      for (std::size_t at = 0; at < size; at += kMiB) {
        check(static_cast<int>(::write(fd.get(), piece.data(), piece.size())), "write");
      }
    } else {
      void* memory =
          ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) throw std::runtime_error("mmap");
      std::memset(memory, 1, size);
    }
    Stage::write_file(sign, "done");
  });
  stage.give_away(listener);
  limited_server(stage, "memory", pid, "memory.limit_in_bytes", std::to_string(64 * kMiB));
  Stage::write_file(sign, "go");
  Stage::wait_for_text(sign, "done");
}

void memory_taken(Stage& stage) {
  takes_memory(stage, 61 * kMiB, false);
}
void memory_left(Stage& stage) {
  takes_memory(stage, 32 * kMiB, false);
}
/// What a file's cache takes is given back.
void memory_of_a_file(Stage& stage) {
  takes_memory(stage, 62 * kMiB, true);
}

/// The server lives on, and another process of its cgroup is killed.
void killed_for_memory(Stage& stage) {
  constexpr std::size_t kTooMuch = 64 * kMiB;
  const int listener = stage.listen(80);
  const std::string sign = stage.folder() + "/moved";
  const pid_t pid = stage.endless([sign] {
    while (!std::filesystem::exists(sign)) ::usleep(1000);
    const pid_t child = fork_mortal();
    if (child == 0) {
      Stage::write_file("/proc/self/oom_score_adj", "1000");
      void* memory =
          ::mmap(nullptr, kTooMuch, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory != MAP_FAILED) std::memset(memory, 1, kTooMuch);
      ::_exit(1);
    }
    int status = 0;
    check(::waitpid(child, &status, 0), "waitpid");
    Stage::write_file(sign, WIFSIGNALED(status) ? "done" : "survived");
  });
  stage.give_away(listener);
  limited_server(stage, "memory", pid, "memory.limit_in_bytes", std::to_string(16 * kMiB));
  Stage::write_file(sign, "go");
  Stage::wait_for_text(sign, "done");
}

/// Works without end, with 1 ms of 50: short enough that it uses it up beside many others, too.
void held_back(Stage& stage) {
  const int listener = stage.listen(80);
  const pid_t pid = stage.endless([] { Stage::work(); });
  stage.give_away(listener);
  const std::string path = limited_server(stage, "cpu", pid, "cpu.cfs_period_us", "50000");
  Stage::write_file(path + "/cpu.cfs_quota_us", "1000");
  Stage::wait_for_text(path + "/cpu.stat", "nr_throttled 1");
}

/// The limit is there, and it waits for clients.
void has_time(Stage& stage) {
  const std::string path =
      limited_server(stage, "cpu", stage.server(80), "cpu.cfs_period_us", "20000");
  Stage::write_file(path + "/cpu.cfs_quota_us", "10000");
}

}  // namespace

std::span<const Scene> starved_owner_scenes() {
  static const std::vector<Scene> scenes = {
      {"OutOfDescriptors", out_of_descriptors, "out-of-fds"},
      {"FewDescriptors", few_descriptors, "fds-nearly-out", 80, "risk"},
      {"EnoughDescriptors", enough_descriptors, nullptr},
      {"MemoryTaken", memory_taken, "memory-nearly-out", 80, "risk"},
      {"MemoryLeft", memory_left, nullptr},
      {"MemoryOfAFile", memory_of_a_file, nullptr},
      {"KilledForMemory", killed_for_memory, "oom-killed", 80, "notice"},
      {"HeldBack", held_back, "throttled", 80, "risk"},
      {"HasTime", has_time, nullptr},
  };
  return scenes;
}

}  // namespace hark::doctor
