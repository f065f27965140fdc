// What `hark why` asks about ports that rules publish: list_reach.h does it for all of them.
#pragma once

#include <vector>

#include "cli/list_reach.h"
#include "host/target.h"
#include "reach/published.h"

namespace hark::cli {

struct WhyPublished {
  std::vector<std::vector<reach::ReachClass>> places;  ///< to which `ports` refer
  std::vector<reach::PublishedPort> ports;
  std::vector<host::Near> near;  ///< where none is meant: what comes near
};

/// Published ports of the namespace that `network` is of which the target names by port, or, where
/// it names none, by who stands behind them. `near`: look for what comes near, too.
[[nodiscard]] WhyPublished published_for(const Reading& reading, const host::Network& network,
                                         const host::Target& target, bool near);

}  // namespace hark::cli
