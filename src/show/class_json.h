// CLASS of docs/contract.md: what becomes of some sources. Like json_parts.h for the files of this
// folder that write JSON only.
#pragma once

#include "reach/reach.h"
#include "show/json_parts.h"
#include "show/why.h"

namespace hark::show {

/// "evidence" of a CAUSE.
[[nodiscard]] Json evidence_json(const std::vector<reach::Evidence>& evidence);

/// The name of a link, or null.
[[nodiscard]] Json link_json(const host::Network& network, std::uint32_t index);

/// CAUSE of docs/contract.md.
[[nodiscard]] Json cause_json(const reach::Cause& cause);

/// A class of one source.
[[nodiscard]] Json class_json(const AnswerFacts& facts, const reach::Answer& answer);

/// All of its sources: addresses as the fewest prefixes, ports as ranges.
[[nodiscard]] Json class_json(const AnswerFacts& facts, const reach::ReachClass& one);

}  // namespace hark::show
