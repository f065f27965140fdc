// Layout of an answer:
//
//   10.0.0.9 is refused: postgres (733) listens on 127.0.0.1 and ::1 only.
//
//     ✓ link        eth0 is up
//     ✗ socket      no listener for 10.0.0.5:5432       ss -Htlnp sport = :5432
//     · reply       RST leaves by eth0
//
// A command that shows the fact stands at the right where all of them fit there, else below its
// line. Commands are never cut or broken: they are there to be copied.
#include "show/why_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "reach/client_view.h"
#include "show/escape.h"
#include "show/list_view.h"
#include "show/published_words.h"
#include "show/why_classes.h"
#include "show/why_words.h"

namespace hark::show {
namespace {

using reach::Answer;
using reach::Cause;
using reach::Outcome;

constexpr std::size_t kIndent = 2;
constexpr std::size_t kStageColumns = 10;  // "prerouting"
constexpr std::size_t kBetween = 2;        // between columns
constexpr std::size_t kBeforeCommand = 3;
constexpr std::size_t kLeastDetail = 24;  // narrower than that, a line is longer than the screen

enum class Sign : std::uint8_t { Pass, Stop, Open, Note, None };

struct SignText {
  const char* text;
  const char* ascii;
  Colour colour;
};
constexpr std::array<SignText, 5> kSigns = {{{"\u2713", "ok", Colour::Green},
                                             {"\u2717", "!!", Colour::Red},
                                             {"?", "? ", Colour::Yellow},
                                             {"\u00b7", "- ", Colour::Dim},
                                             {" ", "  ", Colour::None}}};

/// A line of the ladder before it is laid out.
struct Rung {
  Sign sign = Sign::None;
  std::string stage;
  std::string detail;   ///< escaped
  std::string command;  ///< escaped
};

class Screen {
 public:
  explicit Screen(const TableStyle& style) : style_(style) {}

  [[nodiscard]] std::string escaped(std::string_view text) const {
    return for_terminal(text, style_.ascii);
  }

  void sentence(std::string_view text, Colour colour = Colour::None, std::size_t indent = 0) {
    for (const std::string& line : wrapped(escaped(text), room(indent))) {
      out_ += std::string(indent, ' ') + coloured(line, colour, style_.colour) + '\n';
    }
  }

  void blank() {
    if (!out_.empty() && !out_.ends_with("\n\n")) out_ += '\n';
  }

  void raw(const std::string& text) { out_ += text; }

  /// `stages` wide is the column of the stages; 0: there is none.
  void ladder(const std::vector<Rung>& rungs, std::size_t stages = kStageColumns + kBetween) {
    stages_ = stages;
    const std::optional<std::size_t> column = command_column(rungs);
    for (const Rung& rung : rungs) write(rung, column);
  }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  [[nodiscard]] std::optional<std::size_t> room(std::size_t used) const {
    if (!style_.width) return std::nullopt;
    return *style_.width > used + kLeastDetail ? *style_.width - used : kLeastDetail;
  }

  [[nodiscard]] std::size_t detail_column() const {
    return kIndent + (style_.ascii ? 2 : 1) + 1 + stages_;
  }

  /// Where commands begin, if all of them fit at the right of their lines.
  [[nodiscard]] std::optional<std::size_t> command_column(const std::vector<Rung>& rungs) const {
    std::size_t left = 0;
    std::size_t right = 0;
    for (const Rung& rung : rungs) {
      if (rung.command.empty()) continue;
      left = std::max(left, detail_column() + display_width(rung.detail));
      right = std::max(right, display_width(rung.command));
    }
    const std::size_t column = left + kBeforeCommand;
    if (style_.width && column + right > *style_.width) return std::nullopt;
    return column;
  }

