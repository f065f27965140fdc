// One line of a scene: words, flags and options.
//
//   socket shop tcp 0.0.0.0:8080 backlog=5 reuseport      # a comment
//   process odd name="two\nlines (and) \x1b[31m"
//
// Words are parted by blanks; double quotes keep blanks, and inside them \n \t \e \\ \" and \xHH
// stand for one byte. `key=value` is an option. `$ID` becomes the id of the running scene, so that
// scenes beside each other do not meet; `$HEX` the same with zeros before it, 64 digits long.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace hark::scene {

struct Line {
  std::vector<std::string> all;    ///< every word, in order
  std::vector<std::string> words;  ///< those that are no options
  std::vector<std::pair<std::string, std::string>> options;

  [[nodiscard]] bool empty() const { return all.empty(); }
  /// The n-th word, or nothing.
  [[nodiscard]] std::string word(std::size_t n) const;
  /// An option of that name, or a word from the second on.
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] std::string value(std::string_view name, std::string_view otherwise = {}) const;
  [[nodiscard]] std::vector<std::string> values(std::string_view name) const;
};

[[nodiscard]] Result<Line> parse_line(std::string_view text, std::string_view id);

/// `text` as one word of a line, whatever bytes it holds.
[[nodiscard]] std::string quote_word(std::string_view text);

}  // namespace hark::scene
