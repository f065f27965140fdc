// An answer is taken apart into words. A cause is named by its code, or by all words of one of the
// phrases that a scenario accepts; a word of five letters and more may have a slip in it. Who names
// a right and a wrong cause at once has named none: else naming all would do.
#include "drill/lab_grade.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "drill/lab_causes.h"

namespace hark::drill {
namespace {

constexpr std::size_t kSlipFrom = 5;

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == ':' || c == '.' ||
         c == '/' || c == '-';
}

/// Lower-case words; marks at their ends do not count, those inside (addresses, options) do.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  const auto end_word = [&] {
    while (!word.empty() && (word.back() == '.' || word.back() == ':' || word.back() == '-')) {
      word.pop_back();
    }
    if (!word.empty()) out.push_back(word);
    word.clear();
  };
  for (const char c : lower(text)) {
    if (is_word_byte(c)) {
      word += c;
    } else {
      end_word();
    }
  }
  end_word();
  return out;
}

bool same_word(const std::string& said, const std::string& meant) {
  if (said == meant) return true;
  // "fd" is in "ls /proc/17/fd".
  const auto parts = split(said, '/');
  if (said.starts_with('/') && std::ranges::find(parts, meant) != parts.end()) return true;
  const bool letters = std::ranges::all_of(meant, [](char c) { return c >= 'a' && c <= 'z'; });
  return letters && meant.size() >= kSlipFrom && said.size() >= kSlipFrom &&
         edit_distance(said, meant) <= 1;
}

bool has_all(const std::vector<std::string>& said, std::string_view phrase) {
  return std::ranges::all_of(words_of(phrase), [&](const std::string& meant) {
    return std::ranges::any_of(said, [&](const std::string& one) { return same_word(one, meant); });
  });
}

bool has_any(const std::vector<std::string>& said, const std::vector<std::string>& phrases) {
  return std::ranges::any_of(phrases, [&](const std::string& one) { return has_all(said, one); });
}

struct Parts {
  std::string cause;
  std::string evidence;
};

/// At the first "because" or its like.
Parts take_apart(std::string_view answer) {
  constexpr std::array<std::string_view, 5> kTurns = {"because", "since", "as shown by", "shown by",
                                                      "evidence"};
  const std::string low = lower(answer);
  std::size_t at = std::string::npos;
  std::size_t length = 0;
  for (const std::string_view turn : kTurns) {
    const std::size_t found = low.find(turn);
    if (found >= at) continue;
    at = found;
    length = turn.size();
  }
  if (at == std::string::npos) return {std::string(answer), {}};
  return {std::string(answer.substr(0, at)), std::string(answer.substr(at + length))};
}

/// A number chooses; else the text as it is.
std::string choice_of(const LabScenario& scenario, const std::string& text) {
  const std::vector<std::string> words = words_of(text);
  if (words.size() != 1) return text;
  const auto number = parse_number<std::size_t>(words.front());
  const std::vector<std::string> choices = lab_choices(scenario);
  if (!number || *number == 0 || *number > choices.size()) return text;
  return choices[*number - 1];
}

bool is_right(const LabScenario& scenario, const std::string& code) {
  return std::ranges::find(scenario.cause.codes, code) != scenario.cause.codes.end();
}

/// Codes that are said, as one word or in words: "input-drop", "input drop".
std::vector<const LabCauseWords*> codes_in(const std::vector<std::string>& said) {
  std::vector<const LabCauseWords*> out;
  std::string all = " ";
  for (const std::string& word : said) all += word + " ";
  for (const LabCauseWords& one : lab_causes()) {
    std::string spaced = " " + std::string(one.code) + " ";
    std::ranges::replace(spaced, '-', ' ');
    const bool as_word = std::ranges::find(said, one.code) != said.end();
    // "stopped" is a code, and a word of many answers.
    if (one.code.find('-') == std::string_view::npos && said.size() > 1) continue;
    if (as_word || all.find(spaced) != std::string::npos) out.push_back(&one);
  }
  return out;
}

/// The words of a phrase that mean something.
std::vector<std::string> weighty(std::string_view phrase) {
  constexpr std::array<std::string_view, 14> kSmall = {
      "a", "an", "the", "it", "is", "of", "to", "in", "on", "that", "and", "has", "this", "by"};
  std::vector<std::string> out = words_of(phrase);
  std::erase_if(out, [&](const std::string& word) {
    return std::ranges::find(kSmall, word) != kSmall.end();
  });
  return out;
}

/// The cause of the whole table whose phrase shares most words with what was said, at least two.
const LabCauseWords* likeliest(const std::vector<std::string>& said) {
  const LabCauseWords* best = nullptr;
  std::ptrdiff_t most = 1;
  for (const LabCauseWords& one : lab_causes()) {
    const auto count = std::ranges::count_if(weighty(one.phrase), [&](const std::string& word) {
      return std::ranges::any_of(said, [&](const auto& w) { return same_word(w, word); });
    });
    if (count > most) {
      most = count;
      best = &one;
    }
  }
  return best;
}

