// All sources at once, beside one at a time: the classes of reach() for what a case asks must say
// what trace() says at their edges, and some edges are asked with real packets too.
#pragma once

#include <vector>

#include "judge.h"
#include "run_case.h"
#include "script.h"

namespace hark::differential {

/// Counts `class-points` and `class-mismatch`, prints what differs, and returns questions of
/// clients at the edges of classes.
[[nodiscard]] std::vector<Ask> check_classes(const Case& one, const Judge& judge, Tally& tally);

}  // namespace hark::differential
