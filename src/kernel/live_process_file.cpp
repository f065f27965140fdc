#include "kernel/live_process_file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "base/unique_fd.h"
#include "kernel/live_files.h"

namespace hark::kernel {
namespace {

constexpr std::string_view kProc = "/proc/";
constexpr std::string_view kRoot = "/root/";
constexpr std::size_t kLargest = std::size_t{64} << 10U;

/// Where "/root/" begins; npos: it is no such path.
std::size_t root_at(std::string_view path) {
  if (!path.starts_with(kProc)) return std::string_view::npos;
  const std::size_t end = path.find_first_not_of("0123456789", kProc.size());
  if (end == std::string_view::npos || end == kProc.size()) return std::string_view::npos;
  return path.substr(end).starts_with(kRoot) ? end : std::string_view::npos;
}

int open_in_root(int root, const char* path, UniqueFd& out) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, root, path, &how, sizeof how);
  if (fd < 0) return errno;
  out = UniqueFd(static_cast<int>(fd));
  return 0;
}

/// The folder of the process and its file, not opened for reading. 0 or errno.
int find(const std::string& process, const char* path, UniqueFd& folder, UniqueFd& found) {
  UniqueFd root;
  int error = open_at(AT_FDCWD, process.c_str(), O_PATH | O_DIRECTORY, folder);
  if (error == 0) error = open_at(folder.get(), "root", O_PATH | O_DIRECTORY, root);
  if (error == 0) error = open_in_root(root.get(), path, found);
  return error;
}

int read_checked(const std::string& process, const char* path, Bytes& out) {
  UniqueFd folder;
  UniqueFd found;
  int error = find(process, path, folder, found);
  if (error != 0) return error;
  struct stat owner {};
  struct stat file {};
  if (::fstat(folder.get(), &owner) != 0 || ::fstat(found.get(), &file) != 0) return errno;
  if (!S_ISREG(file.st_mode)) return EINVAL;
  if ((file.st_mode & S_IROTH) == 0 && file.st_uid != owner.st_uid) return EACCES;
  if (file.st_size > static_cast<off_t>(kLargest)) return EFBIG;
  // What was looked at is what is opened.
  const std::string again = "/proc/self/fd/" + std::to_string(found.get());
  UniqueFd fd;
  error = open_at(AT_FDCWD, again.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY, fd);
  return error != 0 ? error : read_all(fd.get(), out, kLargest);
}

}  // namespace

bool is_process_file(const std::string& path) {
  return root_at(path) != std::string_view::npos;
}

Result<std::int64_t> process_file_time(const std::string& path) {
  const std::size_t at = root_at(path);
  if (at == std::string_view::npos) return fail(kernel_error(EINVAL, path));
  UniqueFd folder;
  UniqueFd found;
  const int error = find(path.substr(0, at), path.c_str() + at + kRoot.size(), folder, found);
  if (error != 0) return fail(kernel_error(error, path));
  struct stat file {};
  if (::fstat(found.get(), &file) != 0) return fail(kernel_error(errno, path));
  if (!S_ISREG(file.st_mode)) return fail(kernel_error(EINVAL, path));
  return std::int64_t{file.st_mtim.tv_sec} * 1000 + file.st_mtim.tv_nsec / 1'000'000;
}

Result<Bytes> read_process_file(const std::string& path) {
  const std::size_t at = root_at(path);
  if (at == std::string_view::npos) return fail(kernel_error(EINVAL, path));
  Bytes out;
  const int error = read_checked(path.substr(0, at), path.c_str() + at + kRoot.size(), out);
  if (error != 0) return fail(kernel_error(error, path));
  return out;
}

}  // namespace hark::kernel