/// The cause that was said in the very words in which it is offered.
const LabCauseWords* offered(const std::vector<std::string>& said) {
  const auto found = std::ranges::find_if(
      lab_causes(), [&](const LabCauseWords& one) { return words_of(one.phrase) == said; });
  return found == lab_causes().end() ? nullptr : &*found;
}

std::string wrong_because(const LabScenario& scenario, const LabCauseWords& said) {
  std::string sign(said.sign);
  return "Not that: " + std::string(said.phrase) + ". If it were so, " + sign +
         ". Here: " + scenario.seen;
}

void judge_cause(const LabScenario& scenario, const std::string& text, LabVerdict& into) {
  const std::vector<std::string> said = words_of(text);
  auto codes = codes_in(said);
  if (const LabCauseWords* one = offered(said)) codes = {one};
  const LabCauseWords* wrong = nullptr;
  bool right = false;
  for (const LabCauseWords* one : codes) {
    if (is_right(scenario, std::string(one->code))) {
      right = true;
    } else if (wrong == nullptr) {
      wrong = one;
    }
  }
  // A code says it outright; words count where there is none.
  if (codes.empty()) {
    right = has_any(said, scenario.cause.words);
    if (!right) wrong = likeliest(said);
  }
  into.understood = right || wrong != nullptr;
  if (right && wrong != nullptr) {
    into.why = "One cause at a time: " + scenario.cause.codes.front() + " and " +
               std::string(wrong->code) + " are two.";
    if (scenario.cause.codes.front() > wrong->code) {
      into.why = "One cause at a time: " + std::string(wrong->code) + " and " +
                 scenario.cause.codes.front() + " are two.";
    }
    return;
  }
  into.cause = right;
  if (right) {
    into.why = "Right: " + scenario.cause.text;
  } else if (wrong != nullptr) {
    into.why = wrong_because(scenario, *wrong);
  } else {
    into.why =
        "That names no cause that is known here. Say it with a code of hark, or in other words; "
        "hark lab answer alone shows some to choose from.";
  }
}

struct Tool {
  std::string_view name;
  std::string_view shows;
};
constexpr std::array kTools = {
    Tool{"ss", "sockets, and who holds them"},
    Tool{"netstat", "sockets, and who holds them"},
    Tool{"nft", "rules"},
    Tool{"iptables", "rules"},
    Tool{"route", "where packets are sent"},
    Tool{"rule", "which routing table is asked"},
    Tool{"addr", "which addresses there are"},
    Tool{"link", "interfaces, and whether they are up"},
    Tool{"neigh", "whose hardware address is known"},
    Tool{"sysctl", "settings of the kernel"},
    Tool{"ps", "processes, and their states"},
    Tool{"ping", "whether a host answers, and nothing of its ports"},
    Tool{"curl", "that it fails, and how, not why"},
    Tool{"nc", "that it fails, and how, not why"},
    Tool{"telnet", "that it fails, and how, not why"},
};

void judge_evidence(const LabScenario& scenario, const std::string& text, LabVerdict& into) {
  const std::vector<std::string> said = words_of(text);
  if (said.empty()) return;
  into.evidence = has_any(said, scenario.evidence) || has_all(said, scenario.show);
  if (into.evidence) {
    into.because = "And that shows it. In short: " + scenario.show;
    return;
  }
  for (const Tool& tool : kTools) {
    if (std::ranges::find(said, tool.name) == said.end()) continue;
    into.because = "But " + std::string(tool.name) + " shows " + std::string(tool.shows) +
                   ": that does not decide it here.";
    return;
  }
  into.because = "But that does not show it: name the command, or the fact that it prints.";
}

}  // namespace

std::vector<std::string> lab_choices(const LabScenario& scenario) {
  std::vector<std::string> out = scenario.cause.wrong;
  out.push_back(scenario.cause.codes.front());
  std::ranges::sort(out);
  return out;
}

LabVerdict grade_lab_answer(const LabScenario& scenario, std::string_view answer,
                            bool cause_known) {
  const Parts parts = take_apart(answer);
  LabVerdict out;
  const bool evidence_alone = words_of(parts.cause).empty();
  if (!evidence_alone) judge_cause(scenario, choice_of(scenario, parts.cause), out);
  // Said after the cause was: what shows it, without "because".
  if (cause_known && !out.cause && parts.evidence.empty()) {
    LabVerdict late;
    judge_evidence(scenario, parts.cause, late);
    if (late.evidence || !out.understood) return late;
  }
  judge_evidence(scenario, parts.evidence, out);
  if (out.cause && out.because.empty() && !cause_known) {
    out.because =
        "Half of it. What shows it? Say the command, or the fact that it prints: "
        "hark lab answer because ...";
  }
  return out;
}

}  // namespace hark::drill
