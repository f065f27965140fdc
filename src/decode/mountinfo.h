// /proc/PID/mountinfo: proc(5), show_mountinfo of fs/proc_namespace.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

struct MountRecord {
  std::string root;         ///< within its file system; of nsfs: "net:[4026532177]"
  std::string mount_point;  ///< octal escapes undone
  std::string type;         ///< file system type
  std::string source;
  std::string options;        ///< of the mount
  std::string super_options;  ///< of the file system; /proc has hidepid here

  bool operator==(const MountRecord&) const = default;
};

/// A malformed or cut off line is an error naming its number.
[[nodiscard]] Result<std::vector<MountRecord>> decode_mountinfo(ByteView text);

/// The inode in "net:[4026532177]", as in links of /proc/PID/ns/net and roots of nsfs mounts.
[[nodiscard]] std::optional<std::uint32_t> netns_inode(std::string_view text);

/// What /proc's mount hides from users without CAP_SYS_PTRACE: 0 nothing, 1 contents, 2 the
/// processes themselves (also "invisible" and "ptraceable" of newer kernels).
[[nodiscard]] unsigned hidepid_level(const std::vector<MountRecord>& mounts);

}  // namespace hark::decode
