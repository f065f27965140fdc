// Options of a command line, as getopt_long(3) or Go's flag package part them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hark::host {

struct OptionRules {
  std::string_view short_with_value;                     ///< letters
  std::span<const std::string_view> long_with_value;     ///< without dashes
  std::span<const std::string_view> long_without_value;  ///< where unknown ones take a value
  bool unknown_takes_value = false;
  bool one_dash_is_long = false;  ///< Go
  bool stops_at_word = false;     ///< what follows the first other word is another command's
};

struct Option {
  std::string name;  ///< without dashes
  std::string value;
};

struct ParsedWords {
  std::vector<Option> options;
  std::vector<std::string> others;

  /// The last value given by one of these names; nullptr: none.
  [[nodiscard]] const std::string* find(std::string_view one, std::string_view other = {}) const;
};

/// The first word is the program's.
[[nodiscard]] ParsedWords parse_words(const std::vector<std::string>& words,
                                      const OptionRules& rules);

}  // namespace hark::host
