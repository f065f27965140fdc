// JSON of `hark bind`, as docs/contract.md fixes it.
#pragma once

#include "show/bind.h"
#include "show/list_json.h"

namespace hark::show {

/// One `hark.bind/1` object and a newline.
void write_bind_json(const BindReport& report, const Sink& sink);

}  // namespace hark::show
