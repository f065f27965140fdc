// A drill in plain lines: for terminals, screen readers and pipes alike. Every text of a question
// is hostile, and escaped by for_reading().
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "drill/drill_history.h"
#include "drill/drill_question.h"

namespace hark::show {

/// The same question with each text escaped, so that what is typed is compared with what was read.
[[nodiscard]] drill::Question for_reading(drill::Question question, bool ascii);

/// Where a question stands in its drill.
struct DrillPlace {
  std::size_t number = 1, of = 1;
  std::int64_t left_ms = 0;
};
/// The question and its choices, by letters, and what is to be typed. Of for_reading().
[[nodiscard]] std::string drill_question_text(const drill::Question& question,
                                              const DrillPlace& place);
/// The last line of it.
[[nodiscard]] std::string drill_prompt(const drill::Question& question);

/// What an answer is worth, the truth and how it could have been found. `chosen` may be behind the
/// last choice: none.
[[nodiscard]] std::string drill_verdict_text(const drill::Question& question, std::size_t chosen);

[[nodiscard]] std::string drill_score_text(const drill::Score& score, std::size_t of,
                                           std::uint32_t streak);

/// Questions with their answers.
[[nodiscard]] std::string drill_list_text(std::span<const drill::Question> questions);

}  // namespace hark::show
