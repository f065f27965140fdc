// Other programs that hark starts for a question: `ssh`, and itself.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace hark::cli {

struct ChildCommand {
  std::vector<std::string> words;  ///< the program first: by PATH, or a path
  std::string input;               ///< all of its standard input
};

struct ChildResult {
  int status = -1;       ///< exit status; of a signal 128 + its number
  std::string out;       ///< at most 64 MB
  std::string messages;  ///< of standard error, the first 64 kB
};

/// Runs them all at once, until the last has ended. Once the descriptor `stop` is readable (-1:
/// never) each gets SIGINT, and a second later SIGTERM; what they said is kept. The error is that
/// of starting one.
[[nodiscard]] Result<std::vector<ChildResult>> run_children(
    const std::vector<ChildCommand>& commands, int stop = -1);

}  // namespace hark::cli
