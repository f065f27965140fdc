#include "show/lab_view.h"

#include <algorithm>

#include "base/text.h"
#include "show/escape.h"

namespace hark::show {
namespace {

using drill::LabProgress;
using drill::LabScenario;
using drill::LabScore;

constexpr std::size_t kNameColumns = 24;
constexpr std::size_t kReadable = 78;

std::string padded(std::string text, std::size_t columns) {
  if (text.size() < columns) text.resize(columns, ' ');
  return text;
}

std::string stars(unsigned difficulty) {
  return padded(std::string(difficulty, '*'), 6);
}

const LabScore* score_of(const LabProgress& progress, const std::string& name) {
  const auto found = progress.find(name);
  return found == progress.end() ? nullptr : &found->second;
}

std::string mark_of(const LabScore* score, bool next) {
  if (score != nullptr && score->solved()) return score->mended ? "done    " : "solved  ";
  if (next) return "next    ";
  if (score != nullptr && score->mended) return "mended  ";
  if (score != nullptr && score->cause) return "half    ";
  return "        ";
}

Colour colour_of(const LabScore* score, bool next) {
  if (score != nullptr && score->solved()) return Colour::Dim;
  return next ? Colour::Bold : Colour::None;
}

}  // namespace

std::string_view next_lab(std::span<const LabScenario> scenarios, const LabProgress& progress) {
  const auto open = std::ranges::find_if(scenarios, [&](const LabScenario& one) {
    const LabScore* score = score_of(progress, one.name);
    return score == nullptr || !score->solved();
  });
  return open == scenarios.end() ? std::string_view() : std::string_view(open->name);
}

std::string lab_path_text(std::span<const LabScenario> scenarios, const LabProgress& progress,
                          const TableStyle& style) {
  const std::string_view next = next_lab(scenarios, progress);
  std::string out;
  std::string_view topic;
  std::size_t solved = 0;
  for (const LabScenario& one : scenarios) {
    if (one.topic != topic) {
      topic = one.topic;
      out += (out.empty() ? "" : "\n") + coloured(topic, Colour::Bold, style.colour) + "\n";
    }
    const LabScore* score = score_of(progress, one.name);
    if (score != nullptr && score->solved()) ++solved;
    const bool is_next = one.name == next;
    const std::string line = mark_of(score, is_next) + padded(one.name, kNameColumns) +
                             stars(one.difficulty) + for_terminal(one.title, style.ascii);
    out += "  " + coloured(line, colour_of(score, is_next), style.colour) + "\n";
  }
  out += "\n" + std::to_string(solved) + " of " + std::to_string(scenarios.size()) + " solved. ";
  out += next.empty() ? "Any of them can be done again.\n"
                      : "Next: hark lab " + std::string(next) + "\n";
  return out;
}

std::string lab_list_text(std::span<const LabScenario> scenarios, const TableStyle& style) {
  std::string out;
  for (const LabScenario& one : scenarios) {
    out += padded(one.name, kNameColumns) + padded(one.topic, 22) + stars(one.difficulty) +
           for_terminal(one.title, style.ascii) + "\n";
  }
  return out;
}

std::string lab_paragraphs(std::string_view text, const TableStyle& style) {
  const std::size_t width = std::min(style.width.value_or(kReadable), kReadable);
  std::string out;
  while (!text.empty()) {
    const std::string_view line = next_piece(text, '\n');
    if (line.empty() || line.starts_with(' ')) {
      out += for_terminal(line, style.ascii) + "\n";
      continue;
    }
    for (const std::string& piece : wrapped(for_terminal(line, style.ascii), width)) {
      out += piece + "\n";
    }
  }
  return out;
}

std::string lab_opening_text(const LabScenario& scenario, const TableStyle& style) {
  std::string who;
  std::string others;
  for (const std::string& place : scenario.places) {
    who = who.empty() ? (place == "router" ? "remote" : place) : who;
    others += ", " + (place == "router" ? "router, remote" : place);
  }
  std::string inside =
      "You are root on the host, in a sandbox: nothing leaves it, and nothing of "
      "it stays. Places in it: host" +
      others + ".";
  if (!who.empty()) inside += " To be elsewhere: ip netns exec " + who + " COMMAND.";
  std::string story = scenario.story;
  while (story.ends_with('\n')) story.pop_back();
  return coloured(scenario.title, Colour::Bold, style.colour) + "\n\n" +
         lab_paragraphs(story, style) + "\n" + lab_paragraphs(inside, style) +
         "  hark lab story | hint | answer CAUSE because EVIDENCE | check | give-up | quit\n\n";
}

std::string lab_ending_text(const LabScenario& scenario, const LabScore& score,
                            std::string_view next) {
  std::string out = scenario.name + ": ";
  if (score.gave_up) {
    out += "given up. It was " + scenario.cause.codes.front() + ".";
  } else if (score.solved()) {
    out += score.mended ? "solved and mended." : "solved, not mended.";
  } else if (score.cause) {
    out += "half solved: the cause was named, what shows it was not.";
  } else {
    out += score.mended ? "mended, and the cause not named." : "not solved.";
  }
  if (score.hints > 0 || score.wrong > 0) {
    out += " Hints: " + std::to_string(score.hints) +
           ". Wrong answers: " + std::to_string(score.wrong) + ".";
  }
  if (!next.empty() && next != scenario.name) out += " Next: hark lab " + std::string(next);
  return out + "\n";
}

}  // namespace hark::show
