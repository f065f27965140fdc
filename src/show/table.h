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

/// A column at least this important is never left out.
constexpr unsigned kMustStay = 100;
/// A column that may be cut is cut to this before a more important one is touched …
constexpr std::size_t kComfortable = 24;
/// … and to this before it is left out itself.
constexpr std::size_t kLeastColumns = 6;

struct Column {
  std::string heading = {};
  unsigned importance = 0;  ///< the least important goes first when width is short
  bool may_cut = false;     ///< true: text may lose its end; addresses and ports never do
  bool right = false;       ///< numbers
};

struct TableStyle {
  std::optional<std::size_t> width = std::nullopt;  ///< empty: as wide as it takes
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

/// `text` as lines of at most `width` columns, broken at blanks; a word that is longer has a line
/// of its own. No width: one line.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view text,
                                               std::optional<std::size_t> width);

}  // namespace hark::show
