// PUBLISHED of docs/contract.md. Like json_parts.h for the files of this folder that write JSON.
#pragma once

#include "reach/published.h"
#include "show/json_parts.h"
#include "show/why.h"

namespace hark::show {

[[nodiscard]] Json published_json(const AnswerFacts& facts, const reach::PublishedPort& port);

}  // namespace hark::show
