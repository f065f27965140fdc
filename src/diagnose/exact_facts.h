// The facts that count only where every one is asked for. For changes.cpp alone.
#pragma once

#include "diagnose/changes.h"

namespace hark::diagnose {

/// Of listeners that are on both sides: adds the fields from Pids on in which they differ.
void add_exact_fields(const host::Host& before, const host::Host& after, Change& change);

}  // namespace hark::diagnose
