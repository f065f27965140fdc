// Sets what packets showed beside what hark says, and beside what a script expects.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "judge.h"
#include "place.h"
#include "prober.h"
#include "run_case.h"
#include "servers.h"

namespace hark::differential {

/// What is wrong with an observation, by the script's own words; empty: nothing.
[[nodiscard]] std::string wrong_observation(const Expected& expected, const Observation& seen);
/// What is wrong with hark's answer, given what was seen; empty: nothing.
[[nodiscard]] std::string wrong_verdict(const Ask& ask, const Verdict& verdict,
                                        const Observation& seen, const Servers& servers);

/// What is wrong with the rule that hark's cause names, given where packets of this client were
/// dropped; empty: nothing, or no rule is named.
[[nodiscard]] std::string wrong_rule(const Verdict& verdict, const std::set<std::string>& drops);

/// Asks everything of a case that stands, of hark and by packets; prints what differs.
[[nodiscard]] Tally compare_case(const Case& one, const RunOptions& options, const Place& place,
                                 Servers& servers);

}  // namespace hark::differential
