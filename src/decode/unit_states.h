// What systemd says of units: base/unit_parts.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

/// Texts that were not told are empty.
struct UnitState {
  std::string name;
  std::string description;
  std::string load_state;
  std::string active_state;
  std::string sub_state;
  std::string result;
  std::string fragment;
  std::vector<std::string> triggers;
  std::string load_error;
  std::optional<std::uint32_t> restarts;
  std::optional<std::int32_t> exit_code;
  std::optional<std::int32_t> exit_status;
  std::optional<std::uint64_t> exit_us;
  std::optional<std::uint64_t> since_us;
};

/// By name, each once. Unknown tags are passed over; a buffer that is cut off, a number of another
/// size, or facts before the first name are an error.
[[nodiscard]] Result<std::vector<UnitState>> decode_unit_states(ByteView parts);

}  // namespace hark::decode
