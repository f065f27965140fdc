// What standard output is, and how a table should therefore look.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/invocation.h"
#include "show/table.h"

namespace hark::cli {

struct Surroundings {
  bool terminal = false;             ///< standard output is one
  std::optional<std::size_t> width;  ///< as the terminal itself says
  /// A variable of the environment; unset and empty are the same, as NO_COLOR wants it.
  std::function<std::string(const char*)> variable;
};
[[nodiscard]] Surroundings look_around();

/// Width: --width, --wide, else the terminal's, COLUMNS or 80; a pipe or file has no width.
/// Colour: --color, else NO_COLOR, CLICOLOR_FORCE, else on a terminal that is not dumb.
/// ASCII: --ascii, or a locale (LC_ALL, LC_CTYPE, LANG, the first that is set) without UTF-8.
[[nodiscard]] show::TableStyle choose_style(const Invocation& asked, const Surroundings& around);

}  // namespace hark::cli
