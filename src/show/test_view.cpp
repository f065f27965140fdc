// Layout:
//
//   tcp 127.0.0.1:8080  connects in 0.1 ms, then silence: no byte in 3 s  as predicted
//   tcp 10.0.0.5:8080   connects in 0.1 ms, then silence: no byte in 3 s  as predicted
//
//   This host is connected, and then nothing comes: billing.jar (4121) does not accept.
//
// A column says which target a row belongs to, where that is not clear from the address.
#include "show/test_view.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "show/escape.h"
#include "show/list_view.h"
#include "show/test_words.h"
#include "show/why_words.h"

namespace hark::show {
namespace {

using reach::Outcome;

constexpr std::size_t kMostExplained = 12;

Colour colour_of(const TestedAttempt& tested) {
  if (!tested.seen.done) return Colour::Yellow;
  switch (tested.seen.outcome) {
    case Outcome::Answered:
      return tested.seen.mute() || tested.seen.error != 0 ? Colour::Yellow : Colour::Green;
    case Outcome::Unknown:
    case Outcome::Depends:
      return Colour::Yellow;
    case Outcome::Silent:
      return tested.attempt.asked.protocol == Protocol::Udp ? Colour::Yellow : Colour::Red;
    case Outcome::Refused:
    case Outcome::Rejected:
    case Outcome::Hangs:
    case Outcome::NoNeighbour:
      break;
  }
  return Colour::Red;
}

/// "HTTP/1.1 200 OK, nginx": what answered.
std::string service_words(const TestedAttempt& tested) {
  const auto& service = tested.seen.service;
  if (!service) return {};
  if (service->protocol.empty() || service->protocol == "unknown") return service->detail;
  return service->detail.empty() ? service->protocol : service->protocol + ": " + service->detail;
}

class Page {
 public:
  explicit Page(const TableStyle& style) : style_(style) {}

