// The way of a packet as a picture: the stages that it came to, the chains that look at it there in
// the kernel's order, and where it was decided.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/network.h"
#include "reach/trace.h"

namespace hark::reach {

struct PictureChain {
  std::string name;  ///< "inet filter input", "iptables filter"; of the kernel itself: "conntrack"
  std::int32_t priority = 0;
  bool sure = true;      ///< false: it may run before or behind its neighbours
  bool acted = false;    ///< a rule of it, or its policy, said what became of the packet
  bool decided = false;  ///< it is where it ended
};

struct PictureStage {
  Stage stage = Stage::Link;
  std::vector<Step> steps;           ///< at least one
  std::vector<PictureChain> chains;  ///< of netfilter at this stage
  bool decided = false;
};

/// Stages in their order, up to the end of `answer.path`.
[[nodiscard]] std::vector<PictureStage> picture_of(const host::Network& network,
                                                   const Answer& answer);

}  // namespace hark::reach
