// The screen of `hark why` without a source: who gets through, who does not, and why.
#pragma once

#include <string>

#include "show/table.h"
#include "show/why.h"

namespace hark::show {

/// For each service that was asked a sentence and a table of its clients, the ones that get
/// through first; and once what this host cannot know. Sources that no client could have are left
/// out.
[[nodiscard]] std::string why_classes_text(const WhyReport& report, const TableStyle& style);

}  // namespace hark::show
