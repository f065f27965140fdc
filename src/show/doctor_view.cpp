// Layout:
//
//   BROKEN  tcp 8080  billing.jar (4121): its accept queue is full: 129 of 128 connections wait
//                     (accept-queue-full)
//                     see:  ss -Htln sport = :8080
//                     mend: find out what keeps the program from accepting
//
// Commands are never cut or broken: they are there to be copied.
#include "show/doctor_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "base/protocol.h"
#include "base/text.h"
#include "show/escape.h"
#include "show/list_facts.h"
#include "show/list_footer.h"
#include "show/list_view.h"
#include "show/paragraphs.h"

namespace hark::show {
namespace {

using diagnose::Finding;
using host::Host;
using host::Listener;

constexpr std::size_t kSeverityColumns = 6;
constexpr std::size_t kMostCommands = 2;
constexpr std::size_t kMostGapLines = 5;

struct SeverityWord {
  std::string_view word;
  Colour colour;
};
constexpr std::array<SeverityWord, 3> kSeverities = {
    {{"BROKEN", Colour::Red}, {"RISK", Colour::Yellow}, {"NOTICE", Colour::Bold}}};

/// "tcp 80,443", "udp 53"; of several protocols each: "tcp 53, udp 53".
std::string ports_words(const Host& host, const Finding& finding) {
  std::vector<std::pair<std::string, std::set<std::uint16_t>>> by_protocol;
  std::vector<std::size_t> all = finding.also;
  all.insert(all.begin(), *finding.listener);
  for (const std::size_t i : all) {
    const Listener& one = host.listeners[i];
    const std::string name(name_of(one.protocol));
    auto found =
        std::ranges::find(by_protocol, name, [](const auto& entry) { return entry.first; });
    if (found == by_protocol.end()) found = by_protocol.insert(found, {name, {}});
    found->second.insert(one.port);
  }
  std::vector<std::string> out;
  for (const auto& [name, ports] : by_protocol) {
    std::vector<std::string> numbers;
    for (const std::uint16_t port : ports) numbers.push_back(std::to_string(port));
    out.push_back(name + " " + join(numbers, ","));
  }
  return join(out, ", ");
}

bool has_namespaces(const Host& host) {
  return std::ranges::any_of(host.listeners, [&](const Listener& one) {
    return one.netns != host.listeners.front().netns;
  });
}

std::string subject_of(const Host& host, const Finding& finding, bool ascii) {
  if (!finding.listener) return for_terminal(finding.subject, ascii);
  std::string out = ports_words(host, finding);
  const host::Netns& netns = host.at(host.listeners[*finding.listener].netns);
  if (has_namespaces(host) && !netns.own) out += " in " + netns_words(netns);
  return for_terminal(out, ascii);
}

void add_evidence(const Finding& finding, bool verbose, Paragraphs& screen) {
  std::set<std::string> shown;
  for (const reach::Evidence& one : finding.evidence) {
    if (verbose) screen.labelled("fact: ", one.fact + (one.where.empty() ? "" : ", " + one.where));
    if (one.verify.empty() || !shown.insert(one.verify).second) continue;
    if (!verbose && shown.size() > kMostCommands) continue;
    screen.command("see:  ", one.verify);
  }
}

std::string what_was_asked(const DoctorReport& report) {
  if (report.target == nullptr) {
    const std::size_t count = report.listeners.size();
    return fmt::format("with {} listener{}", count, count == 1 ? "" : "s");
  }
  return "with " + report.target->written;
}

std::string first_line(const DoctorReport& report) {
  if (!report.listeners.empty()) return "Nothing wrong was found " + what_was_asked(report) + ".";
  if (report.target != nullptr) return "Nobody listens on " + report.target->written + ".";
  return "Nothing listens here, and nothing wrong was found.";
}

std::string near_text(const DoctorReport& report, const TableStyle& style) {
  std::string out;
  for (const host::Near& near : report.near) {
    for (const std::string& line : wrapped(for_terminal(near.text, style.ascii), style.width)) {
      out += line + '\n';
    }
  }
  return out;
}

std::string gaps_text(const DoctorReport& report, const TableStyle& style) {
  std::vector<host::Gap> shown;
  for (const host::Gap& gap : report.gaps) {
    if (matters(report, gap)) shown.push_back(gap);
  }
  if (shown.empty()) return {};
  std::string out;
  for (const std::string& line :
       gap_lines(shown, kMostGapLines, style,
                 {.before = "Not looked at", .command = "hark doctor --verbose"})) {
    out += line + '\n';
  }
  return out;
}

}  // namespace

bool matters(const DoctorReport& report, const host::Gap& gap) {
  constexpr std::array<std::string_view, 5> kOfProcesses = {
      "hidepid", "pid-namespace", "owners-not-read", "other-users-processes",
      "unreadable-processes"};
  constexpr std::array<std::string_view, 3> kDetails = {"sockets-from-table", "no-cgroup2",
                                                        "link-not-read"};
  if (std::ranges::find(kDetails, gap.code) != kDetails.end()) return false;
  if (std::ranges::find(kOfProcesses, gap.code) == kOfProcesses.end()) return true;
  return std::ranges::any_of(report.listeners, [&](std::size_t i) {
    const Listener& one = report.host.listeners[i];
    return !one.owners && one.kernel_owners.empty();
  });
}

std::string doctor_text(const DoctorReport& report, const TableStyle& style, bool verbose) {
  std::vector<std::string> subjects;
  for (const Finding& finding : report.findings) {
    subjects.push_back(subject_of(report.host, finding, style.ascii));
  }
  Paragraphs screen(style, kSeverityColumns, subjects);
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const Finding& finding = report.findings[i];
    const auto [word, colour] = kSeverities[static_cast<std::size_t>(finding.severity)];
    screen.begin(word, colour, subjects[i], finding.text + " (" + finding.code + ")");
    add_evidence(finding, verbose, screen);
    if (!finding.remedy.empty()) screen.labelled("mend: ", finding.remedy);
  }
  std::string out = screen.take();
  if (report.findings.empty()) {
    for (const std::string& line :
         wrapped(for_terminal(first_line(report), style.ascii), style.width)) {
      out += line + '\n';
    }
  }
  return out + near_text(report, style) + gaps_text(report, style);
}

}  // namespace hark::show
