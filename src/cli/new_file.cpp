#include "cli/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/unique_fd.h"
#include "cli/output.h"

namespace hark::cli {
namespace {

/// Puts off the signals that would end us between making the temporary file and renaming it.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t held;
    sigemptyset(&held);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&held, signal);
    sigprocmask(SIG_BLOCK, &held, &before_);
  }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;
  ~SignalsHeld() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

int write_and_close(UniqueFd fd, std::string_view text, bool sync) {
  int error = write_all(fd.get(), text);
  if (error == 0 && sync && ::fsync(fd.get()) != 0) error = errno;
  if (::close(fd.release()) != 0 && error == 0) error = errno;
  return error;
}

Result<void> write_in_place(const std::string& path, std::string_view text) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd.valid()) return fail(kernel_error(errno, path));
  const int error = write_and_close(std::move(fd), text, false);
  if (error != 0) return fail(kernel_error(error, path));
  return {};
}

/// Where a rename has to go so that a symbolic link stays one. One that leads nowhere is replaced.
std::string real_path(const std::string& path) {
  char* const found = ::realpath(path.c_str(), nullptr);
  if (found == nullptr) return path;
  std::string out(found);
  std::free(found);
  return out;
}

}  // namespace

Result<void> write_new_file(const std::string& path, std::string_view text) {
  struct stat status {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) return write_in_place(path, text);

  const std::string target = exists ? real_path(path) : path;
  const std::size_t slash = target.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : target.substr(0, slash + 1);
  std::string temporary = folder + ".hark-XXXXXX";
  const SignalsHeld held;
  UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return fail(kernel_error(errno, path));
  int error = write_and_close(std::move(fd), text, true);
  if (error == 0 && ::rename(temporary.c_str(), target.c_str()) != 0) error = errno;
  if (error == 0) return {};
  ::unlink(temporary.c_str());
  return fail(kernel_error(error, path));
}

Result<void> write_new_file_in(int folder, const std::string& name, std::string_view text) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const std::string temporary = ".hark-" + std::to_string(::getpid());
  const SignalsHeld held;
  UniqueFd fd(::openat(folder, temporary.c_str(), kFlags, S_IRUSR | S_IWUSR));
  if (!fd.valid() && errno == EEXIST) {
    // Left by a process that had our number and was killed.
    ::unlinkat(folder, temporary.c_str(), 0);
    fd = UniqueFd(::openat(folder, temporary.c_str(), kFlags, S_IRUSR | S_IWUSR));
  }
  if (!fd.valid()) return fail(kernel_error(errno, name));
  int error = write_and_close(std::move(fd), text, true);
  if (error == 0 && ::renameat(folder, temporary.c_str(), folder, name.c_str()) != 0) error = errno;
  if (error == 0) return {};
  ::unlinkat(folder, temporary.c_str(), 0);
  return fail(kernel_error(error, name));
}

}  // namespace hark::cli
