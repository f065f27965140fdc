#include "kernel/live_cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/text.h"
#include "kernel/live_files.h"
#include "kernel/request_key.h"

namespace hark::kernel {
namespace {

constexpr int kKernfsHandle = 0xfe;  ///< FILEID_KERNFS of linux/exportfs.h
constexpr std::size_t kMostCgroups = 100'000;
constexpr std::size_t kLongestMountinfo = 8U << 20U;

/// Where systemd mounts cgroup v2, alone or beside version 1; empty if it is elsewhere or nowhere.
std::string usual_mount() {
  for (const char* path : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    struct statfs found {};
    if (::statfs(path, &found) == 0 && found.f_type == CGROUP2_SUPER_MAGIC) return path;
  }
  return {};
}

/// Where cgroup v2 is mounted, first mount first; empty if it is not. Blanks in the path, which
/// mountinfo escapes, do not happen for a mount that a service manager made.
std::string find_mount(std::string_view mountinfo) {
  constexpr int kMountPointField = 5;
  while (!mountinfo.empty()) {
    std::string_view line = next_piece(mountinfo, '\n');
    if (line.find(" - cgroup2 ") == std::string_view::npos) continue;
    std::string_view word;
    for (int i = 0; i < kMountPointField; ++i) word = next_word(line);
    return std::string(word);
  }
  return {};
}

}  // namespace

int CgroupPaths::open_mount() {
  if (!tried_) {
    tried_ = true;
    if (proc_root_ == "/proc") mount_point_ = usual_mount();
    Bytes text;
    const std::string file = proc_root_ + "/self/mountinfo";
    if (mount_point_.empty() && read_at(AT_FDCWD, file.c_str(), text, kLongestMountinfo) == 0) {
      mount_point_ = find_mount(as_text(text));
    }
    if (!mount_point_.empty() &&
        open_at(AT_FDCWD, mount_point_.c_str(), O_RDONLY | O_DIRECTORY, mount_) == 0) {
      struct stat root {};
      if (::fstat(mount_.get(), &root) == 0) known_[root.st_ino] = "/";
    }
  }
  return mount_.valid() ? 0 : ENODEV;
}

int CgroupPaths::by_handle(std::uint64_t id, std::string& out) const {
  constexpr std::size_t kHead = offsetof(file_handle, f_handle);
  alignas(file_handle) std::array<std::byte, kHead + sizeof id> memory{};
  auto* handle = reinterpret_cast<file_handle*>(memory.data());
  handle->handle_bytes = sizeof id;
  handle->handle_type = kKernfsHandle;
  std::memcpy(memory.data() + kHead, &id, sizeof id);
  const UniqueFd folder(::open_by_handle_at(mount_.get(), handle, O_PATH | O_CLOEXEC));
  if (!folder.valid()) return errno == ESTALE ? ENOENT : errno;
  std::string path;
  const std::string link = proc_root_ + "/self/fd/" + std::to_string(folder.get());
  if (const int error = read_link_at(AT_FDCWD, link.c_str(), path); error != 0) return error;
  if (!path.starts_with(mount_point_) || path.ends_with(" (deleted)")) return ENOENT;
  out = path.substr(mount_point_.size());
  return 0;
}

void CgroupPaths::walk() {
  walked_ = true;
  std::vector<std::string> open_folders = {""};
  FolderReader names(-1);
  while (!open_folders.empty() && known_.size() < kMostCgroups) {
    const std::string path = std::move(open_folders.back());
    open_folders.pop_back();
    UniqueFd folder;
    const std::string relative = "." + path;
    if (open_at(mount_.get(), relative.c_str(), O_RDONLY | O_DIRECTORY, folder) != 0) continue;
    names.restart(folder.get());
    FolderReader::Entry entry;
    while (names.next(entry)) {
      if (!entry.folder) continue;
      std::string below = path + "/" + entry.name;
      known_[entry.inode] = below;
      open_folders.push_back(std::move(below));
    }
  }
}

int CgroupPaths::open(const std::string& path, UniqueFd& out) {
  if (const int error = open_mount(); error != 0) return error;
  if (!path.starts_with('/') || (path + "/").find("/../") != std::string::npos) return EINVAL;
  return open_at(mount_.get(), ("." + path).c_str(), O_RDONLY | O_DIRECTORY, out);
}

Result<std::string> CgroupPaths::path_of(std::uint64_t id) {
  if (const int error = open_mount(); error != 0) return fail(kernel_error(error, cgroup_what(id)));
  if (const auto found = known_.find(id); found != known_.end()) return found->second;
  if (!walked_) {
    std::string path;
    const int error = by_handle(id, path);
    if (error == 0) return known_[id] = path;
    if (error == ENOENT) return fail(kernel_error(error, cgroup_what(id)));
    walk();
  }
  const auto found = known_.find(id);
  if (found == known_.end()) return fail(kernel_error(ENOENT, cgroup_what(id)));
  return found->second;
}

}  // namespace hark::kernel
