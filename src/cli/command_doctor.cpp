// hark doctor: target, source, host, what the families of findings need, screen or JSON.
#include <algorithm>
#include <cerrno>

#include "cli/commands.h"
#include "cli/doctor_facts.h"
#include "cli/source.h"
#include "cli/tally.h"
#include "cli/terminal.h"
#include "diagnose/finding.h"
#include "host/target.h"
#include "show/doctor_json.h"
#include "show/doctor_view.h"
#include "show/escape.h"

namespace hark::cli {
namespace {

using host::Host;
using host::Target;

/// In every namespace that was read.
std::vector<std::size_t> listeners_meant(const Host& host, const Target* target) {
  std::vector<std::size_t> out;
  if (target == nullptr) {
    for (std::size_t i = 0; i < host.listeners.size(); ++i) {
      if (!host.listeners[i].probable_client) out.push_back(i);
    }
    return out;
  }
  for (std::size_t i = 0; i < host.namespaces.size(); ++i) {
    const auto some = host::listeners_of(host, static_cast<host::NetnsId>(i), *target);
    out.insert(out.end(), some.begin(), some.end());
  }
  std::ranges::sort(out);
  return out;
}

ExitStatus status_of(const show::DoctorReport& report) {
  if (!report.findings.empty()) return ExitStatus::No;
  if (report.target != nullptr && report.listeners.empty()) return ExitStatus::No;
  // What a recording cannot hold takes nothing from the answer.
  const bool open = std::ranges::any_of(report.gaps, [&](const host::Gap& gap) {
    return gap.code != "one-look" && show::matters(report, gap);
  });
  return open ? ExitStatus::CannotTell : ExitStatus::Yes;
}

void tell(const Invocation& asked, const show::DoctorReport& report, Output& out) {
  if (asked.json) {
    show::write_doctor_json(report, [&out](std::string_view text) { out.write(text); });
  } else {
    out.write(show::doctor_text(report, choose_style(asked, look_around()), asked.verbose));
  }
}

void take_gaps(std::vector<host::Gap> more, std::vector<host::Gap>& into) {
  std::ranges::move(more, std::back_inserter(into));
  std::ranges::sort(into);
  into.erase(std::unique(into.begin(), into.end()), into.end());
}

}  // namespace

Outcome command_doctor(const Invocation& asked, Output& out) {
  std::optional<Target> target;
  if (!asked.words.empty()) {
    Result<Target> parsed = host::parse_target(asked.words.front());
    if (!parsed) return fail_with(ExitStatus::Usage, parsed.error());
    target = std::move(*parsed);
  }
  const tl::expected<OpenedSource, Failure> opened = open_source(asked);
  if (!opened) return tl::unexpected<Failure>(opened.error());
  Tally tally(*opened->source);
  kernel::Source& source = asked.verbose ? static_cast<kernel::Source&>(tally) : *opened->source;
  auto collected = collect_with_ways(source, asked, {.owners = true, .details = true});
  if (!collected) return tl::unexpected<Failure>(collected.error());
  const Host& host = collected->host;

  show::DoctorReport report{.host = host, .target = target ? &*target : nullptr};
  report.listeners = listeners_meant(host, report.target);
  DoctorFacts read =
      read_doctor_facts(source, *collected, report.listeners, diagnose::needs_of_all(),
                        {.again = !opened->recorded, .seconds = asked.watch_seconds});
  report.findings = diagnose::diagnose({.host = host,
                                        .reach = read.reach,
                                        .listeners = report.listeners,
                                        .health = std::move(read.health),
                                        .health_again = std::move(read.health_again),
                                        .waits = std::move(read.waits),
                                        .waits_again = std::move(read.waits_again),
                                        .looks = std::move(read.looks),
                                        .declared = std::move(read.declared),
                                        .localhost = std::move(read.localhost),
                                        .target = report.target});
  report.gaps = host.gaps;
  take_gaps(std::move(read.gaps), report.gaps);
  if (target && report.listeners.empty() && report.findings.empty()) {
    report.near = host::near_targets(host, host::NetnsId{0}, *target);
  }
  if (asked.verbose) {
    print_message("hark: source: " + show::for_terminal(opened->name) + "\n" + tally.text() +
                  gaps_text(report.gaps));
  }
  tell(asked, report, out);
  leave(status_of(report), out);
}

}  // namespace hark::cli
