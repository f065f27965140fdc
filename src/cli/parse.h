// The command line, taken apart by the option table. What it means is interpret()'s business.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/options.h"

namespace hark::cli {

struct GivenOption {
  OptionId id = OptionId::Recording;
  std::string value;  ///< empty for an option that takes none
};

struct Arguments {
  std::vector<GivenOption> options;  ///< in the order of the table; each once, its last value
  std::vector<std::string> words;    ///< everything that is no option, in order
  std::size_t unmarked = 0;          ///< how many of the words stood before "--"
};

/// Takes apart what follows the program's name. The error names the option: one that does not
/// exist (with the nearest that does), one whose value is missing, a value where none belongs.
[[nodiscard]] Result<Arguments> parse_arguments(std::span<const std::string> arguments);

}  // namespace hark::cli
