// Files of /proc, /sys and /etc, read as the kernel wants them read.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace hark::kernel {

/// Opens `path` below the folder `at` (AT_FDCWD: as it is). 0 or errno.
[[nodiscard]] int open_at(int at, const char* path, int flags, UniqueFd& out);

/// Reads until the end, whatever the size is said to be, at most `limit` bytes. 0 or errno.
[[nodiscard]] int read_all(int fd, Bytes& out, std::size_t limit);

/// Opens and reads `path` below `at`. 0 or errno.
[[nodiscard]] int read_at(int at, const char* path, Bytes& out, std::size_t limit);

/// Opens and reads a plain file that anybody may have made: nothing is waited for and no device is
/// touched, whatever a name or a link in the way leads to. EINVAL: it is no plain file. 0 or errno.
[[nodiscard]] int read_plain(const char* path, Bytes& out, std::size_t limit);

/// The target of a link below `at`. 0 or errno.
[[nodiscard]] int read_link_at(int at, const char* path, std::string& out);

/// getdents64(2) into a buffer of its own: readdir(3) takes a lock and an allocation per folder.
class FolderReader {
 public:
  explicit FolderReader(int folder) : folder_(folder), buffer_(std::size_t{32} * 1024) {}
  /// Starts with another open folder, the buffer stays.
  void restart(int folder);
  struct Entry {
    const char* name = nullptr;
    std::uint64_t inode = 0;
    bool folder = false;  ///< known to be one
  };
  /// The next entry; false at the end or on an error, which error() then tells.
  [[nodiscard]] bool next(Entry& out);
  [[nodiscard]] int error() const { return error_; }

 private:
  int folder_;
  std::vector<char> buffer_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  int error_ = 0;
};

}  // namespace hark::kernel