  void sentence(std::string_view text, std::string_view before = {}) {
    const std::string all = std::string(before) + for_terminal(text, style_.ascii);
    for (const std::string& line : wrapped(all, style_.width)) out_ += line + '\n';
  }
  void blank() {
    if (!out_.empty() && !out_.ends_with("\n\n")) out_ += '\n';
  }
  void raw(const std::string& text) { out_ += text; }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  const TableStyle& style_;
  std::string out_;
};

/// A sentence, and those attempts of which it is true.
struct Explained {
  std::string key;
  std::string text;
  std::vector<const TestedAttempt*> of;
};

std::vector<Explained> explanations(const TestReport& report) {
  std::vector<Explained> out;
  for (const TestedAttempt& tested : report.attempts) {
    const std::string text = explanation_words(report, tested);
    if (text.empty()) continue;
    const std::string key = explanation_key(report, tested);
    const auto at = std::ranges::find(out, key, &Explained::key);
    if (at == out.end()) {
      out.push_back({key, text, {&tested}});
    } else {
      at->of.push_back(&tested);
    }
  }
  return out;
}

void add_explanations(Page& page, const TestReport& report, bool verbose) {
  const std::vector<Explained> all = explanations(report);
  if (all.empty()) return;
  page.blank();
  // With several rows it must be said of which a sentence is.
  const bool name = report.attempts.size() > 1 && all.front().of.size() < report.attempts.size();
  std::size_t told = 0;
  for (const Explained& one : all) {
    if (!verbose && told == kMostExplained) {
      page.sentence(std::to_string(all.size() - told) + " more reasons: hark test -v");
      break;
    }
    ++told;
    std::string before;
    if (name) {
      before = place_words(report, *one.of.front());
      if (one.of.size() > 1) before += " and " + std::to_string(one.of.size() - 1) + " more";
      before += ": ";
    }
    page.sentence(one.text, before);
  }
}

void add_path(Page& page, const TestReport& report, const TestedAttempt& tested) {
  if (!tested.predicted) return;
  page.blank();
  page.sentence(place_words(report, tested) + ": " +
                verdict_words(report.facts(), *tested.predicted));
  for (const reach::Step& step : tested.predicted->path) {
    std::string line = "  " + std::string(name_of(step.stage)) + ": " + step.detail;
    if (!step.verify.empty()) line += "   see: " + step.verify;
    page.sentence(line);
  }
}

void add_troubles(Page& page, const TestReport& report, const TableStyle& style) {
  for (const TestedTarget& target : report.targets) {
    if (target.trouble.empty() && target.near.empty()) continue;
    page.blank();
    if (!target.trouble.empty()) page.sentence(target.written + ": " + target.trouble + ".");
    if (target.near.empty()) continue;
    page.sentence("Near it:");
    page.raw(near_text(report.host, target.near, style));
  }
}

bool is_open(const TestedAttempt& tested) {
  return tested.here && tested.predicted && tested.predicted->outcome == Outcome::Unknown;
}

/// Gaps are told where they kept the prediction open, or may be why it was wrong; at length only
/// where somebody got no answer.
void add_gaps(Page& page, const TestReport& report) {
  const auto& unread = report.network.unread;
  if (unread.empty()) return;
  const auto needs_all = [](const TestedAttempt& tested) {
    return tested.agrees == false || (is_open(tested) && tested.seen.outcome != Outcome::Answered);
  };
  const bool all = std::ranges::any_of(report.attempts, needs_all);
  if (!all && std::ranges::none_of(report.attempts, is_open)) return;
  page.blank();
  const auto remedy_of = [](const host::Gap& gap) {
    return gap.remedy.empty() ? "" : " (" + gap.remedy + ")";
  };
  if (!all) {
    const host::Gap& first = unread.begin()->second;
    const std::size_t more = unread.size() - 1;
    page.sentence("Not predicted, for not all was seen: " + first.what +
                  (more == 0 ? "" : ", and " + std::to_string(more) + " more") + remedy_of(first) +
                  ".");
    return;
  }
  for (const auto& [fact, gap] : unread) {
    page.sentence("Not seen: " + gap.what + remedy_of(gap) + ".");
  }
}

}  // namespace

std::string test_table(const TestReport& report, const TableStyle& style) {
  const std::vector<Column> columns = {{.heading = "TARGET", .importance = 40, .may_cut = true},
                                       {.heading = "TO", .importance = kMustStay},
                                       {.heading = "SEEN", .importance = kMustStay},
                                       {.heading = "SERVICE", .importance = 60, .may_cut = true},
                                       {.heading = "", .importance = 50}};
  std::vector<std::vector<Cell>> rows;
  for (const TestedAttempt& tested : report.attempts) {
    const std::string& written = report.targets[tested.target].written;
    const std::string place = place_words(report, tested);
    // The address says it all, unless it was not what the person wrote.
    const bool named = !tested.attempt.asked.host.empty();
    std::string expected = predicted_words(tested);
    if (tested.winner) expected += expected.empty() ? "first choice" : ", first choice";
    rows.push_back({{named ? for_terminal(written, style.ascii) : ""},
                    {place},
                    {for_terminal(seen_words(tested), style.ascii), colour_of(tested)},
                    {for_terminal(service_words(tested), style.ascii)},
                    {expected, tested.agrees == false ? Colour::Red : Colour::None}});
  }
  TableStyle plain = style;
  plain.heading = false;
  return format_table(columns, rows, plain);
}

std::string test_text(const TestReport& report, const TableStyle& style, bool verbose) {
  Page page(style);
  if (!report.attempts.empty()) page.raw(test_table(report, style));
  add_explanations(page, report, verbose);
  if (verbose) {
    for (const TestedAttempt& tested : report.attempts) add_path(page, report, tested);
  }
  add_troubles(page, report, style);
  if (!report.notes.empty()) page.blank();
  for (const std::string& note : report.notes) page.sentence("Note: " + note + ".");
  add_gaps(page, report);
  return page.take();
}

}  // namespace hark::show