  void write(const Rung& rung, const std::optional<std::size_t>& column) {
    const SignText& sign = kSigns[static_cast<std::size_t>(rung.sign)];
    std::string stage = rung.stage;
    stage.resize(stages_, ' ');
    std::string before =
        std::string(kIndent, ' ') +
        coloured(style_.ascii ? sign.ascii : sign.text, sign.colour, style_.colour) + ' ' + stage;
    bool first = true;
    // With its command beside it the line is known to fit.
    const bool beside = column && !rung.command.empty();
    const auto width = beside ? std::nullopt : room(detail_column());
    for (const std::string& line : wrapped(rung.detail, width)) {
      std::string text = (first ? before : std::string(detail_column(), ' ')) + line;
      if (beside) {
        const std::size_t used = detail_column() + display_width(line);
        text += std::string(*column - std::min(*column, used), ' ') +
                coloured(rung.command, Colour::Dim, style_.colour);
      }
      end_line(std::move(text));
      first = false;
    }
    if (beside || rung.command.empty()) return;
    end_line(std::string(detail_column(), ' ') +
             coloured("see: " + rung.command, Colour::Dim, style_.colour));
  }

  void end_line(std::string line) {
    while (line.ends_with(' ')) line.pop_back();
    out_ += line + '\n';
  }

  const TableStyle& style_;
  std::size_t stages_ = 0;
  std::string out_;
};

Colour colour_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::Answered:
      return Colour::Green;
    case Outcome::Refused:
    case Outcome::Rejected:
    case Outcome::Silent:
    case Outcome::Hangs:
    case Outcome::NoNeighbour:
      return Colour::Red;
    case Outcome::Depends:
    case Outcome::Unknown:
      break;
  }
  return Colour::Yellow;
}

Sign sign_of(std::string_view verdict, bool stopped) {
  if (verdict == "stop") return Sign::Stop;
  if (verdict == "unknown") return Sign::Open;
  if (stopped) return Sign::Note;
  return verdict == "pass" || verdict == "rewrite" ? Sign::Pass : Sign::Note;
}

/// The evidence of a cause that the ladder has not shown yet.
void add_evidence(const Screen& screen, const Cause& cause, std::vector<Rung>& rungs) {
  for (const reach::Evidence& one : cause.evidence) {
    const std::string fact = screen.escaped(one.fact);
    const std::string command = screen.escaped(one.verify);
    const bool shown =
        command.empty() || std::ranges::find(rungs, command, &Rung::command) != rungs.end();
    const bool told = std::ranges::any_of(
        rungs, [&](const Rung& rung) { return rung.detail.find(fact) != std::string::npos; });
    // The first is what the step itself says, in other words.
    if (shown && (told || &one == &cause.evidence.front())) continue;
    rungs.push_back({Sign::None, "", fact, shown ? "" : command});
  }
}

std::vector<Rung> rungs_of(const Screen& screen, const Answer& answer) {
  std::vector<Rung> rungs;
  bool stopped = false;
  std::string_view last;
  for (const reach::Step& step : answer.path) {
    const std::string_view stage = name_of(step.stage);
    rungs.push_back({sign_of(step.verdict, stopped), stage == last ? "" : std::string(stage),
                     screen.escaped(step.detail), screen.escaped(step.verify)});
    last = stage;
    if (step.verdict != "stop" || stopped) continue;
    stopped = true;
    add_evidence(screen, answer.cause, rungs);
    last = {};
  }
  if (!stopped && answer.outcome != Outcome::Answered) add_evidence(screen, answer.cause, rungs);
  return rungs;
}

/// What is behind a fact that a person would know by another name.
std::string tool_note(const Cause& cause) {
  return cause.tool.empty() ? "" : "This rule was put there by " + cause.tool + ".";
}

void add_next(Screen& screen, const Answer& answer) {
  if (answer.next.empty()) return;
  screen.blank();
  screen.sentence("Also in the way:");
  std::vector<Rung> rungs;
  for (const Cause& cause : answer.next) {
    std::string text = cause.text.empty() ? cause.code : cause.text;
    if (!cause.tool.empty()) text += " (" + cause.tool + ")";
    const std::string command = cause.evidence.empty() ? "" : cause.evidence.front().verify;
    rungs.push_back({Sign::Stop, "", screen.escaped(text), screen.escaped(command)});
  }
  screen.ladder(rungs, 0);
}

