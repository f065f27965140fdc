// Takes secrets out of files before they go into a recording.
#pragma once

#include <string>

#include "base/bytes.h"

namespace hark::host {

/// Unit files of systemd and their drop-ins (any path with /systemd/ in it) become what hark reads
/// of them: settings that it knows keep their values, command lines are redacted as those of
/// processes are, the value of every other setting (Environment=, SetCredential= …) becomes
/// "[redacted]". Comments and unknown sections are left out. Other files stay as they are.
///
/// What is decoded from the result is what is decoded from the file. Redacting twice is redacting
/// once.
[[nodiscard]] Bytes redact_unit_file(const std::string& path, ByteView file);

}  // namespace hark::host
