// The screen of `hark test`.
#pragma once

#include <string>

#include "show/table.h"
#include "show/test.h"

namespace hark::show {

/// A row for each attempt, and beneath what makes them make sense: each sentence once, for the
/// first that it is true of. With `verbose` the stages that were traced too.
[[nodiscard]] std::string test_text(const TestReport& report, const TableStyle& style,
                                    bool verbose);

/// The rows alone.
[[nodiscard]] std::string test_table(const TestReport& report, const TableStyle& style);

}  // namespace hark::show
