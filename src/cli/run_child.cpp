#include "cli/run_child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string_view>
#include <utility>

#include "base/unique_fd.h"

extern char** environ;

namespace hark::cli {
namespace {

constexpr std::size_t kMostOut = std::size_t{64} << 20;
constexpr std::size_t kMostMessages = 65'536;

struct Child {
  pid_t pid = -1;
  UniqueFd in;
  UniqueFd out;
  UniqueFd err;
  std::string_view input;
};

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};
Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(kernel_error(errno, "pipe"));
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<Child> start(const ChildCommand& command) {
  Result<Pipe> in = make_pipe();
  Result<Pipe> out = make_pipe();
  Result<Pipe> err = make_pipe();
  if (!in || !out || !err) return fail(kernel_error(EMFILE, command.words[0]));
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in->read.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out->write.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err->write.get(), STDERR_FILENO);
  std::vector<char*> words;
  std::vector<std::string> copies = command.words;
  for (std::string& word : copies) words.push_back(word.data());
  words.push_back(nullptr);
  // What is ignored or blocked here would be so there.
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t defaults;
  ::sigemptyset(&defaults);
  ::posix_spawnattr_setsigmask(&attributes, &defaults);
  ::sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  Child child;
  const int error =
      ::posix_spawnp(&child.pid, words[0], &actions, &attributes, words.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail(kernel_error(error, command.words[0]));
  child.in = std::move(in->write);
  child.out = std::move(out->read);
  child.err = std::move(err->read);
  child.input = command.input;
  // A child that reads nothing must not hold up the others.
  ::fcntl(child.in.get(), F_SETFL, O_NONBLOCK);
  if (child.input.empty()) child.in = UniqueFd();
  return child;
}

void write_some(Child& child) {
  const ssize_t count = ::write(child.in.get(), child.input.data(), child.input.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count > 0) child.input.remove_prefix(static_cast<std::size_t>(count));
  if (count <= 0 || child.input.empty()) child.in = UniqueFd();
}

void read_some(UniqueFd& fd, std::string& into, std::size_t most) {
  std::array<char, 65'536> piece;
  const ssize_t count = ::read(fd.get(), piece.data(), piece.size());
  if (count < 0 && errno == EINTR) return;
  if (count <= 0) {
    fd = UniqueFd();
    return;
  }
  into.append(piece.data(), std::min(static_cast<std::size_t>(count), most - into.size()));
}

/// To those that have not ended yet: they hold a pipe open.
void signal_all(const std::vector<Child>& children, int signal) {
  for (const Child& child : children) {
    if (child.out.valid() || child.err.valid()) ::kill(child.pid, signal);
  }
}

/// Moves bytes until every pipe is closed.
void serve(std::vector<Child>& children, std::vector<ChildResult>& results, int stop) {
  constexpr int kPatienceMs = 1000;
  int signal = SIGINT;
  while (true) {
    std::vector<pollfd> waits;
    waits.reserve(3 * children.size() + 1);
    for (const Child& child : children) {
      waits.push_back({child.in.valid() ? child.in.get() : -1, POLLOUT, 0});
      waits.push_back({child.out.valid() ? child.out.get() : -1, POLLIN, 0});
      waits.push_back({child.err.valid() ? child.err.get() : -1, POLLIN, 0});
    }
    bool any = false;
    for (const pollfd& wait : waits) any = any || wait.fd >= 0;
    if (!any) return;
    waits.push_back({signal == SIGINT ? stop : -1, POLLIN, 0});
    const int ready = ::poll(waits.data(), waits.size(), signal == SIGTERM ? kPatienceMs : -1);
    if (ready < 0 && errno != EINTR) return;
    if (waits.back().revents != 0 || (ready == 0 && signal == SIGTERM)) {
      signal_all(children, signal);
      signal = signal == SIGINT ? SIGTERM : SIGKILL;
    }
    if (ready <= 0) continue;
    for (std::size_t i = 0; i < children.size(); ++i) {
      if (waits[3 * i].revents != 0) write_some(children[i]);
      if (waits[3 * i + 1].revents != 0) read_some(children[i].out, results[i].out, kMostOut);
      if (waits[3 * i + 2].revents != 0)
        read_some(children[i].err, results[i].messages, kMostMessages);
    }
  }
}

}  // namespace

Result<std::vector<ChildResult>> run_children(const std::vector<ChildCommand>& commands, int stop) {
  // A child that ends early closes its input: that is its own affair.
  ::signal(SIGPIPE, SIG_IGN);
  std::vector<Child> children;
  std::optional<Error> trouble;
  for (const ChildCommand& command : commands) {
    Result<Child> child = start(command);
    if (!child) {
      trouble = child.error();
      break;
    }
    children.push_back(std::move(*child));
  }
  std::vector<ChildResult> results(children.size());
  serve(children, results, stop);
  for (std::size_t i = 0; i < children.size(); ++i) {
    int status = 0;
    while (::waitpid(children[i].pid, &status, 0) < 0 && errno == EINTR) {
    }
    results[i].status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  if (trouble) return fail(*trouble);
  return results;
}

}  // namespace hark::cli
