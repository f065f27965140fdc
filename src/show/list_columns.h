// How each column of `hark list` is made. A new column is a row of the table in list_columns.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "host/host.h"
#include "show/list_facts.h"
#include "show/list_rows.h"
#include "show/list_view.h"
#include "show/table.h"

namespace hark::show {

/// A row, and what several of its cells need.
struct RowView {
  const host::Host& host;
  const ListRow& row;
  Holders holders;
  bool whole;  ///< lists are not shortened
  bool ascii;  ///< nothing but ASCII but in names
  const reach::ReachTable* reach = nullptr;
};

/// What stands in a cell, not escaped yet.
struct CellValue {
  std::string text;   ///< empty: there is none
  bool known = true;  ///< false: there may be one
  Colour colour = Colour::None;
};

struct ColumnSpec {
  ListColumn column;
  unsigned importance;  ///< in the usual table
  bool may_cut;
  bool right;
  bool needs_owners;
  CellValue (*make)(const RowView& view);
  bool needs_details = false;  ///< more than the search for owners tells
  bool needs_reach = false;
};

[[nodiscard]] std::span<const ColumnSpec> column_specs();

/// The cell of a row with a published port: its own, or that of who stands behind it.
[[nodiscard]] CellValue published_cell(const ColumnSpec& column, const RowView& view);

/// nullptr: no such column.
[[nodiscard]] const ColumnSpec* column_spec(std::string_view word);

}  // namespace hark::show
