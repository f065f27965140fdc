#include "cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "show/escape.h"

namespace hark::cli {
namespace {
constexpr std::size_t kBufferSize = 65'536;
}  // namespace

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

void Output::write(std::string_view text) {
  if (error_ != 0 || text.empty()) return;
  wrote_ = true;
  if (buffer_.size() + text.size() < kBufferSize) {
    buffer_ += text;
    return;
  }
  // What is long need not be kept twice.
  flush();
  if (error_ == 0) error_ = write_all(fd_, text);
}

void Output::flush() {
  if (error_ == 0 && !buffer_.empty()) error_ = write_all(fd_, buffer_);
  buffer_.clear();
}

int Output::finish() {
  flush();
  // Nothing to say, nothing to lose: a closed standard output is no failure then.
  if (::close(fd_) != 0 && error_ == 0 && wrote_ && errno != EINTR) error_ = errno;
  fd_ = -1;
  return error_;
}

std::string message_text(const Error& error) {
  std::string out = "hark: ";
  if (!error.what.empty()) out += show::for_terminal(error.what) + ": ";
  out += show::for_terminal(reason(error)) + "\n";
  if (!error.hint.empty()) out += "  " + show::for_terminal(error.hint) + "\n";
  return out;
}

void print_message(std::string_view text) {
  static_cast<void>(write_all(STDERR_FILENO, text));
}

void guard_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // open() takes the lowest free number, and those below are taken by now.
    static_cast<void>(
        ::open("/dev/null", fd == STDIN_FILENO ? (O_WRONLY | O_CLOEXEC) : (O_RDONLY | O_CLOEXEC)));
  }
}

}  // namespace hark::cli
