// Files of a process, as it sees them: /proc/PID/root/…, which may be written by anybody.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::kernel {

/// Is it a path below the root of a process: "/proc/812/root/srv/app/package.json"?
[[nodiscard]] bool is_process_file(const std::string& path);

/// Reads one. Links lead no further than the process's own root (openat2(2), RESOLVE_IN_ROOT);
/// only regular files are opened, so that no device and no pipe is touched; only such that the
/// process's user owns or everybody may read, so that it cannot use hark's rights; at most 64 KiB.
/// EACCES, EINVAL, EFBIG where one of these does not hold. Needs Linux 5.6; ENOSYS before.
[[nodiscard]] Result<Bytes> read_process_file(const std::string& path);

/// When one was last written, in milliseconds since 1970; found by the same rules.
[[nodiscard]] Result<std::int64_t> process_file_time(const std::string& path);

}  // namespace hark::kernel
