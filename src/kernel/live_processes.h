// The two process questions of the seam, answered from /proc.
#pragma once

#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "kernel/source.h"

namespace hark::kernel {

/// Source::scan_processes.
[[nodiscard]] Result<Bytes> scan_proc(const std::string& proc_root, bool descriptors);

/// Source::read_processes.
[[nodiscard]] Result<Bytes> read_proc(const std::string& proc_root,
                                      std::span<const ProcessWanted> wanted);

}  // namespace hark::kernel
