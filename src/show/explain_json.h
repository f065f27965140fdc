// JSON of `hark explain`, as docs/contract.md fixes it.
#pragma once

#include "diagnose/explain.h"
#include "show/list_json.h"

namespace hark::show {

/// One `hark.explain/1` object and a newline.
void write_explain_json(const diagnose::Explained& known, const Sink& sink);

}  // namespace hark::show
