#include "player.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace hark::lab {
namespace {

constexpr int kPatienceMs = 30'000;

[[noreturn]] void be_hark(const std::string& name, uid_t user, const std::string& state) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (user != 0 && (::setgroups(0, nullptr) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0)) {
    ::_exit(126);
  }
  ::setenv("XDG_STATE_HOME", state.c_str(), 1);
  ::setenv("SHELL", "/bin/bash", 1);
  ::setenv("TERM", "dumb", 1);
  ::setenv("HARK_LAB_TEST", state.c_str(), 1);
  ::execl(HARK_PROGRAM, "hark", "lab", name.c_str(), nullptr);
  ::_exit(127);
}

}  // namespace

Player::Player(const std::string& name, uid_t user, const std::string& state)
    : prompt_("lab " + name + "$ ") {
  int terminal = -1;
  winsize size{};
  size.ws_row = 24;
  size.ws_col = 200;
  pid_ = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (pid_ == 0) be_hark(name, user, state);
  if (pid_ < 0) throw std::runtime_error("forkpty");
  (void)::fcntl(terminal, F_SETFD, FD_CLOEXEC);
  terminal_ = UniqueFd(terminal);
}

Player::~Player() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Player::read_more(int timeout_ms) {
  pollfd one{terminal_.get(), POLLIN, 0};
  if (::poll(&one, 1, timeout_ms) <= 0) return false;
  std::array<char, 65536> piece{};
  const ssize_t got = ::read(terminal_.get(), piece.data(), piece.size());
  if (got <= 0) return false;
  for (const char c : std::string_view(piece.data(), static_cast<std::size_t>(got))) {
    if (c != '\r') came_ += c;
  }
  return true;
}

std::string Player::expect(const std::string& what) {
  while (true) {
    const std::size_t at = came_.find(what);
    if (at != std::string::npos) {
      std::string out = came_.substr(0, at + what.size());
      came_.erase(0, at + what.size());
      return out;
    }
    if (!read_more(kPatienceMs)) {
      throw std::runtime_error("waited for \"" + what + "\", and there came: " + came_);
    }
  }
}

void Player::type(const std::string& line) {
  const std::string all = line + "\n";
  if (::write(terminal_.get(), all.data(), all.size()) != static_cast<ssize_t>(all.size())) {
    throw std::runtime_error("write to the terminal");
  }
}

// What is typed is echoed, so the mark that ends the output must not stand in what is typed.
Player::Ran Player::run(const std::string& command) {
  const std::string number = std::to_string(++runs_);
  type(command + "\necho \"=\"" + number + " $? \"=\"");
  const std::string mark = "=" + number + " ";
  std::string out = expect(mark);
  out.erase(out.size() - mark.size());
  const std::string status = expect(" =");
  expect(prompt_);
  return {std::atoi(status.c_str()), out};
}

int Player::end() {
  while (read_more(kPatienceMs)) {
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace hark::lab
