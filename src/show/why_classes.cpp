// Layout of a service:
//
//   tcp/6379 is reachable from 10.0.0.0/8 via eth0; others dropped.
//
//     10.0.0.0/8 via eth0      answered   redis-server (699); accepted by inet filter input handle
//                                         12: ip saddr 10.0.0.0/8 tcp dport 6379 accept
//     anywhere else via eth0   no answer  dropped by the policy of inet filter input
//     this host                answered   redis-server (699)
//
// Reasons are wrapped below themselves where that leaves them room, else below their line.
#include "show/why_classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "reach/client_view.h"
#include "reach/destinations.h"
#include "reach/reach_table.h"
#include "show/escape.h"
#include "show/list_view.h"
#include "show/reach_words.h"
#include "show/why_words.h"

namespace hark::show {
namespace {

using reach::Answer;
using reach::ClientKind;
using reach::Outcome;
using reach::Reachability;

constexpr std::size_t kIndent = 2;
constexpr std::size_t kBetween = 2;
constexpr std::size_t kLeastReason = 30;  // narrower than that, it stands on lines of its own
/// Prefixes that a line names before it counts them.
constexpr std::size_t kMostPrefixes = 5;

struct Line {
  std::string who;
  Outcome outcome = Outcome::Unknown;
  std::string reason;
};

Colour colour_of(Outcome outcome) {
  if (outcome == Outcome::Answered) return Colour::Green;
  return outcome == Outcome::Depends || outcome == Outcome::Unknown ? Colour::Yellow : Colour::Red;
}

/// Who takes it, and the rules that let it.
std::string answered_reason(const WhyReport& report, const Answer& answer) {
  std::vector<std::string> words;
  if (answer.delivers_to) words.push_back(holder_words(report.host, *answer.delivers_to));
  for (const reach::Step& step : answer.path) {
    if (step.stage == reach::Stage::Handshake || step.stage == reach::Stage::Reply) break;
    const bool accepted = step.detail.starts_with("accepted by");
    if (step.verdict != "rewrite" && !accepted) continue;
    words.push_back(step.rule.empty() ? step.detail : step.detail + ": " + step.rule);
  }
  if (words.empty()) words.push_back(answer.cause.text);
  return join(words, "; ");
}

std::string open_reason(const WhyReport& report, const Answer& answer) {
  std::vector<std::string> possible;
  for (const Outcome one : answer.possible) possible.emplace_back(short_words(one));
  std::vector<std::string> on;
  // Of what was not read the first will do: the gaps name all.
  if (answer.outcome == Outcome::Depends) {
    for (const reach::Condition& one : answer.conditions) on.push_back(one.text);
  }
  if (on.empty()) on.push_back(reason_words(report.facts(), answer));
  return (possible.empty() ? "" : join(possible, " or ") + ": ") + join(on, ", ");
}

std::string reason_of(const WhyReport& report, const Answer& answer) {
  switch (answer.outcome) {
    case Outcome::Answered:
      return answered_reason(report, answer);
    case Outcome::Depends:
    case Outcome::Unknown:
      return open_reason(report, answer);
    case Outcome::Rejected:
    case Outcome::Refused:
    case Outcome::Silent:
    case Outcome::Hangs:
    case Outcome::NoNeighbour:
      break;
  }
  std::string out = reason_words(report.facts(), answer);
  if (!answer.cause.tool.empty()) out += " (" + answer.cause.tool + ")";
  return out;
}

std::vector<Line> lines_of(const WhyReport& report, const reach::ClientView& clients) {
  std::vector<Line> out;
  Chosen chosen;
  for (const ClientKind& group : reach::client_kinds(clients)) {
    chosen.parts = group.parts;
    const Answer& answer = group.example->answer;
    for (std::string& who : clients_words(report.network, clients, chosen, kMostPrefixes)) {
      out.push_back({std::move(who), answer.outcome, reason_of(report, answer)});
    }
    chosen.told.insert(chosen.told.end(), group.parts.begin(), group.parts.end());
  }
  // What another host sees is the question; what this one sees stands below it.
  std::stable_partition(out.begin(), out.end(),
                        [](const Line& line) { return !line.who.starts_with("this host"); });
  return out;
}

class Table {
 public:
  explicit Table(const TableStyle& style) : style_(style) {}

  std::string text(const std::vector<Line>& lines) {
    std::size_t who = 0;
    std::size_t outcome = 0;
    for (const Line& line : lines) {
      who = std::max(who, display_width(escaped(line.who)));
      outcome = std::max(outcome, display_width(short_words(line.outcome)));
    }
    who_ = who;
    column_ = kIndent + who + kBetween + outcome + kBetween;
    below_ = style_.width && *style_.width < column_ + kLeastReason;
    std::string out;
    for (const Line& line : lines) out += text_of(line);
    return out;
  }

 private:
  [[nodiscard]] std::string escaped(std::string_view text) const {
    return for_terminal(text, style_.ascii);
  }

