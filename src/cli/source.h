// Where the facts come from: this host, or a recording of one.
#pragma once

#include <memory>
#include <string>

#include "cli/exit_status.h"
#include "cli/invocation.h"
#include "kernel/source.h"

namespace hark::cli {

struct OpenedSource {
  std::unique_ptr<kernel::Source> source;
  bool recorded = false;
  std::string name;  ///< "this host", or "FILE: web1 at 2026-11-22T14:03:18Z"
};

/// The source that the invocation names. A file that is missing or no recording is a usage error;
/// one that is damaged leaves the question open.
[[nodiscard]] tl::expected<OpenedSource, Failure> open_source(const Invocation& asked);

/// Does this file begin like a recording? False for one that cannot be read.
[[nodiscard]] bool begins_like_recording(const std::string& path);

}  // namespace hark::cli
