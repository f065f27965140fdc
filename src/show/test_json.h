// The JSON of `hark test`.
#pragma once

#include "show/list_json.h"
#include "show/test.h"

namespace hark::show {

/// "hark.test/1" of docs/contract.md.
void write_test_json(const TestReport& report, const Sink& sink);

}  // namespace hark::show
