// The screen of `hark diff`.
#pragma once

#include <string>

#include "show/diff.h"
#include "show/table.h"

namespace hark::show {

/// A paragraph for each change, worst first; then how much changed since when, and what could not
/// be compared. With `verbose` every gap, and codes of findings that are gone.
[[nodiscard]] std::string diff_text(const DiffReport& report, const TableStyle& style);

}  // namespace hark::show
