// What stands in the way of starting a unit, as far as its files tell.
#pragma once

#include <optional>
#include <string>

#include "host/unit_files.h"
#include "kernel/source.h"

namespace hark::host {

struct Obstacle {
  std::optional<bool> can_start;  ///< nothing: it cannot be told
  std::string because;            ///< "it is masked"; only where it cannot start
};

/// Masks, files that are missing or refused, programs that are not there. Conditions are not looked
/// at, nor whether a program may be executed. Of units other than services only what keeps them
/// from being loaded.
[[nodiscard]] Obstacle obstacle_of(kernel::Source& source, const LoadedUnit& unit);

}  // namespace hark::host
