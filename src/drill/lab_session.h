// One session of `hark lab NAME`, seen from outside: makes the sandbox, waits until the person is
// through, and hears how it went.
#pragma once

#include <functional>

#include "base/result.h"
#include "drill/lab_room.h"
#include "drill/lab_scenario.h"

namespace hark::drill {

struct LabListener {
  std::function<void()> ready;                  ///< all is set up, the shell is about to start
  std::function<void(const LabScore&)> scored;  ///< each time that the score has changed
};

/// Returns when the session is over, with the score; standard input is the shell's. The errors: a
/// program is missing, the kernel forbids the sandbox, the set-up failed, the sandbox was killed.
[[nodiscard]] Result<LabScore> run_lab_session(const LabScenario& scenario,
                                               const LabListener& listener);

}  // namespace hark::drill
