// The families of findings: one function a file, told of in the table of families.cpp.
#pragma once

#include <vector>

#include "diagnose/finding.h"

namespace hark::diagnose {

/// Queues that are full, fill up or overflow: full_queues.cpp.
[[nodiscard]] std::vector<Finding> full_queues(const Facts& facts);
/// Owners that do not run: idle_owners.cpp.
[[nodiscard]] std::vector<Finding> idle_owners(const Facts& facts);
/// Programs and libraries that were removed or replaced: deleted_programs.cpp.
[[nodiscard]] std::vector<Finding> deleted_programs(const Facts& facts);

}  // namespace hark::diagnose
