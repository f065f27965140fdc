// JSON of `hark list`, as docs/contract.md fixes it.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "host/host.h"
#include "host/select.h"
#include "reach/reach_table.h"

namespace hark::show {

/// Takes pieces of the output as they are made: memory does not grow with the listing.
using Sink = std::function<void(std::string_view)>;

/// One `hark.list/1` object and a newline. The outer object is laid out over lines, each listener,
/// gap and near miss has a line of its own. `near` is written only where nothing was selected.
/// Characters that a terminal would act upon are escaped, which is the same JSON. Without `reach`
/// who reaches a listener is null, and what is published: positions in ReachTable::published().
void write_list_json(const host::Host& host, const std::vector<std::size_t>& selected,
                     std::span<const host::Near> near, const Sink& sink,
                     const reach::ReachTable* reach = nullptr,
                     const std::vector<std::size_t>& published = {});

}  // namespace hark::show
