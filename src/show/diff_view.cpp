// Layout:
//
//   OPENED   tcp 6379  redis-server (699) was this host only, is now reachable from anywhere: bind
//                      changed 127.0.0.1 -> 0.0.0.0
//   NEW      tcp 3000  grafana (812): every address; reachable from anywhere
//
//   2 changes on web1 from 2026-11-21 07:00:02 to now; 14 listeners and published ports are as they
//   were.
#include "show/diff_view.h"

#include <algorithm>
#include <array>

#include "show/escape.h"
#include "show/list_facts.h"
#include "show/list_footer.h"
#include "show/paragraphs.h"

namespace hark::show {
namespace {

using diagnose::Finding;

constexpr std::size_t kWordColumns = 7;
constexpr std::size_t kMostGapLines = 5;

std::string upper(std::string_view word) {
  std::string out(word);
  for (char& letter : out) letter = static_cast<char>(letter - 'a' + 'A');
  return out;
}

Colour colour_of(diagnose::Severity severity) {
  constexpr std::array kColours = {Colour::Red, Colour::Yellow, Colour::Bold};
  return kColours[static_cast<std::size_t>(severity)];
}

std::string time_words(const DiffSide& side) {
  if (side.file.empty()) return "now";
  const std::int64_t at = side.snapshot.host.taken_at_ms;
  if (at <= 0) return "a time that is not known";
  return local_time(at).value_or("a time that no calendar has");
}

std::string counted(std::size_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string host_words(const DiffReport& report) {
  const host::Host& then = report.before.snapshot.host;
  const host::Host& now = report.after.snapshot.host;
  if (!report.changes.other_host) return "on " + now.name;
  return "from " + then.name + " to " + now.name;
}

std::string summary(const DiffReport& report, std::size_t changes) {
  const bool live = report.after.file.empty();
  const std::string since =
      live ? "since " + time_words(report.before)
           : "from " + time_words(report.before) + " to " + time_words(report.after);
  const std::size_t same = report.changes.unchanged;
  const std::string rest = counted(same, "listener or published port is as it was",
                                   "listeners and published ports are as they were");
  if (changes == 0) {
    return "Nothing changed " + host_words(report) + " " + since + ": " + rest + ".";
  }
  return counted(changes, "change", "changes") + " " + host_words(report) + " " + since + "; " +
         rest + ".";
}

std::string lines_of(const std::string& text, const TableStyle& style) {
  std::string out;
  for (const std::string& line : wrapped(for_terminal(text, style.ascii), style.width)) {
    out += line + '\n';
  }
  return out;
}

/// Findings that are about no listener.
void add_findings(const DiffReport& report, Paragraphs& screen, bool ascii) {
  for (const std::size_t i : report.changes.came) {
    const Finding& one = report.after.snapshot.findings[i];
    screen.begin("NEW", colour_of(one.severity), for_terminal(one.subject, ascii),
                 one.text + " (" + one.code + ")");
  }
  for (const std::size_t i : report.changes.went) {
    const Finding& one = report.before.snapshot.findings[i];
    screen.begin("GONE", Colour::Bold, for_terminal(one.subject, ascii),
                 "no longer: " + one.text + " (" + one.code + ")");
  }
}

std::string gaps_text(const DiffReport& report, const TableStyle& style) {
  const auto& gaps = report.changes.gaps;
  if (gaps.empty()) return {};
  std::string out;
  for (const std::string& line : gap_lines(
           gaps, kMostGapLines, style, {.before = "Not compared", .command = "hark diff --json"})) {
    out += line + '\n';
  }
  return out;
}

}  // namespace

std::string diff_text(const DiffReport& report, const TableStyle& style) {
  const std::vector<DiffRow> rows = diff_rows(report, style.ascii);
  std::vector<std::string> subjects;
  for (const DiffRow& row : rows) subjects.push_back(for_terminal(row.subject, style.ascii));
  const std::size_t of_rows = subjects.size();
  for (const std::size_t i : report.changes.came) {
    subjects.push_back(for_terminal(report.after.snapshot.findings[i].subject, style.ascii));
  }
  for (const std::size_t i : report.changes.went) {
    subjects.push_back(for_terminal(report.before.snapshot.findings[i].subject, style.ascii));
  }
  Paragraphs screen(style, kWordColumns, subjects);
  for (std::size_t i = 0; i < of_rows; ++i) {
    screen.begin(upper(name_of(rows[i].turn)), colour_of(rows[i].severity), subjects[i],
                 rows[i].text);
  }
  add_findings(report, screen, style.ascii);
  std::string out;
  if (report.changes.other_host) {
    out = lines_of("These are two hosts: " + report.before.snapshot.host.name + " and " +
                       report.after.snapshot.host.name + ".",
                   style);
  }
  out += screen.take();
  if (!subjects.empty()) out += '\n';
  return out + lines_of(summary(report, subjects.size()), style) + gaps_text(report, style);
}

}  // namespace hark::show
