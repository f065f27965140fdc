// Which questions a drill asks today.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "drill/drill_history.h"
#include "drill/drill_question.h"
#include "drill/questions.h"

namespace hark::drill {

/// The ports worth asking about, at most `most`: those that were never asked about, then exposed
/// ones and those not asked about lately. In the order of `all`.
[[nodiscard]] std::vector<Port> worth_asking(const Facts& facts, std::span<const Port> all,
                                             const History& history, std::int64_t day,
                                             std::uint64_t seed, std::size_t most);

/// Positions of at most `count` of the questions, in the order in which to ask them: what was never
/// asked, went wrong or is due first, ports that deserve it before others, of many kinds and ports.
/// None of them gives away what a later one asks.
[[nodiscard]] std::vector<std::size_t> pick(std::span<const Question> questions,
                                            const History& history, std::int64_t day,
                                            std::uint64_t seed, std::size_t count);

}  // namespace hark::drill
