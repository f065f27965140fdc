// What systemd says of units, as parts (base/parts.h): made by the program hark-units, taken apart
// by decode. Tags are part of the recording format: added, never renumbered.
#pragma once

#include <cstdint>

namespace hark {

/// Properties of org.freedesktop.systemd1(5). What a unit does not have, or was not told, is left
/// out.
enum class UnitPart : std::uint16_t {
  Name = 1,  ///< as it was asked for; opens the record of a unit
  Description = 2,
  LoadState = 3,
  ActiveState = 4,
  SubState = 5,
  Result = 6,       ///< of services and sockets
  Fragment = 7,     ///< FragmentPath
  Triggers = 8,     ///< names, each ended by a NUL byte
  LoadError = 9,    ///< the message of LoadError
  Restarts = 10,    ///< u32, NRestarts
  ExitCode = 11,    ///< i32, ExecMainCode: CLD_EXITED … of waitid(2); 0: it has not ended yet
  ExitStatus = 12,  ///< i32, ExecMainStatus
  ExitTime = 13,    ///< u64, ExecMainExitTimestamp: microseconds since 1970; 0: never
  StateSince = 14,  ///< u64, StateChangeTimestamp: likewise
};

}  // namespace hark
