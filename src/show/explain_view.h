// The screen of `hark explain`.
#pragma once

#include <string>

#include "diagnose/explain.h"
#include "show/table.h"

namespace hark::show {

/// What it is, what it means, what it excludes, what to ask next; of what is not known the nearest.
[[nodiscard]] std::string explain_text(const diagnose::Explained& known, const TableStyle& style);

}  // namespace hark::show
