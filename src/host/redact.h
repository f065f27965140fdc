// Takes out of a command line what looks like a secret, before it goes into a recording.
#pragma once

#include "base/bytes.h"

namespace hark::host {

/// `cmdline` as /proc/PID/cmdline has it. Values of options and variables whose names speak of
/// passwords, tokens, keys or secrets (--password=x, --token x, -pSECRET of mysql, PGPASSWORD=x),
/// passwords in URLs (user:x@host), `Authorization:` headers and long random-looking words become
/// "[redacted]". Everything else stays as it is, byte for byte; the number of arguments stays.
[[nodiscard]] Bytes redact_command_line(ByteView cmdline);

}  // namespace hark::host
