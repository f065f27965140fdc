// Judges what a person says is wrong in a scenario of `hark lab`, and what shows it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "drill/lab_scenario.h"

namespace hark::drill {

struct LabVerdict {
  bool cause = false;       ///< it was named
  bool evidence = false;    ///< and what shows it
  bool understood = false;  ///< some cause was named, right or wrong
  std::string why;          ///< what to tell of the cause, a sentence or two
  std::string because;      ///< and of the evidence; empty: none was given
};

/// `answer` is free text: a code of hark, or words; then perhaps "because" and what shows it (a
/// command, or a fact). A number is a choice of lab_choices(). `cause_known`: the cause was named
/// before, so that evidence alone is an answer too.
[[nodiscard]] LabVerdict grade_lab_answer(const LabScenario& scenario, std::string_view answer,
                                          bool cause_known);

/// Codes to choose from, the right one among them, always in the same order.
[[nodiscard]] std::vector<std::string> lab_choices(const LabScenario& scenario);

}  // namespace hark::drill
