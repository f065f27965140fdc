// Nobody of a name was found to listen. Could it still be the owner of a socket whose owners could
// not be read? Names are readable where descriptors are not.
#pragma once

#include <optional>
#include <string>

#include "host/host.h"
#include "host/target.h"
#include "kernel/source.h"

namespace hark::host {

/// Why `target`, which names somebody and has no listener in that namespace, may have one all the
/// same: "process sshd (812) could not be looked into". Nothing: it has none. All processes' names
/// are read, but only where some listener has owners that are not known. Where /proc does not show
/// every process, or is not there (a recording holds no names of processes that hold nothing), any
/// name could be hidden.
[[nodiscard]] std::optional<std::string> hidden_owner(kernel::Source& source, const Host& host,
                                                      NetnsId netns, const Target& target);

}  // namespace hark::host
