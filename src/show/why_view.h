// The screen of `hark why`.
#pragma once

#include <string>

#include "show/table.h"
#include "show/why.h"

namespace hark::show {

/// One answer: the verdict in a sentence, the stages of the way, what the client sees, what else
/// is in the way. Several: a line each, and each in full with `verbose`. Then notes, near misses,
/// and what could not be seen. Without colour, width or UTF-8 it says the same.
[[nodiscard]] std::string why_text(const WhyReport& report, const TableStyle& style, bool verbose);

}  // namespace hark::show
