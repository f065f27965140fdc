#include "show/drill_view.h"

#include <fmt/format.h>

#include "show/escape.h"

namespace hark::show {
namespace {

using drill::Choice;
using drill::Question;

constexpr unsigned kWhole = 100;

std::string letter(std::size_t position) {
  return {static_cast<char>('a' + static_cast<char>(position))};
}

std::string choice_lines(const Question& question) {
  std::string out;
  for (std::size_t i = 0; i < question.choices.size(); ++i) {
    out += fmt::format("  {}) {}\n", letter(i), question.choices[i].text);
  }
  return out;
}

/// Why it is so, and the command.
std::string truth_lines(const Question& question) {
  std::string out;
  if (!question.explanation.empty()) out += fmt::format("  Why: {}.\n", question.explanation);
  if (!question.verify.empty()) out += fmt::format("  See: {}\n", question.verify);
  return out;
}

}  // namespace

Question for_reading(Question question, bool ascii) {
  const auto escape = [ascii](std::string& text) { text = for_terminal(text, ascii); };
  escape(question.text);
  escape(question.explanation);
  escape(question.verify);
  for (Choice& one : question.choices) {
    escape(one.text);
    escape(one.why);
    for (std::string& word : one.also) escape(word);
  }
  return question;
}

std::string drill_question_text(const Question& question, const DrillPlace& place) {
  constexpr std::int64_t kSecond = 1000;
  constexpr std::int64_t kMinute = 60;
  const std::int64_t seconds = place.left_ms / kSecond;
  return fmt::format("Question {} of {}, {}:{:02} left.\n{}\n{}", place.number, place.of,
                     seconds / kMinute, seconds % kMinute, question.text, choice_lines(question));
}

std::string drill_prompt(const Question& question) {
  return fmt::format("Answer (a to {}, or its words; skip; quit): ",
                     letter(question.choices.size() - 1));
}

std::string drill_verdict_text(const Question& question, std::size_t chosen) {
  const Choice& right = question.choices[question.answer];
  std::string out;
  if (chosen == question.answer) {
    out = "Right.\n";
  } else if (chosen >= question.choices.size()) {
    out = fmt::format("The answer is {}) {}.\n", letter(question.answer), right.text);
  } else {
    const Choice& wrong = question.choices[chosen];
    out = wrong.credit > 0 ? fmt::format("Partly right, {} of {} points", wrong.credit, kWhole)
                           : std::string("Wrong");
    if (!wrong.why.empty()) out += ": " + wrong.why;
    out += fmt::format(".\nThe answer is {}) {}.\n", letter(question.answer), right.text);
  }
  return out + truth_lines(question) + "\n";
}

std::string drill_score_text(const drill::Score& score, std::size_t of, std::uint32_t streak) {
  std::string out = fmt::format(
      "{} of {} right, {} of {} points: {}.\n", score.right, of, score.points, kWhole,
      score.passed ? "passed" : fmt::format("not passed, that takes {}", drill::kPassing));
  if (streak > 0) {
    out += fmt::format("Passed on {} {} in a row.\n", streak, streak == 1 ? "day" : "days");
  }
  return out;
}

std::string drill_list_text(std::span<const Question> questions) {
  std::string out;
  for (const Question& one : questions) {
    if (!out.empty()) out += '\n';
    out += one.text + "\n" + choice_lines(one);
    out += fmt::format("  Answer: {}) {}\n", letter(one.answer), one.choices[one.answer].text);
    out += truth_lines(one);
  }
  return out;
}

}  // namespace hark::show
