// Takes out of files what a recording must not have.
#pragma once

#include <string>

#include "base/bytes.h"

namespace hark::host {

/// State files of container runtimes hold the environment of containers, with its passwords: only
/// what hark reads of them is kept, as a file of the same form. One that cannot be understood
/// becomes empty, which cannot be understood either. Other files stay as they are. Redacting twice
/// is redacting once.
[[nodiscard]] Bytes redact_state_file(const std::string& path, ByteView text);

}  // namespace hark::host
