// The causes that scenarios of `hark lab` are about: how they are offered to choose from, and what
// would be seen if they were it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace hark::drill {

struct LabCauseWords {
  std::string_view code;
  std::string_view phrase;  ///< "a firewall drops what comes in"
  /// What one would see: "clients would wait and get no answer". Says why an answer is wrong.
  std::string_view sign;
};

[[nodiscard]] std::span<const LabCauseWords> lab_causes();
/// Nullptr: not in the table.
[[nodiscard]] const LabCauseWords* lab_cause(std::string_view code);
[[nodiscard]] std::vector<std::string_view> lab_cause_codes();

}  // namespace hark::drill
