#include "kernel/live_units.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <optional>

#include "base/unique_fd.h"
#include "kernel/live_files.h"
#include "kernel/request_key.h"

namespace hark::kernel {
namespace {

constexpr std::size_t kLargestAnswer = std::size_t{4} << 20;
constexpr unsigned kTimeoutMs = 1000;

std::int64_t now_ms() {
  std::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

/// This file or folder cannot be exchanged by anybody but root and us.
bool is_ours(const std::string& path, bool folder) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return false;
  if (folder ? !S_ISDIR(status.st_mode) : !S_ISREG(status.st_mode)) return false;
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) return false;
  // In a sticky folder (/tmp) others may add, but not exchange what is ours.
  const bool sticky = folder && (status.st_mode & S_ISVTX) != 0;
  return (status.st_mode & (S_IWGRP | S_IWOTH)) == 0 || sticky;
}

/// A started program, reaped when this ends, whatever happens.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    (void)wait();
  }
  /// Its exit status as waitpid(2) has it; nothing where SIGCHLD is ignored, which hark may have
  /// inherited.
  std::optional<int> wait() {
    int status = 0;
    pid_t reaped = -1;
    while ((reaped = ::waitpid(pid_, &status, 0)) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    if (reaped < 0) return std::nullopt;
    return status;
  }

 private:
  pid_t pid_;
};

/// Starts the program with `end` for its standard input and output. 0 or errno.
int start(const std::vector<std::string>& program, int end, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  if (const int error = ::posix_spawn_file_actions_init(&actions); error != 0) return error;
  ::posix_spawn_file_actions_adddup2(&actions, end, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, end, STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<std::string> words = program;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<char*, 1> environment = {nullptr};
  const int error = ::posix_spawn(&pid, program.front().c_str(), &actions, nullptr,
                                  arguments.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

/// Sends `question`, then reads until the other side is done, or `stop` is readable. 0 or errno.
int talk(int socket, int stop, ByteView question, std::int64_t deadline, Bytes& answer) {
  constexpr std::size_t kChunk = 16384;
  for (;;) {
    const std::int64_t left = deadline - now_ms();
    if (left <= 0) return ETIMEDOUT;
    std::array<pollfd, 2> waits = {{{.fd = socket, .events = POLLIN, .revents = 0},
                                    {.fd = stop, .events = POLLIN, .revents = 0}}};
    pollfd& wait = waits.front();
    if (!question.empty()) wait.events |= POLLOUT;
    const int ready = ::poll(waits.data(), waits.size(), static_cast<int>(left));
    if (ready < 0 && errno != EINTR) return errno;
    if (ready <= 0) continue;
    if (waits.back().revents != 0) return ECANCELED;
    if ((wait.revents & POLLOUT) != 0) {
      const ssize_t sent =
          ::send(socket, question.data(), question.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) question = {};  // it does not want more
      if (sent > 0) question = question.subspan(static_cast<std::size_t>(sent));
      if (question.empty()) ::shutdown(socket, SHUT_WR);
    }
    if ((wait.revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
    const std::size_t before = answer.size();
    answer.resize(before + kChunk);
    const ssize_t got = ::recv(socket, answer.data() + before, kChunk, MSG_DONTWAIT);
    const int error = errno;
    answer.resize(before + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got == 0) return 0;
    if (got < 0 && error != EAGAIN && error != EINTR) return error == ECONNRESET ? 0 : error;
    if (answer.size() > kLargestAnswer) return EMSGSIZE;
  }
}

}  // namespace

std::vector<std::string> program_places(const std::string& name) {
  std::vector<std::string> out;
  std::string self;
  if (::getauxval(AT_SECURE) == 0 && read_link_at(AT_FDCWD, "/proc/self/exe", self) == 0) {
    const std::string folder = folder_of(self);
    out.push_back(folder + "/" + name);
    out.push_back(folder_of(folder) + "/libexec/hark/" + name);
  }
  out.push_back(std::string(HARK_LIBEXEC) + "/" + name);
  return out;
}

bool is_trusted_program(const std::string& path) {
  struct Free {
    void operator()(char* text) const { ::free(text); }
  };
  const std::unique_ptr<char, Free> real(::realpath(path.c_str(), nullptr));
  if (!real) return false;
  std::string at = real.get();
  if (!is_ours(at, false) || ::access(at.c_str(), X_OK) != 0) return false;
  while (!at.empty()) {
    at = folder_of(at);
    if (!is_ours(at.empty() ? "/" : at, true)) return false;
  }
  return true;
}

Result<Bytes> run_units_program(const std::vector<std::string>& program,
                                std::span<const std::string> names, unsigned timeout_ms, int stop) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(kernel_error(errno, units_what()));
  }
  const UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  const std::int64_t deadline = now_ms() + timeout_ms;
  pid_t pid = -1;
  if (const int error = start(program, theirs.get(), pid); error != 0) {
    return fail(kernel_error(error, units_what()));
  }
  Child child(pid);
  theirs = UniqueFd();
  Bytes question;
  for (const std::string& name : names) {
    append(question, name);
    question.push_back(std::byte{0});
  }
  Bytes answer;
  if (const int error = talk(ours.get(), stop, question, deadline, answer); error != 0) {
    return fail(kernel_error(error, units_what()));
  }
  const std::optional<int> status = child.wait();
  int error = 0;
  if (!status) {
    error = answer.empty() ? EIO : 0;
  } else if (WIFSIGNALED(*status)) {
    error = WTERMSIG(*status) == SIGALRM ? ETIMEDOUT : EIO;
  } else {
    error = WEXITSTATUS(*status);
  }
  if (error != 0) return fail(kernel_error(error, units_what()));
  return answer;
}

Result<Bytes> ask_systemd(std::span<const std::string> names) {
  for (const std::string& place : program_places("hark-units")) {
    if (is_trusted_program(place)) return run_units_program({place}, names, kTimeoutMs);
  }
  return fail(kernel_error(ENOENT, units_what()));
}

}  // namespace hark::kernel
