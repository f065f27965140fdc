#include "kernel/live_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>

namespace hark::kernel {

int open_at(int at, const char* path, int flags, UniqueFd& out) {
  const int fd = ::openat(at, path, flags | O_CLOEXEC);
  if (fd < 0) return errno;
  out = UniqueFd(fd);
  return 0;
}

int read_all(int fd, Bytes& out, std::size_t limit) {
  constexpr std::size_t kChunk = 4096;
  std::size_t size = 0;
  out.resize(kChunk);
  for (;;) {
    // Pseudo-files hand out at most a page or so at a time; a short read is not the end.
    if (size == out.size()) out.resize(size * 2);
    const ssize_t got = ::read(fd, out.data() + size, out.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int error = errno;
      out.clear();
      return error;
    }
    size += static_cast<std::size_t>(got);
    if (got == 0 || size >= limit) break;
  }
  out.resize(std::min(size, limit));
  return 0;
}

int read_at(int at, const char* path, Bytes& out, std::size_t limit) {
  UniqueFd fd;
  if (const int error = open_at(at, path, O_RDONLY, fd); error != 0) return error;
  return read_all(fd.get(), out, limit);
}

int read_plain(const char* path, Bytes& out, std::size_t limit) {
  // To open a device can do things, and to open a FIFO waits; O_PATH does neither (open(2)).
  UniqueFd place;
  if (const int error = open_at(AT_FDCWD, path, O_PATH, place); error != 0) return error;
  struct stat status {};
  if (::fstat(place.get(), &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return EINVAL;
  const std::string self = "/proc/self/fd/" + std::to_string(place.get());
  UniqueFd fd;
  int error = open_at(AT_FDCWD, self.c_str(), O_RDONLY | O_NONBLOCK, fd);
  if (error == ENOENT) error = open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, fd);  // no /proc
  if (error != 0) return error;
  return read_all(fd.get(), out, limit);
}

int read_link_at(int at, const char* path, std::string& out) {
  std::array<char, PATH_MAX> buffer;  // not cleared: 4 KiB a call would show
  const ssize_t size = ::readlinkat(at, path, buffer.data(), buffer.size());
  if (size < 0) return errno;
  out.assign(buffer.data(), static_cast<std::size_t>(size));
  return 0;
}

void FolderReader::restart(int folder) {
  folder_ = folder;
  at_ = 0;
  end_ = 0;
  error_ = 0;
}

bool FolderReader::next(Entry& out) {
  for (;;) {
    if (at_ >= end_) {
      const ssize_t got = ::getdents64(folder_, buffer_.data(), buffer_.size());
      if (got <= 0) {
        error_ = got < 0 ? errno : 0;
        return false;
      }
      at_ = 0;
      end_ = static_cast<std::size_t>(got);
    }
    const auto* entry = reinterpret_cast<const dirent64*>(buffer_.data() + at_);
    at_ += entry->d_reclen;
    const char* name = entry->d_name;
    if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
    out = {name, entry->d_ino, entry->d_type == DT_DIR};
    return true;
  }
}

}  // namespace hark::kernel
