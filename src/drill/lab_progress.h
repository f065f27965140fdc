// What a person has done of `hark lab`: a line of text for each scenario, in a file of theirs.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "drill/lab_room.h"

namespace hark::drill {

using LabProgress = std::map<std::string, LabScore, std::less<>>;

/// "NAME 1 1 0 0 2 1". Lines that cannot be read are passed over: they may be a later version's.
[[nodiscard]] LabProgress read_lab_progress(std::string_view text);
[[nodiscard]] std::string lab_progress_text(const LabProgress& progress);

/// What was solved stays solved, what was mended mended.
void add_lab_score(LabProgress& progress, const std::string& name, const LabScore& score);

}  // namespace hark::drill
