// The three process questions of the seam, answered from /proc.
#pragma once

#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "kernel/source.h"

namespace hark::kernel {

/// Source::scan_namespaces.
[[nodiscard]] Result<Bytes> scan_proc_namespaces(const std::string& proc_root);

/// Source::scan_descriptors.
[[nodiscard]] Result<Bytes> scan_proc_descriptors(const std::string& proc_root,
                                                  std::span<const std::uint32_t> wanted);

/// Source::read_processes.
[[nodiscard]] Result<Bytes> read_proc(const std::string& proc_root,
                                      std::span<const ProcessWanted> wanted, ProcessDetail detail);

}  // namespace hark::kernel
