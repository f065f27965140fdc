// The scenarios that are built in, in the order in which they are best met.
#pragma once

#include <string_view>
#include <vector>

#include "drill/lab_scenario.h"

namespace hark::drill {

/// All of them. The error is that of the first file that is wrong.
[[nodiscard]] Result<std::vector<LabScenario>> lab_scenarios();

/// One by its name, or the file of that name if it ends in ".toml". Unknown: an error with the
/// nearest name.
[[nodiscard]] Result<LabScenario> find_lab_scenario(const std::string& name);

/// Names in the order of the path.
[[nodiscard]] std::vector<std::string> lab_path();

}  // namespace hark::drill
