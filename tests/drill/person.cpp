#include "person.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "place.h"

namespace hark::drilltest {

Person::Person(pid_t netns_of, const std::vector<std::string>& words,
               const std::vector<std::string>& variables, uid_t uid) {
  int ours = -1;
  int theirs = -1;
  EXPECT_EQ(::openpty(&ours, &theirs, nullptr, nullptr, nullptr), 0);
  ::fcntl(ours, F_SETFD, FD_CLOEXEC);
  fd_ = UniqueFd(ours);
  pid_ = fork_in(netns_of, uid);
  if (pid_ == 0) {
    ::setsid();
    ::ioctl(theirs, TIOCSCTTY, 0);
    for (const int fd : {0, 1, 2}) ::dup2(theirs, fd);
    for (const std::string& one : variables) ::putenv(const_cast<char*>(one.c_str()));
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (const std::string& one : words) argv.push_back(const_cast<char*>(one.c_str()));
    argv.push_back(nullptr);
    ::execv(HARK_PROGRAM, argv.data());
    ::_exit(127);
  }
  ::close(theirs);
}

Person::~Person() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
  (void)end();
}

std::string Person::until(const std::string& words) {
  while (true) {
    const std::size_t at = unread_.find(words);
    if (at != std::string::npos) {
      std::string out = unread_.substr(0, at + words.size());
      unread_.erase(0, at + words.size());
      return out;
    }
    if (!more()) {
      ADD_FAILURE() << "\"" << words << "\" never came: " << unread_;
      return std::exchange(unread_, {});
    }
  }
}

void Person::types(const std::string& text) const {
  (void)!::write(fd_.get(), text.data(), text.size());
}

std::pair<std::string, int> Person::end() {
  if (pid_ <= 0) return {};
  while (more()) {
  }
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  return {std::exchange(unread_, {}),
          WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)};
}

bool Person::more() {
  pollfd polled{fd_.get(), POLLIN, 0};
  if (::poll(&polled, 1, 20'000) <= 0) return false;
  std::array<char, 4096> piece{};
  const ssize_t count = ::read(fd_.get(), piece.data(), piece.size());
  if (count <= 0) return false;
  for (const char c : std::string_view(piece.data(), static_cast<std::size_t>(count))) {
    if (c != '\r') unread_ += c;
  }
  return true;
}

}  // namespace hark::drilltest