void add_assumptions(Screen& screen, const Answer& answer) {
  if (answer.assumptions.empty()) return;
  screen.blank();
  screen.sentence("True as long as:");
  for (const std::string& one : answer.assumptions) screen.sentence("- " + one, {}, kIndent);
}

void add_conditions(Screen& screen, const Answer& answer) {
  if (answer.conditions.size() < 2) return;  // one is in the verdict already
  screen.blank();
  screen.sentence("It depends on:");
  for (const reach::Condition& one : answer.conditions) {
    screen.sentence("- " + one.text, {}, kIndent);
  }
}

void add_answer(Screen& screen, const WhyReport& report, const Answer& answer, bool verbose) {
  screen.sentence(verdict_words(report.facts(), answer), colour_of(answer.outcome));
  const std::vector<Rung> rungs = rungs_of(screen, answer);
  if (!rungs.empty()) {
    screen.blank();
    screen.ladder(rungs);
  }
  const std::string client = client_words(answer);
  const std::string tool = tool_note(answer.cause);
  if (!client.empty() || !tool.empty()) screen.blank();
  if (!tool.empty()) screen.sentence(tool);
  if (!client.empty()) screen.sentence(client + ".");
  add_conditions(screen, answer);
  add_next(screen, answer);
  if (verbose) add_assumptions(screen, answer);
}

std::string origin_words(const WhyReport& report, const reach::Question& question) {
  const host::Link* link = report.network.link(question.interface);
  std::string out = question.source.text();
  if (link != nullptr) out += " by " + link->name;
  return out;
}

/// One line for each answer.
std::string table_of(const WhyReport& report, const TableStyle& style) {
  const std::vector<Column> columns = {{.heading = "FROM", .importance = kMustStay},
                                       {.heading = "TO", .importance = kMustStay},
                                       {.heading = "OUTCOME", .importance = kMustStay},
                                       {.heading = "BECAUSE", .importance = 50, .may_cut = true}};
  std::vector<std::vector<Cell>> rows;
  for (const Answer& answer : report.answers) {
    const auto& question = answer.question;
    const std::string to = fmt::format("{} {}", name_of(question.protocol),
                                       endpoint_words(question.destination, question.port));
    std::string because = answer.outcome == Outcome::Answered && answer.delivers_to
                              ? holder_words(report.host, *answer.delivers_to)
                              : answer.cause.text;
    if (!answer.cause.tool.empty()) because += " (" + answer.cause.tool + ")";
    rows.push_back({{for_terminal(origin_words(report, question), style.ascii)},
                    {to},
                    {std::string(short_words(answer.outcome)), colour_of(answer.outcome)},
                    {for_terminal(because, style.ascii)}});
  }
  return format_table(columns, rows, style);
}

/// "tcp/5432 answers 1 of the 3 sources that were asked."
std::string summary_words(const WhyReport& report) {
  const auto answered = std::ranges::count(report.answers, Outcome::Answered, &Answer::outcome);
  const std::size_t all = report.answers.size();
  std::string target = report.target.written;
  if (report.target.endpoint && !report.target.protocol && !report.target.family) {
    std::vector<std::string> ports;
    for (const Answer& answer : report.answers) {
      const std::string port = port_words(answer.question);
      if (std::ranges::find(ports, port) == ports.end()) ports.push_back(port);
    }
    target = join(ports, " and ");
  }
  const IpAddress& first = report.answers.front().question.source;
  const bool one_source = std::ranges::all_of(
      report.answers, [&](const Answer& answer) { return answer.question.source == first; });
  const char* things = one_source ? "ports" : "sources";
  const std::string count = static_cast<std::size_t>(answered) == all ? fmt::format("all {}", all)
                            : answered == 0 ? fmt::format("none of the {}", all)
                                            : fmt::format("{} of the {}", answered, all);
  return fmt::format("{} answers {}{} {} that were asked.", target, one_source ? "on " : "", count,
                     things);
}

