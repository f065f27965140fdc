// What reach() keeps of one namespace from one destination to the next. Only for trace.cpp and
// reach.cpp.
#pragma once

#include <array>
#include <optional>
#include <vector>

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

}  // namespace hark::reach
