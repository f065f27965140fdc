// The screen of `hark bind`.
#pragma once

#include <string>

#include "show/bind.h"
#include "show/table.h"

namespace hark::show {

/// The verdict in a sentence; who is in the way, a line each; what the program sees; the nearest
/// free port; what was assumed. Without colour, width or UTF-8 it says the same.
[[nodiscard]] std::string bind_text(const BindReport& report, const TableStyle& style);

}  // namespace hark::show
