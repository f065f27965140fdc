// The queue of a listener over all looks.
#pragma once

#include <optional>
#include <vector>

#include "diagnose/finding.h"
#include "reach/service.h"

namespace hark::diagnose {

/// At each look, the listing's first.
[[nodiscard]] std::vector<host::Queue> queues_of(const Facts& facts,
                                                 const host::Listener& listener);

/// Full at every look: what the last one says.
[[nodiscard]] std::optional<reach::Blocker> always_full(const Facts& facts,
                                                        const host::Listener& listener);
/// Three quarters and more wait, and it never got shorter.
[[nodiscard]] bool keeps_filling(const Facts& facts, const host::Listener& listener);
/// Somebody waited at every look, of which there are two, and none was taken.
[[nodiscard]] bool never_taken_from(const Facts& facts, const host::Listener& listener);

}  // namespace hark::diagnose
