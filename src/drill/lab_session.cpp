#include "drill/lab_session.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include "base/text.h"
#include "base/unique_fd.h"
#include "drill/lab_sandbox.h"
#include "drill/lab_shell.h"
#include "kernel/live_units.h"

namespace hark::drill {
namespace {

/// Gives the terminal back as it was, whatever became of the shell inside.
class Terminal {
 public:
  Terminal() : is_one_(::isatty(STDIN_FILENO) == 1) {
    if (is_one_) kept_ = ::tcgetattr(STDIN_FILENO, &settings_) == 0;
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (!is_one_) return;
    // Who is not in the foreground is stopped for setting it.
    const auto before = ::signal(SIGTTOU, SIG_IGN);
    (void)::tcsetpgrp(STDIN_FILENO, ::getpgrp());
    if (kept_) (void)::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings_);
    (void)::signal(SIGTTOU, before);
  }
  [[nodiscard]] bool is_one() const { return is_one_; }

 private:
  bool is_one_;
  bool kept_ = false;
  termios settings_{};
};

/// Lines of a pipe, until its other side is closed.
class Lines {
 public:
  explicit Lines(int fd) : fd_(fd) {}

  std::optional<std::string> next() {
    while (true) {
      const std::size_t end = buffer_.find('\n');
      if (end != std::string::npos) {
        std::string out = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return out;
      }
      std::array<char, 1024> piece{};
      const ssize_t got = ::read(fd_, piece.data(), piece.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return std::nullopt;
      buffer_.append(piece.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  int fd_;
  std::string buffer_;
};

Result<void> check_programs(const LabScenario& scenario) {
  std::vector<std::string> needs = scenario.needs;
  needs.insert(needs.begin(), {"sh", "ip"});
  for (const std::string& name : needs) {
    if (lab_has_program(name)) continue;
    const std::string package = name == "ip" ? "iproute2" : name == "nft" ? "nftables" : name;
    return fail(plain_error(scenario.name, "needs the program " + name + ", which is not here",
                            "install the package " + package));
  }
  return {};
}

std::string without(std::string_view word, std::string_view line) {
  return std::string(line.substr(word.size()));
}

/// The program that does `hark test`, if nobody else can change it: inside that cannot be told, as
/// owners of files are not known there.
std::string trusted_helper() {
  const std::vector<std::string> places = kernel::program_places("hark-test");
  const auto found = std::ranges::find_if(places, kernel::is_trusted_program);
  return found == places.end() ? std::string() : *found;
}

struct Ends {
  UniqueFd from, to;
};

Result<Ends> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(kernel_error(errno, "pipe"));
  return Ends{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// What the sandbox tells, until it is gone.
Result<LabScore> follow(const LabScenario& scenario, const LabListener& listener, Ends& told,
                        Ends& go) {
  Lines lines(told.from.get());
  const std::optional<std::string> first = lines.next();
  if (!first || *first != "ready") {
    return fail(plain_error(scenario.name, "could not be set up",
                            first ? without("failed ", *first) : "the sandbox has ended"));
  }
  listener.ready();
  (void)!::write(go.to.get(), "x", 1);
  LabScore score;
  while (const std::optional<std::string> line = lines.next()) {
    score = read_lab_score(*line);
    listener.scored(score);
  }
  return score;
}

}  // namespace

Result<LabScore> run_lab_session(const LabScenario& scenario, const LabListener& listener) {
  if (const Result<void> fine = check_programs(scenario); !fine) return fail(fine.error());
  Result<Ends> told = make_pipe();
  Result<Ends> go = make_pipe();
  if (!told || !go) return fail(told ? go.error() : told.error());
  const Terminal terminal;
  const bool on_terminal = terminal.is_one();
  const Result<LabSandbox> sandbox = start_lab_sandbox(trusted_helper(), [&] {
    told->from.reset();
    go->to.reset();
    return run_lab_room(scenario, on_terminal, told->to, go->from);
  });
  if (!sandbox) return fail(sandbox.error());
  told->to.reset();
  go->from.reset();
  Result<LabScore> score = follow(scenario, listener, *told, *go);
  go->to.reset();
  int status = 0;
  while (::waitpid(sandbox->pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (score && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
    return fail(plain_error(scenario.name, "the sandbox was ended from outside"));
  }
  return score;
}

}  // namespace hark::drill
