// The screens of `hark list`.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/host.h"
#include "host/select.h"
#include "show/list_rows.h"
#include "show/table.h"

namespace hark::show {

/// A column a person can ask for with --columns.
struct ListColumn {
  const char* word;  ///< "pid"
  const char* heading;
  const char* help;
};
/// All of them, in the order of the documentation.
[[nodiscard]] std::span<const ListColumn> list_columns();

struct ListOptions {
  /// Words of list_columns(); others are passed over. Empty: the usual ones. Columns that were
  /// asked for are never left out, only cut; in them "-" stands for none and "?" for not known.
  std::vector<std::string> columns = {};
  SortOrder order = {};
  bool unfolded = false;
  TableStyle style = {};
  const reach::ReachTable* reach = nullptr;  ///< nullptr: who reaches them was not asked
  std::vector<std::size_t> published = {};   ///< positions in ReachTable::published()
};

/// The table, a blank line, and the last lines: how many services on how many sockets in how many
/// namespaces, and what could not be seen and how to see it.
[[nodiscard]] std::string list_text(const host::Host& host,
                                    const std::vector<std::size_t>& selected,
                                    const ListOptions& options);

/// What is said when a filter selected nothing: "nothing listens that matches …", near misses.
[[nodiscard]] std::string nothing_text(const host::Host& host, std::span<const std::string> words,
                                       std::span<const host::Near> near, const TableStyle& style);

/// Near misses alone, a line or more for each, indented.
[[nodiscard]] std::string near_text(const host::Host& host, std::span<const host::Near> near,
                                    const TableStyle& style);

/// Does this column need owners to be read?
[[nodiscard]] bool column_needs_owners(const std::string& word);
/// Does it need to know who reaches a listener?
[[nodiscard]] bool column_needs_reach(const std::string& word);
/// Does it need more than the search for owners tells by the way?
[[nodiscard]] bool column_needs_details(const std::string& word);

}  // namespace hark::show