  [[nodiscard]] std::string text_of(const Line& line) const {
    const std::string who = escaped(line.who);
    const std::string outcome(short_words(line.outcome));
    const std::size_t gap = who_ - std::min(who_, display_width(who)) + kBetween;
    std::string first = std::string(kIndent, ' ') + who +
                        std::string(below_ ? kBetween : gap, ' ') +
                        coloured(outcome, colour_of(line.outcome), style_.colour);
    const std::size_t indent = below_ ? 2 * kIndent + 2 : column_;
    std::optional<std::size_t> width;
    if (style_.width) width = *style_.width - std::min(*style_.width, indent);
    std::string out;
    if (below_) out = first + '\n';
    bool at_first = !below_;
    for (const std::string& piece : wrapped(escaped(line.reason), width)) {
      if (piece.empty()) continue;
      if (at_first) {
        const std::size_t used = kIndent + display_width(who) + gap + display_width(outcome);
        out += first + std::string(column_ - std::min(column_, used), ' ') + piece + '\n';
      } else {
        out += std::string(indent, ' ') + piece + '\n';
      }
      at_first = false;
    }
    return at_first ? out + first + '\n' : out;
  }

  const TableStyle& style_;
  std::size_t who_ = 0;
  std::size_t column_ = 0;
  bool below_ = false;
};

/// "tcp/6379 is reachable from 10.0.0.0/8 via eth0; others dropped."
std::string headline(const WhyReport& report, const Reachability& one,
                     const reach::Question& asked) {
  constexpr std::string_view kUnknown = "unknown: ";
  constexpr std::string_view kPerhaps = "perhaps ";
  const std::string port = port_words(asked);
  if (one.clients.parts.empty()) return "There is no interface up to ask " + port + " at.";
  if (one.openness == reach::Openness::Nobody) {
    const auto groups = reach::client_kinds(one.clients);
    return "Nobody reaches " + port + ": " +
           reason_words(report.facts(), groups.front().example->answer) + ".";
  }
  const std::string words = reach_words(report.network, one);
  if (words.starts_with(kUnknown)) {
    return "It is not known who reaches " + port + ": " + words.substr(kUnknown.size()) + ".";
  }
  if (words.starts_with(kPerhaps)) {
    return port + " is perhaps reachable from " + words.substr(kPerhaps.size()) + ".";
  }
  return port + " is reachable from " + words + ".";
}

Colour colour_of(const Reachability& one) {
  switch (one.openness) {
    case reach::Openness::Anywhere:
    case reach::Openness::Some:
      return Colour::Green;
    case reach::Openness::Nobody:
      return Colour::Red;
    case reach::Openness::Unknown:
    case reach::Openness::NotAsked:
      return Colour::Yellow;
    case reach::Openness::ThisHost:
      break;
  }
  return Colour::None;
}

/// An address by which somebody from elsewhere can try it.
std::optional<reach::Destination> outer(const Reachability& one) {
  for (std::size_t i = 0; i < one.clients.parts.size(); ++i) {
    const reach::ClientPlace& place = one.clients.places[one.clients.parts[i].place];
    if (!place.loopback && one.through[i] != reach::Through::No) return place.to;
  }
  return std::nullopt;
}

std::string limits_words(const reach::Destination& to) {
  return fmt::format(
      "Not known: what stands before this host, such as a cloud firewall or a router. To find out, "
      "try it from elsewhere: nc -vz{} {} {}",
      to.protocol == Protocol::Udp ? "u" : "", to.address.text(), to.port);
}

std::string paragraph(const std::string& text, Colour colour, const TableStyle& style) {
  std::string out;
  for (const std::string& line : wrapped(for_terminal(text, style.ascii), style.width)) {
    out += coloured(line, colour, style.colour) + '\n';
  }
  return out;
}

}  // namespace

std::string why_classes_text(const WhyReport& report, const TableStyle& style) {
  const reach::ClientSources sources(report.network);
  std::vector<std::pair<Protocol, std::uint16_t>> services;
  for (const reach::ReachClass& one : report.classes) {
    const std::pair service(one.answer.question.protocol, one.answer.question.port);
    if (std::ranges::find(services, service) == services.end()) services.push_back(service);
  }
  std::string out;
  std::optional<reach::Destination> elsewhere;
  for (const auto& [protocol, port] : services) {
    reach::ClassList classes;
    for (const reach::ReachClass& one : report.classes) {
      const reach::Question& asked = one.answer.question;
      if (asked.protocol == protocol && asked.port == port) classes.push_back(&one);
    }
    const Reachability one = reach::reachability(sources, classes);
    if (!out.empty()) out += '\n';
    out +=
        paragraph(headline(report, one, classes.front()->answer.question), colour_of(one), style);
    const auto lines = lines_of(report, one.clients);
    if (!lines.empty()) out += '\n' + Table(style).text(lines);
    if (!elsewhere) elsewhere = outer(one);
  }
  if (elsewhere) out += '\n' + paragraph(limits_words(*elsewhere), Colour::Dim, style);
  return out;
}

}  // namespace hark::show
