// Names of processes, files and units are hostile text. Each medium escapes for itself.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hark::show {

/// For a terminal or a plain-text pipe, on one line: control characters, escape sequences, invalid
/// UTF-8, line and paragraph separators, bidirectional controls, zero-width and other invisible
/// characters, blanks other than the plain one, and combining marks with no letter to sit on (or
/// more of them than any script needs) become \n, \t, \e, \xNN (a byte) or \u{NNNN} (a code
/// point); a backslash becomes \\ only where an escape was written. With `ascii` everything
/// outside printable ASCII is escaped.
[[nodiscard]] std::string for_terminal(std::string_view text, bool ascii = false);

/// For JSON strings: valid UTF-8 as it is; each byte that is not becomes the four characters \xNN,
/// and then a backslash of the text becomes two, so that nothing is lost.
[[nodiscard]] std::string for_json(std::string_view text);

/// Serialised JSON, with every code point that for_terminal would not show written as \uNNNN: the
/// same JSON, and harmless in a terminal. Line ends and blanks between values stay.
[[nodiscard]] std::string json_for_terminal(std::string_view json);

/// Columns that escaped text takes in a terminal: wide characters count two, combining ones none.
[[nodiscard]] std::size_t display_width(std::string_view escaped);

/// `text` cut to at most `width` columns, with a last column `…` (or "~" when ascii) if it was cut.
[[nodiscard]] std::string cut_to_width(std::string_view escaped, std::size_t width, bool ascii);

}  // namespace hark::show
