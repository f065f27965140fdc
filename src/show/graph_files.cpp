// SVG 1.1 and the DOT language of Graphviz. Texts go through for_terminal first, so that control
// characters and bytes that are no UTF-8 are gone in both; then what the format itself takes for
// more than text is quoted.
#include <fmt/format.h>

#include <algorithm>

#include "show/escape.h"
#include "show/graph.h"

namespace hark::show {
namespace {

using reach::Outcome;
using reach::PictureChain;
using reach::PictureStage;

std::string for_xml(std::string_view text) {
  std::string out;
  for (const char c : for_terminal(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

/// Inside a quoted string a backslash begins an escape, of labels too.
std::string for_dot(std::string_view text) {
  std::string out;
  for (const char c : for_terminal(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

const char* colour_of(Outcome outcome) {
  if (outcome == Outcome::Answered) return "#1a7f37";
  return outcome == Outcome::Depends || outcome == Outcome::Unknown ? "#9a6700" : "#cf222e";
}

std::string step_words(const reach::Step& step) {
  return step.rule.empty() ? step.detail : step.detail + ": " + step.rule;
}

std::string chain_words(const PictureChain& chain) {
  return fmt::format("{} (priority {}{})", chain.name, chain.priority,
                     chain.sure ? "" : ", order not known");
}

// Of an SVG, in its units.
constexpr std::size_t kLetter = 8;  // of a font of 13 that has one width
constexpr std::size_t kRow = 18;
constexpr std::size_t kPad = 10;
constexpr std::size_t kGap = 24;  // between boxes
constexpr std::size_t kMostLetters = 110;

/// A box with its lines, each already cut to what fits.
struct Box {
  struct Text {
    std::string text;
    bool strong = false;
    bool marked = false;
  };
  std::vector<Text> lines;
  bool marked = false;

  [[nodiscard]] std::size_t letters() const {
    std::size_t out = 0;
    for (const Text& line : lines) out = std::max(out, display_width(line.text));
    return out;
  }
  [[nodiscard]] std::size_t height() const { return lines.size() * kRow + kPad; }
};

std::string cut(const std::string& text) {
  return cut_to_width(for_terminal(text), kMostLetters, false);
}

Box box_of(const PictureStage& stage) {
  Box out{.lines = {}, .marked = stage.decided};
  out.lines.push_back({std::string(name_of(stage.stage)) + (stage.decided ? ": decides" : ""), true,
                       stage.decided});
  for (const reach::Step& step : stage.steps) {
    const bool stops = step.verdict == "stop" || step.verdict == "unknown";
    out.lines.push_back({cut(step_words(step)), false, stage.decided && stops});
  }
  for (const PictureChain& chain : stage.chains) {
    const char* const mark = chain.decided ? "\u25b6 " : "\u00b7 ";
    out.lines.push_back({cut(mark + chain_words(chain)), false, chain.decided});
  }
  return out;
}

std::vector<Box> boxes_of(const GraphLane& lane) {
  std::vector<Box> out;
  out.push_back({.lines = {{cut(lane.title), true}}});
  for (const PictureStage& stage : lane.stages) out.push_back(box_of(stage));
  out.push_back({.lines = {{cut(lane.verdict), true, true}}});
  return out;
}

class Svg {
 public:
  std::string draw(const std::vector<GraphLane>& lanes, const std::string& title) {
    std::size_t x = kGap;
    std::size_t bottom = 0;
    for (const GraphLane& lane : lanes) {
      const std::vector<Box> boxes = boxes_of(lane);
      std::size_t letters = 0;
      for (const Box& box : boxes) letters = std::max(letters, box.letters());
      const std::size_t width = letters * kLetter + 2 * kPad;
      std::size_t y = kGap;
      for (std::size_t i = 0; i < boxes.size(); ++i) {
        draw(boxes[i], x, y, width, colour_of(lane.outcome));
        y += boxes[i].height();
        if (i + 1 < boxes.size()) arrow(x + kGap, y);
        y += kGap;
      }
      x += width + kGap;
      bottom = std::max(bottom, y);
    }
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
        "viewBox=\"0 0 {0} {1}\" font-family=\"monospace\" font-size=\"13\">\n"
        "<title>{2}</title>\n"
        "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n{3}</svg>\n",
        x, bottom, for_xml(title), out_);
  }

 private:
  void draw(const Box& box, std::size_t x, std::size_t y, std::size_t width, const char* colour) {
    out_ += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"4\" fill=\"#f6f8fa\" "
        "stroke=\"{}\" stroke-width=\"{}\"/>\n",
        x, y, width, box.height(), box.marked ? colour : "#8c959f", box.marked ? 3 : 1);
    std::size_t line = y + kPad / 2 + kRow - 5;
    for (const Box::Text& text : box.lines) {
      out_ +=
          fmt::format("<text x=\"{}\" y=\"{}\" fill=\"{}\"{} xml:space=\"preserve\">{}</text>\n",
                      x + kPad, line, text.marked ? colour : "#1f2328",
                      text.strong ? " font-weight=\"bold\"" : "", for_xml(text.text));
      line += kRow;
    }
  }

  void arrow(std::size_t x, std::size_t y) {
    const std::size_t end = y + kGap;
    out_ += fmt::format(
        "<path d=\"M {0} {1} V {2} M {3} {4} L {0} {2} L {5} {4}\" fill=\"none\" "
        "stroke=\"#57606a\"/>\n",
        x, y, end, x - 4, end - 6, x + 4);
  }

  std::string out_;
};

/// Lines of a DOT label, each ended to stand at the left.
std::string label_of(const PictureStage& stage) {
  std::string out = std::string(name_of(stage.stage)) + (stage.decided ? ": decides" : "") + "\\l";
  for (const reach::Step& step : stage.steps) out += for_dot(step_words(step)) + "\\l";
  for (const PictureChain& chain : stage.chains) {
    out += (chain.decided ? "> " : "- ") + for_dot(chain_words(chain)) + "\\l";
  }
  return out;
}

}  // namespace

std::string graph_svg(const std::vector<GraphLane>& lanes, const std::string& title) {
  return Svg().draw(lanes, title);
}

std::string graph_dot(const std::vector<GraphLane>& lanes, const std::string& title) {
  std::string out =
      fmt::format("digraph hark {{\n  label=\"{}\";\n  node [shape=box, fontname=\"monospace\"];\n",
                  for_dot(title));
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    const char* const colour = colour_of(lanes[lane].outcome);
    const auto node = [lane](std::size_t at) { return fmt::format("n{}_{}", lane, at); };
    const std::size_t last = lanes[lane].stages.size() + 1;
    out +=
        fmt::format("  {} [label=\"{}\", shape=plaintext];\n", node(0), for_dot(lanes[lane].title));
    for (std::size_t i = 0; i + 1 < last; ++i) {
      const PictureStage& stage = lanes[lane].stages[i];
      out += fmt::format("  {} [label=\"{}\"{}];\n", node(i + 1), label_of(stage),
                         stage.decided ? fmt::format(", color=\"{}\", penwidth=3", colour) : "");
    }
    out += fmt::format("  {} [label=\"{}\", shape=plaintext, fontcolor=\"{}\"];\n", node(last),
                       for_dot(lanes[lane].verdict), colour);
    for (std::size_t i = 0; i < last; ++i) {
      out += fmt::format("  {} -> {};\n", node(i), node(i + 1));
    }
  }
  return out + "}\n";
}

}  // namespace hark::show
