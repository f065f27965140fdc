// Proves by real packets whether a scenario of `hark lab` works as its story wants it.
#pragma once

#include <string>

#include "drill/lab_scenario.h"

namespace hark::drill {

struct LabProof {
  bool passed = false;
  std::string text;  ///< "neighbour -> tcp/10.0.0.5:5432: answered by postgres"
};

/// Connects from the place of the probe, says a line and waits for the answer, at most a second
/// each. Runs in a process of its own, as namespaces belong to threads.
[[nodiscard]] LabProof run_lab_probe(const LabProbe& probe);

}  // namespace hark::drill
