// JSON of `hark why`, as docs/contract.md fixes it.
#pragma once

#include "show/list_json.h"
#include "show/why.h"

namespace hark::show {

/// One `hark.why/1` object and a newline; each class has a line of its own.
void write_why_json(const WhyReport& report, const Sink& sink);

}  // namespace hark::show