/// One client of each kind, in full.
void add_examples(Screen& screen, const WhyReport& report) {
  const reach::ClientSources sources(report.network);
  const reach::ClientView clients = reach::view_of(sources, reach::list_of(report.classes));
  for (const reach::ClientKind& group : reach::client_kinds(clients)) {
    screen.blank();
    add_answer(screen, report, group.example->answer, true);
  }
}

std::string nobody_words(const WhyReport& report) {
  if (!report.hidden.empty()) {
    return "It is not known whether " + report.target.written + " listens here: " + report.hidden +
           ".";
  }
  return "Nothing listens here that matches " + report.target.written + ".";
}

void add_near(Screen& screen, const WhyReport& report, const TableStyle& style) {
  if (report.near.empty()) return;
  screen.blank();
  screen.sentence("Near it:");
  screen.raw(near_text(report.host, report.near, style));
}

/// The port that is asked for has no listener here, but rules that send its packets elsewhere.
void add_published(Screen& screen, const WhyReport& report) {
  for (const reach::PublishedPort& port : report.published) {
    screen.blank();
    screen.sentence(published_sentence(report.host, port) + ".");
    if (!port.denied) continue;
    screen.sentence("The input chain would keep clients away (" + port.denied->text +
                        "), but it is not asked: packets that are sent on to another address are "
                        "forwarded. To deny them, add a rule where forwarded packets pass: the "
                        "chain DOCKER-USER, or a forward chain.",
                    Colour::Yellow);
  }
}

void add_notes(Screen& screen, const WhyReport& report) {
  if (report.plan.notes.empty()) return;
  screen.blank();
  for (const std::string& note : report.plan.notes) screen.sentence("Note: " + note + ".");
}

/// Gaps are told where they could have decided; all of them with --verbose, elsewhere.
void add_gaps(Screen& screen, const WhyReport& report) {
  const auto is_open = [](const Answer& answer) {
    return answer.outcome == Outcome::Unknown || answer.outcome == Outcome::Depends;
  };
  const bool open = std::ranges::any_of(report.answers, is_open) ||
                    std::ranges::any_of(report.classes, is_open, &reach::ReachClass::answer);
  // Where nobody of a name was found it counts who could not be looked at.
  const auto hides_owners = [&](const host::Gap& gap) {
    constexpr std::array<std::string_view, 6> kCodes = {
        "other-users-processes", "unreadable-processes", "hidepid",
        "pid-namespace",         "owners-not-read",      "no-proc"};
    return report.answers.empty() && report.classes.empty() &&
           std::ranges::find(kCodes, gap.code) != kCodes.end();
  };
  std::vector<const host::Gap*> told;
  for (const host::Gap& gap : report.gaps) {
    const bool unread = std::ranges::any_of(
        report.network.unread, [&](const auto& one) { return one.second.code == gap.code; });
    if ((open && unread) || hides_owners(gap)) told.push_back(&gap);
  }
  if (told.empty()) return;
  screen.blank();
  for (const host::Gap* gap : told) {
    std::string line = "Not seen: " + gap->what;
    if (!gap->remedy.empty()) line += " (" + gap->remedy + ")";
    screen.sentence(line + ".");
  }
}

}  // namespace

std::string why_text(const WhyReport& report, const TableStyle& style, bool verbose) {
  Screen screen(style);
  if (!report.classes.empty()) {
    screen.raw(why_classes_text(report, style));
    if (verbose) add_examples(screen, report);
  } else if (report.answers.empty()) {
    screen.sentence(nobody_words(report), report.hidden.empty() ? Colour::Red : Colour::Yellow);
  } else if (report.answers.size() == 1) {
    add_answer(screen, report, report.answers.front(), verbose);
  } else {
    screen.sentence(summary_words(report));
    screen.blank();
    screen.raw(table_of(report, style));
    for (const Answer& answer : report.answers) {
      if (!verbose) break;
      screen.blank();
      add_answer(screen, report, answer, verbose);
    }
  }
  add_published(screen, report);
  add_near(screen, report, style);
  add_notes(screen, report);
  add_gaps(screen, report);
  return screen.take();
}

}  // namespace hark::show
