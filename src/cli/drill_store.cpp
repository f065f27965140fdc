#include "cli/drill_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "cli/output.h"

namespace hark::cli {
namespace {

/// What drills keep of thousands of questions is far smaller.
constexpr std::size_t kLargest = 1U << 20U;
constexpr mode_t kOwnerOnly = 0700;
constexpr mode_t kFileOfOwner = 0600;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::string> read_all(const std::string& path, int fd) {
  std::string out;
  std::array<char, 65536> piece{};
  while (out.size() <= kLargest) {
    const ssize_t count = ::read(fd, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(kernel_error(errno, path));
    if (count == 0) return out;
    out.append(piece.data(), static_cast<std::size_t>(count));
  }
  return fail(plain_error(path, "larger than any state of hark drill"));
}

}  // namespace

Result<void> make_folders(const std::string& path) {
  for (std::size_t at = path.find('/', 1); true; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), kOwnerOnly) != 0 && errno != EEXIST) {
      return fail(kernel_error(errno, part));
    }
    if (at == std::string::npos) return {};
  }
}

Result<std::string> drill_folder() {
  // The XDG base directory specification: one that is not absolute does not count.
  if (const std::string state = variable("XDG_STATE_HOME"); state.starts_with('/')) {
    return state + "/hark";
  }
  if (::geteuid() == 0) return "/var/lib/hark";
  const std::string home = variable("HOME");
  if (home.starts_with('/')) return home + "/.local/state/hark";
  return fail(plain_error("state directory", "neither XDG_STATE_HOME nor HOME says where it is"));
}

Result<bool> DrillStore::lock() {
  if (const Result<void> made = make_folders(folder_); !made) return fail(made.error());
  UniqueFd fd(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return fail(kernel_error(errno, folder_));
  if (::faccessat(fd.get(), ".", W_OK, AT_EACCESS) != 0) return fail(kernel_error(errno, folder_));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    return fail(kernel_error(errno, folder_));
  }
  locked_ = std::move(fd);
  return true;
}

Result<drill::History> DrillStore::load() const {
  const std::string path = this->path();
  // Neither what a link leads to nor a pipe is a state that hark wrote.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.valid()) {
    if (errno == ENOENT) return drill::History{};
    return fail(kernel_error(errno, path));
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail(kernel_error(errno, path));
  if (!S_ISREG(status.st_mode)) return fail(plain_error(path, "not a regular file"));
  const Result<std::string> text = read_all(path, fd.get());
  if (!text) return fail(text.error());
  Result<drill::History> history = drill::parse_history(*text);
  if (history) return history;
  Error error = history.error();
  error.what = path + ": " + error.what;
  return fail(std::move(error));
}

Result<std::string> DrillStore::set_aside() const {
  constexpr int kMost = 1000;
  for (int i = 1; i <= kMost; ++i) {
    const std::string name = path() + ".broken-" + std::to_string(i);
    if (::renameat2(AT_FDCWD, path().c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0) {
      return name;
    }
    if (errno != EEXIST) return fail(kernel_error(errno, path()));
  }
  return fail(plain_error(path(), "too many broken ones stand beside it"));
}

Result<void> DrillStore::save(const drill::History& history) const {
  // One name for all: what a kill leaves the next drill replaces, and the lock keeps others off.
  const std::string beside = path() + ".new";
  UniqueFd fd(
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, kFileOfOwner));
  if (!fd.valid()) return fail(kernel_error(errno, beside));
  int error = write_all(fd.get(), drill::text_of(history));
  if (error == 0 && ::fsync(fd.get()) != 0) error = errno;
  if (::close(fd.release()) != 0 && error == 0) error = errno;
  if (error == 0 && ::rename(beside.c_str(), path().c_str()) != 0) error = errno;
  if (error != 0) return fail(kernel_error(error, path()));
  return {};
}

}  // namespace hark::cli
