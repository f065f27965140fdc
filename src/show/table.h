// A table for eyes: columns of known importance, fitted to a width.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hark::show {

enum class Colour : std::uint8_t { None, Dim, Red, Yellow, Green, Bold };

struct Cell {
  std::string text;  ///< escaped already
  Colour colour = Colour::None;
};

struct Column {
  std::string heading;
  unsigned importance = 0;  ///< the least important goes first when width is short
  bool may_cut = false;     ///< true: text may lose its end; addresses and ports never do
  bool right = false;       ///< numbers
};

struct TableStyle {
  std::optional<std::size_t> width;  ///< empty: as wide as it takes
  bool colour = false;
  bool ascii = false;
  bool heading = true;
};

/// Lines, each ended by a newline, without trailing blanks. Columns that are empty in every row are
/// left out. Where even the columns that may not go do not fit, lines are longer than the width.
[[nodiscard]] std::string format_table(std::span<const Column> columns,
                                       std::span<const std::vector<Cell>> rows,
                                       const TableStyle& style);

/// `text` in colour, or as it is.
[[nodiscard]] std::string coloured(std::string_view text, Colour colour, bool on);

}  // namespace hark::show
