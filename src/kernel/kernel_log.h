// The kernel's log, as far as it tells of processes that were killed for want of memory.
//
// syslog(2), SYSLOG_ACTION_READ_ALL: it takes nothing out of the log. CAP_SYSLOG is needed where
// kernel.dmesg_restrict is set. The log holds much that is nobody's business, and other lines leave
// this folder as little as other variables of an environment do (port_variables.h).
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::kernel {

/// The path by which a source is asked for it.
constexpr std::string_view kKernelLog = "/dev/kmsg";

/// Of a log, the last lines that say whom the kernel killed ("oom-kill:…", dump_oom_summary of
/// mm/oom_kill.c), each with its end; at most kMostKillLines.
[[nodiscard]] std::string kill_lines(std::string_view log);
constexpr std::size_t kMostKillLines = 64;

/// EPERM: the right to read it is missing.
[[nodiscard]] Result<Bytes> read_kernel_log();

}  // namespace hark::kernel
