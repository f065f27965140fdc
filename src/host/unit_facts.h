// What is known of a unit of systemd beyond its name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hark::host {

/// Position of a unit in Host::units.
enum class UnitId : std::uint32_t {};

/// How the main process of a service ended last.
struct UnitExit {
  std::string code;                   ///< "exited", "killed", "dumped"
  std::int32_t status = 0;            ///< exit status, or the signal's number
  std::optional<std::int64_t> at_ms;  ///< since 1970, UTC
  bool operator==(const UnitExit&) const = default;
};

/// Where the most telling of the facts come from.
enum class UnitSource : std::uint8_t { Cgroup, Files, Dbus };

/// Texts that are not known are empty.
struct UnitFacts {
  std::string name;
  std::optional<std::uint32_t> user;  ///< whose manager has it; nothing: the system's
  std::string description;
  std::string load_state;    ///< "loaded", "masked", "not-found", "bad-setting", "error"
  std::string active_state;  ///< "active", "inactive", "failed", "activating" …; only systemd knows
  std::string sub_state;
  std::string result;    ///< of a service or socket: "success", "exit-code", "start-limit-hit" …
  std::string fragment;  ///< path of its file
  std::vector<std::string> triggers;  ///< what a socket unit starts
  /// Can it be started; of a socket unit: can what it triggers. True: nothing that could be read
  /// stands in the way. Nothing: not known.
  std::optional<bool> can_start;
  std::string cannot_start_because;
  std::optional<std::uint32_t> restarts;  ///< automatic ones since it was started by hand
  std::optional<UnitExit> last_exit;
  std::optional<std::int64_t> state_since_ms;  ///< since 1970, UTC
  bool wanted = false;                         ///< something is to start it: it is enabled
  std::string service_type;  ///< Type=, of a wanted service in trouble; empty: none is set
  UnitSource source = UnitSource::Cgroup;
};

}  // namespace hark::host
