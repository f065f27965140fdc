#include "host/cgroup_folders.h"

#include <algorithm>

#include "base/text.h"
#include "decode/mountinfo.h"

namespace hark::host {
namespace {

bool names(std::string_view list, std::string_view word) {
  const auto words = split(list, ',');
  return std::ranges::find(words, word) != words.end();
}

}  // namespace

CgroupFolders::CgroupFolders(kernel::Source& source) : source_(source) {
  const auto text = source.read_file("/proc/self/mountinfo");
  if (!text) return;
  const auto mounts = decode::decode_mountinfo(*text);
  if (!mounts) return;
  for (const decode::MountRecord& mount : *mounts) {
    if (mount.root != "/") continue;
    if (mount.type == "cgroup2" && v2_.empty()) v2_ = mount.mount_point;
    if (mount.type == "cgroup") {
      v1_.push_back({.controllers = mount.super_options, .point = mount.mount_point});
    }
  }
}

const std::vector<decode::CgroupLine>& CgroupFolders::lines_of(const Process& process) {
  if (pid_ == process.pid) return lines_;
  pid_ = process.pid;
  lines_.clear();
  const auto text = source_.read_file("/proc/" + std::to_string(process.pid) + "/cgroup");
  if (!text) return lines_;
  if (auto lines = decode::decode_cgroup_file(*text)) lines_ = std::move(*lines);
  return lines_;
}

std::string CgroupFolders::v2(const Process& process) {
  if (v2_.empty()) return {};
  // With v2 alone the telling path is its path.
  if (!v1_.empty()) {
    for (const decode::CgroupLine& line : lines_of(process)) {
      if (line.hierarchy == 0 && line.controllers.empty()) return v2_ + line.path;
    }
  }
  return process.cgroup.empty() ? std::string() : v2_ + process.cgroup;
}

CgroupFolders::Memory CgroupFolders::memory(std::string_view path) const {
  const auto mount =
      std::ranges::find_if(v1_, [](const Mount& one) { return names(one.controllers, "memory"); });
  const std::string& root = mount == v1_.end() ? v2_ : mount->point;
  if (root.empty()) return {};
  return {.folder = root + std::string(path), .v1 = mount != v1_.end()};
}

std::string CgroupFolders::v1(const Process& process, std::string_view controller) {
  const auto mount = std::ranges::find_if(
      v1_, [&](const Mount& one) { return names(one.controllers, controller); });
  if (mount == v1_.end()) return {};
  for (const decode::CgroupLine& line : lines_of(process)) {
    if (names(line.controllers, controller)) return mount->point + line.path;
  }
  return {};
}

}  // namespace hark::host
