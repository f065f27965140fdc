// Asks the questions of a drill, one after the other, in plain lines.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "cli/exit_status.h"
#include "cli/output.h"
#include "drill/drill_history.h"
#include "drill/drill_question.h"

namespace hark::cli {

struct DrillTalk {
  /// Of every item of the session one, escaped by show::for_reading().
  std::span<const drill::Question> questions;
  drill::History& history;  ///< its session goes on, and is over at the end
  std::int64_t day = 0;
  std::function<void()> keep;  ///< called whenever history has changed
  int answers_fd = 0;
  bool terminal = false;  ///< it echoes what is typed
};

/// Yes: passed; No: not; Interrupted: the person left, and the session stands; CannotTell: nobody
/// is there to answer, and nothing was written.
[[nodiscard]] ExitStatus talk(const DrillTalk& drill, Output& out);

}  // namespace hark::cli
