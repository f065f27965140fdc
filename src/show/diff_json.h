// `hark.diff/1` of docs/contract.md.
#pragma once

#include "show/diff.h"
#include "show/list_json.h"

namespace hark::show {

void write_diff_json(const DiffReport& report, const Sink& sink);

}  // namespace hark::show
