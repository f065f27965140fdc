// Sentences of `hark diff`. Texts are not escaped: names in them are hostile text.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "show/diff.h"

namespace hark::show {

/// Listeners, or ports that are published, of one side.
struct Shown {
  const diagnose::Snapshot& side;
  bool published = false;
  std::vector<std::size_t> positions;
};

/// "tcp 80,443 in web"
[[nodiscard]] std::string subject_words(const Shown& shown);
/// "nginx (901 +4)  nginx.service"; of a published port where it leads as well
[[nodiscard]] std::string owner_words(const Shown& shown, bool ascii);
/// "every address", "127.0.0.1, ::1"
[[nodiscard]] std::string binding_words(const Shown& shown);
/// "reachable from anywhere", "this host only", "reachable by nobody: dropped by …"; or empty
[[nodiscard]] std::string openness_words(const Shown& shown);

/// What is told of something that is there on both sides: what it was, and what it is now.
/// `fields` of all that is shown.
[[nodiscard]] std::string change_words(const Shown& before, const Shown& after,
                                       const std::vector<diagnose::ChangedField>& fields,
                                       bool ascii);
/// "reachable from anywhere, as before", or "was this host only, is now …"
[[nodiscard]] std::string openness_change(const Shown& before, const Shown& after);

}  // namespace hark::show
