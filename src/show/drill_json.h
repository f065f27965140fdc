// `hark drill --json`: docs/contract.md, hark.drill/1.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "drill/drill_question.h"
#include "host/host.h"
#include "show/list_json.h"

namespace hark::show {

struct DrillReport {
  const host::Host& host;
  std::span<const drill::Question> questions;  ///< not escaped
  std::uint64_t seed = 0;
  std::span<const host::Gap> gaps = {};
};
void write_drill_json(const DrillReport& report, const Sink& sink);

}  // namespace hark::show
