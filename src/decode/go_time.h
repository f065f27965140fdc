// Times as programs in Go write them into JSON: RFC 3339 with as many digits as are needed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hark::decode {

/// "2026-01-02T03:04:05.678901234Z", "2026-01-02T03:04:05+01:00": milliseconds since 1970, UTC.
/// Nothing: it is no such time, or before 1970, as Go's time zero is.
[[nodiscard]] std::optional<std::int64_t> parse_go_time(std::string_view text);

}  // namespace hark::decode
