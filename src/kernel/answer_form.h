// How answers that are not bytes stand in a recording. Recorder writes these, Replay reads them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/source.h"

namespace hark::kernel {

/// Each name, ended by a NUL byte, which no name can hold.
[[nodiscard]] Bytes form_of_names(const std::vector<std::string>& names);
/// Nothing if the last name is not ended.
[[nodiscard]] std::optional<std::vector<std::string>> names_of_form(ByteView form);

/// "REALTIME_MS BOOTTIME_MS", both decimal.
[[nodiscard]] Bytes form_of_clock(const Clock& clock);
[[nodiscard]] std::optional<Clock> clock_of_form(ByteView form);

}  // namespace hark::kernel
