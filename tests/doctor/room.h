// A scene that is on, and the real program beside it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "scenes.h"

namespace hark::doctor {

inline std::string all_of(int fd) {
  std::string out;
  std::array<char, 65536> piece{};
  while (true) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got <= 0) return out;
    out.append(piece.data(), static_cast<std::size_t>(got));
  }
}

struct Pipe {
  UniqueFd from, to;
  Pipe() {
    std::array<int, 2> ends{};
    check(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
    from = UniqueFd(ends[0]);
    to = UniqueFd(ends[1]);
  }
};

/// The process in which a scene is on while the object lives.
class Room {
 public:
  explicit Room(const Scene& scene) {
    pid_ = fork_mortal();
    if (pid_ == 0) play(scene);
    said_.to.reset();
    end_.from.reset();
    // "ready", or why not.
    std::array<char, 1024> text{};
    const ssize_t got = ::read(said_.from.get(), text.data(), text.size());
    said_text_.assign(text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room() {
    end_.to.reset();
    int status = 0;
    ::waitpid(pid_, &status, 0);
    EXPECT_EQ(status, 0) << "the scene did not end well";
  }

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::string& said() const { return said_text_; }

 private:
  [[noreturn]] void play(const Scene& scene) {
    said_.from.reset();
    end_.to.reset();
    std::string text = "ready";
    {
      auto stage = std::make_unique<Stage>();
      try {
        check(::unshare(CLONE_NEWNET), "unshare");
        Stage::run({"ip", "link", "set", "lo", "up"});
        scene.make(*stage);
      } catch (const Missing& missing) {
        text = "missing: " + missing.what;
      } catch (const std::exception& error) {
        text = std::string("failed: ") + error.what();
      }
      (void)!::write(said_.to.get(), text.data(), text.size());
      (void)all_of(end_.from.get());
    }
    ::_exit(0);
  }

  Pipe said_;
  Pipe end_;
  pid_t pid_ = -1;
  std::string said_text_;
};

struct Ran {
  int status = -1;
  std::string out;
};

/// In this process's own namespaces: the scene's are named by --netns.
inline Ran run_hark(const std::vector<std::string>& words) {
  Pipe out;
  const pid_t pid = fork_mortal();
  if (pid == 0) {
    std::vector<char*> arguments = {const_cast<char*>("hark")};
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::dup2(out.to.get(), STDOUT_FILENO);
    ::execv(HARK_PROGRAM, arguments.data());
    ::_exit(127);
  }
  out.to.reset();
  Ran ran;
  ran.out = all_of(out.from.get());
  ::waitpid(pid, &ran.status, 0);
  ran.status = WIFEXITED(ran.status) ? WEXITSTATUS(ran.status) : 1000;
  return ran;
}

}  // namespace hark::doctor
