// Which published ports a person means by a filter of `hark list`: host/select.h.
#pragma once

#include <cstddef>
#include <vector>

#include "host/select.h"
#include "reach/reach_table.h"

namespace hark::reach {

/// Positions in table.published(), ascending. Terms about an owner are held by who listens behind
/// the port, by its container, pod or service; an address by the address that is published and by
/// the one that it leads to.
[[nodiscard]] std::vector<std::size_t> select_published(const ReachTable& table,
                                                        const host::Filter& filter);

/// One of them, as it stands.
[[nodiscard]] bool is_meant(const host::Host& host, const PublishedPort& port,
                            const host::Filter& filter);

/// `reachable:` asks for this.
[[nodiscard]] bool is_open_to(Openness open, host::OpenTo asked);

}  // namespace hark::reach
