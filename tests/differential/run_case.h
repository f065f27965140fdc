// One case from beginning to end: the host is made, hark reads it, the packets are sent, and the
// two are compared.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "script.h"

namespace hark::differential {

struct RunOptions {
  bool verbose = false;      ///< says every question and what became of it
  bool probe_only = false;   ///< hark is not asked: only what the script itself expects counts
  bool one_process = false;  ///< for debuggers: this process runs the case, and stays on the wire
  bool classes = false;      ///< asks reach() too, and the edges of its classes (classes.h)
  int grace_ms = 30;
  std::string program = {};  ///< asks this hark as well, for a few questions; empty: not
};

/// Sums of what was seen, by name: "questions", "agree", "mismatch", "depends" …
using Tally = std::map<std::string, std::uint64_t>;

/// Runs a case in a process of its own and prints what went wrong on standard output. A host that
/// could not be made counts as "not-made".
[[nodiscard]] Tally run_case(const Case& one, const RunOptions& options);

}  // namespace hark::differential
