// One run of a trace: a client's first packet and what follows from it, until it is known what the
// client sees. Straight-line; what is open is asked of world.choices.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "reach/service.h"
#include "reach/trace.h"
#include "reach/world.h"

namespace hark::reach {

struct JourneyEnd {
  Outcome outcome = Outcome::Unknown;
  std::string icmp = {};
  int error = 0;
  /// Decided it; nothing if the client is answered.
  std::optional<Blocker> blocker = {};
  /// What else was met by the way: a refusal that was lost on its way out.
  std::vector<Blocker> also = {};
  std::optional<std::size_t> delivers_to = {};
};

[[nodiscard]] JourneyEnd travel(const World& world, const Question& question);

}  // namespace hark::reach
