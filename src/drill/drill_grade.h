// What a person typed, against the choices of a question.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "drill/drill_question.h"

namespace hark::drill {

enum class Typed : std::uint8_t {
  Answer,   ///< Reply::choice
  Skip,     ///< does not know
  Quit,     ///< ends here, to go on later
  Unclear,  ///< none of the answers, or several
};
struct Reply {
  Typed typed = Typed::Unclear;
  std::size_t choice = 0;
};

/// A letter, a number, the words of a choice, or as many of them as no other choice has. The words
/// of a choice come before commands of the same words.
[[nodiscard]] Reply reply_of(const Question& question, std::string_view typed);

}  // namespace hark::drill
