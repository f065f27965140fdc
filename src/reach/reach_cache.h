// What reach() keeps of one namespace from one destination to the next. Only for spaces.cpp,
// trace.cpp and reach.cpp.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "host/network.h"
#include "reach/clients.h"
#include "reach/rule_memory.h"

namespace hark::reach {

struct ReachCache {
  struct OfFamily {
    std::vector<AddressSet> classes;
    std::vector<PortSet> ports;
  };
  std::array<std::optional<OfFamily>, 2> families = {};  ///< by Family
  ClientGroupsCache groups = {};
  ClientRuns runs = {};
};

/// What routing cannot tell apart, of the namespace that the cache is of (routing_classes.h).
[[nodiscard]] const ReachCache::OfFamily& classes_of(ReachCache& cache,
                                                     const host::Network& network, Family family);

}  // namespace hark::reach
