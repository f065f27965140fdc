#include "reach/choices.h"

#include <algorithm>
#include <utility>

namespace hark::reach {

unsigned Choices::pick(const Condition& condition, unsigned ways) {
  if (!scope_.empty()) {
    Condition there = condition;
    there.key = scope_ + condition.key;
    there.text += " (in " + place_ + ")";
    const std::string scope = std::exchange(scope_, {});
    const unsigned way = pick(there, ways);
    scope_ = scope;
    return way;
  }
  const auto before = std::ranges::find_if(
      taken_, [&condition](const Taken& taken) { return taken.condition.key == condition.key; });
  if (before != taken_.end()) return std::min(before->way, ways - 1);
  const unsigned way = taken_.size() < plan_.size() ? plan_[taken_.size()] : 0;
  taken_.push_back({.condition = condition, .way = way, .ways = ways});
  return way;
}

bool Choices::next() {
  while (!taken_.empty() && taken_.back().way + 1 >= taken_.back().ways) taken_.pop_back();
  plan_.clear();
  for (const Taken& taken : taken_) plan_.push_back(taken.way);
  if (!plan_.empty()) ++plan_.back();
  taken_.clear();
  enter({}, {});
  return !plan_.empty();
}

bool explore(const std::function<void(Choices&)>& run) {
  Choices choices;
  for (unsigned runs = 0; runs < kMostRuns; ++runs) {
    run(choices);
    if (!choices.next()) return true;
  }
  return false;
}

}  // namespace hark::reach
