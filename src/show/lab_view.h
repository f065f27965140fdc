// The screens of `hark lab`.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "drill/lab_progress.h"
#include "drill/lab_scenario.h"
#include "show/table.h"

namespace hark::show {

/// The path through the scenarios by topic, with what is done and what comes next.
[[nodiscard]] std::string lab_path_text(std::span<const drill::LabScenario> scenarios,
                                        const drill::LabProgress& progress,
                                        const TableStyle& style);

/// `--list`: a line for each, without progress.
[[nodiscard]] std::string lab_list_text(std::span<const drill::LabScenario> scenarios,
                                        const TableStyle& style);

/// What stands above the shell's first prompt.
[[nodiscard]] std::string lab_opening_text(const drill::LabScenario& scenario,
                                           const TableStyle& style);

/// How it went, and what comes next (empty: nothing).
[[nodiscard]] std::string lab_ending_text(const drill::LabScenario& scenario,
                                          const drill::LabScore& score, std::string_view next);

/// The first scenario of the path that is not solved; empty: all are.
[[nodiscard]] std::string_view next_lab(std::span<const drill::LabScenario> scenarios,
                                        const drill::LabProgress& progress);

/// Paragraphs, a line each, broken to the style's width; those that begin with blanks as they are.
[[nodiscard]] std::string lab_paragraphs(std::string_view text, const TableStyle& style);

}  // namespace hark::show
