#include "drill/drill_grade.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace hark::drill {
namespace {

/// Lower case, one blank between words, no quotes and no full stop.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : lower(text)) {
    const bool blank = c == ' ' || c == '\t' || c == '\r';
    if (c == '"' || c == '\'') continue;
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '.')) out.pop_back();
  return out;
}

constexpr std::array<std::string_view, 4> kQuit = {"q", "quit", "exit", "bye"};
constexpr std::array<std::string_view, 4> kSkip = {"?", "skip", "pass", "dont know"};

bool is_word_of(const Choice& choice, const std::string& typed) {
  if (plain(choice.text) == typed) return true;
  return std::ranges::any_of(choice.also,
                             [&](const std::string& one) { return plain(one) == typed; });
}

/// "b", "b)", "2"
std::optional<std::size_t> position_of(std::string typed, std::size_t count) {
  if (typed.ends_with(')')) typed.pop_back();
  if (typed.size() == 1 && typed[0] >= 'a' && typed[0] <= 'z') {
    const auto at = static_cast<std::size_t>(typed[0] - 'a');
    if (at < count) return at;
  }
  const auto number = parse_number<std::size_t>(typed);
  if (number && *number >= 1 && *number <= count) return *number - 1;
  return std::nullopt;
}

}  // namespace

Reply reply_of(const Question& question, std::string_view text) {
  const std::string typed = plain(text);
  const auto& choices = question.choices;
  if (typed.empty()) return {};
  if (const auto at = position_of(typed, choices.size())) return {Typed::Answer, *at};
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (is_word_of(choices[i], typed)) return {Typed::Answer, i};
  }
  if (std::ranges::find(kQuit, typed) != kQuit.end()) return {Typed::Quit};
  if (std::ranges::find(kSkip, typed) != kSkip.end()) return {Typed::Skip};
  std::vector<std::size_t> with;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (plain(choices[i].text).find(typed) != std::string::npos) with.push_back(i);
  }
  // One letter of a word is no answer.
  constexpr std::size_t kShortest = 3;
  if (with.size() == 1 && typed.size() >= kShortest) return {Typed::Answer, with.front()};
  return {};
}

}  // namespace hark::drill
