// The lines under the table of `hark list`.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "host/host.h"
#include "reach/reach_table.h"
#include "show/list_rows.h"
#include "show/table.h"

namespace hark::show {

/// "8 services on 11 sockets in 3 namespaces." and what could not be seen, with the remedy, the
/// weightiest gap first; with `reach`, where a row is open to others, what no host can know of
/// that. Four lines at most, unless the width is so small that less says nothing.
[[nodiscard]] std::string footer_text(const host::Host& host, std::span<const ListRow> rows,
                                      bool unfolded, const TableStyle& style,
                                      const reach::ReachTable* reach = nullptr);

}  // namespace hark::show
