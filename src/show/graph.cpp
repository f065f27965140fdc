#include "show/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "reach/client_view.h"
#include "show/escape.h"
#include "show/reach_words.h"
#include "show/why_words.h"

namespace hark::show {
namespace {

using reach::Outcome;
using reach::PictureChain;
using reach::PictureStage;

constexpr std::size_t kStageColumns = 10;  // "prerouting"
constexpr std::size_t kMostPrefixes = 3;
constexpr const char* kDecides = "decides";

/// Of clients who fare alike the witness is but one.
std::string verdict_of_all(const WhyReport& report, const reach::Answer& answer) {
  const std::string why = answer.outcome == Outcome::Answered && answer.delivers_to
                              ? holder_words(report.host, *answer.delivers_to)
                              : reason_words(report.facts(), answer);
  return fmt::format("{}: {}", short_words(answer.outcome), why);
}

GraphLane lane_of(const WhyReport& report, const reach::Answer& answer, const std::string& who) {
  return {.title = who + " to " +
                   fmt::format("{} {}", name_of(answer.question.protocol),
                               endpoint_words(answer.question.destination, answer.question.port)),
          .outcome = answer.outcome,
          .verdict = verdict_words(report.facts(), answer),
          .stages = reach::picture_of(report.network, answer)};
}

Colour colour_of(Outcome outcome) {
  if (outcome == Outcome::Answered) return Colour::Green;
  return outcome == Outcome::Depends || outcome == Outcome::Unknown ? Colour::Yellow : Colour::Red;
}

/// The lines of one lane, drawn downwards.
class Drawing {
 public:
  explicit Drawing(const TableStyle& style) : style_(style) {}

  std::string draw(const GraphLane& lane) {
    line(lane.title, Colour::Bold);
    line(std::string("  ") + bar(), Colour::None);
    for (std::size_t i = 0; i < lane.stages.size(); ++i) {
      const PictureStage& stage = lane.stages[i];
      draw(stage, colour_of(lane.outcome));
      if (i + 1 < lane.stages.size()) line(std::string("  ") + bar(), Colour::None);
    }
    line(std::string("  ") + (style_.ascii ? "v" : "\u25bc"), Colour::None);
    for (const std::string& piece : wrapped(escaped(lane.verdict), style_.width)) {
      out_ += coloured(piece, colour_of(lane.outcome), style_.colour) + '\n';
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string escaped(std::string_view text) const {
    return for_terminal(text, style_.ascii);
  }
  [[nodiscard]] const char* bar() const { return style_.ascii ? "|" : "\u2502"; }

  void line(const std::string& text, Colour colour) {
    out_ += coloured(text, colour, style_.colour) + '\n';
  }

  void draw(const PictureStage& stage, Colour end) {
    const char* const knot =
        stage.decided ? (style_.ascii ? "#" : "\u25c6") : (style_.ascii ? "o" : "\u25cb");
    std::string name(name_of(stage.stage));
    name.resize(kStageColumns, ' ');
    bool first = true;
    for (const reach::Step& step : stage.steps) {
      const std::string before =
          first ? fmt::format("  {} {}  ", knot, name)
                : fmt::format("  {} {}  ", bar(), std::string(kStageColumns, ' '));
      std::string text = step.rule.empty() ? step.detail : step.detail + ": " + step.rule;
      if (first && stage.decided) text += std::string(" <- ") + kDecides;
      wrap(before, escaped(text), first && stage.decided ? end : Colour::None);
      first = false;
    }
    for (const PictureChain& chain : stage.chains) {
      const char* const branch = style_.ascii ? "+-" : "\u251c\u2500";
      std::string text = fmt::format("{} (priority {}{})", escaped(chain.name), chain.priority,
                                     chain.sure ? "" : ", order not known");
      if (chain.decided) {
        text += std::string(" <- ") + kDecides;
      } else if (chain.acted) {
        text += " <- here";
      }
      wrap(fmt::format("  {} ", branch), text, chain.decided ? end : Colour::Dim);
    }
  }

  void wrap(const std::string& before, const std::string& text, Colour colour) {
    const std::size_t indent = display_width(before);
    std::optional<std::size_t> width;
    if (style_.width) width = *style_.width - std::min(*style_.width, indent);
    const std::string behind =
        fmt::format("  {}{}", bar(), std::string(indent > 3 ? indent - 3 : 0, ' '));
    bool first = true;
    for (const std::string& piece : wrapped(text, width)) {
      out_ += (first ? before : behind) + coloured(piece, colour, style_.colour) + '\n';
      first = false;
    }
  }

  const TableStyle& style_;
  std::string out_;
};

}  // namespace

std::vector<GraphLane> graph_lanes(const WhyReport& report) {
  std::vector<GraphLane> out;
  for (const reach::Answer& answer : report.answers) {
    const host::Link* link = report.network.link(answer.question.interface);
    const std::string via = link == nullptr ? "" : " via " + link->name;
    out.push_back(lane_of(report, answer, answer.question.source.text() + via));
  }
  const reach::ClientSources sources(report.network);
  const reach::ClientView clients = reach::view_of(sources, reach::list_of(report.classes));
  Chosen chosen;
  for (const reach::ClientKind& group : reach::client_kinds(clients)) {
    chosen.parts = group.parts;
    const auto who = clients_words(report.network, clients, chosen, kMostPrefixes);
    out.push_back(lane_of(report, group.example->answer, join(who, ", ")));
    out.back().verdict = verdict_of_all(report, group.example->answer);
    chosen.told.insert(chosen.told.end(), group.parts.begin(), group.parts.end());
  }
  return out;
}

std::string graph_text(const std::vector<GraphLane>& lanes, const TableStyle& style) {
  std::string out;
  for (const GraphLane& lane : lanes) {
    if (!out.empty()) out += '\n';
    GraphLane shown = lane;
    shown.title = for_terminal(lane.title, style.ascii);
    out += Drawing(style).draw(shown);
  }
  return out;
}

}  // namespace hark::show
