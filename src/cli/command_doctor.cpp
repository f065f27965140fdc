// hark doctor: target, source, host, what the families of findings need, screen or JSON.
#include <algorithm>
#include <cerrno>

#include "cli/commands.h"
#include "cli/list_reach.h"
#include "cli/source.h"
#include "cli/survey.h"
#include "cli/tally.h"
#include "cli/terminal.h"
#include "host/target.h"
#include "show/doctor_json.h"
#include "show/doctor_view.h"
#include "show/escape.h"

namespace hark::cli {
namespace {

using host::Host;
using host::Target;

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

}  // namespace

Outcome command_doctor(const Invocation& asked, Output& out) {
  std::optional<Target> target;
  if (!asked.words.empty()) {
    Result<Target> parsed = host::parse_target(asked.words.front());
    if (!parsed) return fail_with(ExitStatus::Usage, parsed.error());
    target = std::move(*parsed);
  }
  give_threads_heaps();
  const tl::expected<OpenedSource, Failure> opened = open_source(asked);
  if (!opened) return tl::unexpected<Failure>(opened.error());
  Tally tally(*opened->source);
  kernel::Source& source = asked.verbose ? static_cast<kernel::Source&>(tally) : *opened->source;
  const host::Target* const meant = target ? &*target : nullptr;
  const auto taken = survey(source, asked, meant,
                            {.again = !opened->recorded,
                             .seconds = asked.watch_seconds,
                             .all_namespaces = meant == nullptr});
  if (!taken) return tl::unexpected<Failure>(taken.error());
  Survey& all = **taken;
  const Host& host = all.host();

  show::DoctorReport report{.host = host,
                            .target = meant,
                            .listeners = std::move(all.listeners),
                            .findings = std::move(all.findings),
                            .gaps = std::move(all.gaps)};
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
