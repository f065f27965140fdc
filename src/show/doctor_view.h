// The screen of `hark doctor`.
#pragma once

#include <string>

#include "show/doctor.h"
#include "show/table.h"

namespace hark::show {

/// A paragraph for each finding, worst first: how bad, which port, what; a command that shows it;
/// what would mend it. With `verbose` every piece of evidence. Then what could not be looked at.
/// Without a finding the first line says so.
[[nodiscard]] std::string doctor_text(const DoctorReport& report, const TableStyle& style,
                                      bool verbose);

}  // namespace hark::show
