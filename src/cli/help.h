// The help texts, made from the option table.
#pragma once

#include <string>

#include "cli/options.h"

namespace hark::cli {

/// `hark --help`: fits a screen of 80 columns and 24 lines.
[[nodiscard]] std::string general_help();

/// `hark COMMAND --help`: everything the command takes, with examples. At most 80 columns wide.
[[nodiscard]] std::string command_help(Command command);

/// "hark 0.1.0\n"
[[nodiscard]] std::string version_text();

}  // namespace hark::cli
