// A file that is there as a whole or not at all.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hark::cli {

/// Writes `text` to `path`: beside it first, then by rename(2), so that nobody ever sees half of
/// it. The file can be read by its owner alone. A symbolic link is followed; a device or a pipe is
/// written to as it is.
[[nodiscard]] Result<void> write_new_file(const std::string& path, std::string_view text);

/// The same in a folder that is open already: whatever has the name is replaced, and no link is
/// followed.
[[nodiscard]] Result<void> write_new_file_in(int folder, const std::string& name,
                                             std::string_view text);

}  // namespace hark::cli
