// "hark.lab/1" of docs/contract.md.
#pragma once

#include <span>

#include "drill/lab_progress.h"
#include "drill/lab_scenario.h"
#include "show/list_json.h"

namespace hark::show {

void write_lab_json(std::span<const drill::LabScenario> scenarios,
                    const drill::LabProgress& progress, const Sink& sink);

}  // namespace hark::show
