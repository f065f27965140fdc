// Takes out of files what a recording must not have.
#pragma once

#include <string>

#include "base/bytes.h"

namespace hark::host {

/// By the file's path: state files of container runtimes (redact_state_files.h), unit files of
/// systemd (redact_unit_files.h); of configuration files of servers nothing
/// but where they listen is left. Other files stay as they are.
[[nodiscard]] Bytes redact_file(const std::string& path, ByteView file);

}  // namespace hark::host
