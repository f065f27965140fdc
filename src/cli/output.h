// Everything hark prints goes through here: one buffer before write(2), and an error that is kept
// until the end instead of being lost.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hark::cli {

class Output {
 public:
  /// Writes to `fd`, which stays the caller's until finish().
  explicit Output(int fd) : fd_(fd) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() = default;

  [[nodiscard]] int fd() const { return fd_; }
  /// After a failure everything more is dropped.
  void write(std::string_view text);
  /// Writes what is left: for those who watch.
  void flush();
  /// Writes what is left and closes the descriptor, since some files tell only then that they are
  /// full. 0, or the errno of the first failure.
  [[nodiscard]] int finish();

 private:
  int fd_;
  int error_ = 0;
  bool wrote_ = false;
  std::string buffer_;
};

/// All of `text` to a descriptor, interrupted or piecemeal as it may be. 0, or an errno.
[[nodiscard]] int write_all(int fd, std::string_view text);

/// `hark: what: why` and the hint on a line of its own, escaped for a terminal.
[[nodiscard]] std::string message_text(const Error& error);

/// To standard error. If even that fails there is nobody left to tell.
void print_message(std::string_view text);

/// Opens /dev/null for each standard descriptor that is closed, the wrong way round, so that no
/// file of ours ever takes its number and writing to it still fails.
void guard_standard_descriptors();

}  // namespace hark::cli
