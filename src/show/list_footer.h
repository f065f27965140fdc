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

/// How the lines of gaps begin, and the command that shows those for which there is no room.
struct GapWords {
  std::string_view before = "Not seen";
  std::string_view command = "hark list --json";
};
/// The gaps that fit into so many lines, the weightiest first, at least one; the others are
/// counted.
[[nodiscard]] std::vector<std::string> gap_lines(const std::vector<host::Gap>& gaps,
                                                 std::size_t room, const TableStyle& style,
                                                 const GapWords& words = {});

}  // namespace hark::show
