// What `hark why` found out: handed to the screen and to the JSON.
#pragma once

#include <cstddef>
#include <vector>

#include "host/host.h"
#include "host/network.h"
#include "host/select.h"
#include "host/target.h"
#include "reach/published.h"
#include "reach/questions.h"
#include "reach/trace.h"

namespace hark::show {

/// What an answer is about.
struct AnswerFacts {
  const host::Host& host;
  const host::Network& network;
};

struct WhyReport {
  const host::Host& host;
  const host::Network& network;
  const host::Target& target;
  const reach::Plan& plan;
  std::vector<reach::Answer> answers;           ///< to plan.questions
  std::vector<host::Near> near;                 ///< only where nothing answers
  std::vector<host::Gap> gaps;                  ///< all, each once
  std::vector<reach::ReachClass> classes = {};  ///< to plan.destinations
  /// Why somebody of the target's name may listen all the same, though nobody was found.
  std::string hidden = {};
  /// What rules publish under the target's port.
  std::vector<reach::PublishedPort> published = {};

  [[nodiscard]] AnswerFacts facts() const { return {host, network}; }
};

}  // namespace hark::show
