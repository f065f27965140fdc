// Makes the kernel kill this process at system calls that hark has no business to make.
#pragma once

#include "run_in.h"

namespace hark::netns {

/// Holds for this process, its threads and what it executes. False: errno tells.
[[nodiscard]] bool forbid(Forbidden what);

/// The signal by which a process ends that did it all the same.
constexpr int kForbiddenStatus = 1000 + 31;  // SIGSYS

}  // namespace hark::netns
