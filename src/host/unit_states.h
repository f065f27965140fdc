// What systemd itself says of units, added to what their files say.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "decode/unit_states.h"
#include "host/unit_facts.h"
#include "kernel/source.h"

namespace hark::host {

/// States of the system's units that are loaded, by name; others are left out.
[[nodiscard]] Result<std::map<std::string, decode::UnitState>> ask_unit_states(
    kernel::Source& source, const std::vector<std::string>& names);

/// Adds what is known better: all but an obstacle that the files showed.
void add_state(const decode::UnitState& state, UnitFacts& facts);

}  // namespace hark::host
