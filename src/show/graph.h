// The picture of `hark why --graph`: for each answer the stages that a packet comes to, the chains
// that look at it there, and the step that decides, marked. As text for a terminal, as SVG, and as
// DOT for Graphviz. Each escapes for its own medium.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reach/picture.h"
#include "show/table.h"
#include "show/why.h"

namespace hark::show {

/// One packet's way.
struct GraphLane {
  std::string title;  ///< "10.0.0.0/8 via eth0 to tcp/6379"
  reach::Outcome outcome = reach::Outcome::Unknown;
  std::string verdict;  ///< the sentence that answers
  std::vector<reach::PictureStage> stages;
};

/// A lane for each answer; without a source one for each kind of clients.
[[nodiscard]] std::vector<GraphLane> graph_lanes(const WhyReport& report);

[[nodiscard]] std::string graph_text(const std::vector<GraphLane>& lanes, const TableStyle& style);
/// `title` is that of the whole picture.
[[nodiscard]] std::string graph_svg(const std::vector<GraphLane>& lanes, const std::string& title);
[[nodiscard]] std::string graph_dot(const std::vector<GraphLane>& lanes, const std::string& title);

}  // namespace hark::show
