// Somebody at a terminal: starts hark in a pseudo-terminal, types lines and reads what comes.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace hark::lab {

class Player {
 public:
  /// Starts `hark lab NAME` as that user (0: root), with progress kept in `state`.
  Player(const std::string& name, uid_t user, const std::string& state);
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;
  ~Player();

  /// Reads until `what` has come, at most for some seconds; what came, up to its end. Throws
  /// std::runtime_error with all that came instead.
  std::string expect(const std::string& what);
  void type(const std::string& line);
  /// Types a command, waits for its end, and gives what it printed and its exit status.
  struct Ran {
    int status = -1;
    std::string out;
  };
  Ran run(const std::string& command);
  /// Waits for the end of hark: its exit status.
  int end();

  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  bool read_more(int timeout_ms);

  pid_t pid_ = -1;
  UniqueFd terminal_;
  std::string prompt_;
  std::string came_;
  int runs_ = 0;
};

}  // namespace hark::lab
