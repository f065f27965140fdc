// Services that are not there because systemd could not start them, or starts them again and again.
// systemd.service(5), org.freedesktop.systemd1(5).
//
// A unit counts if it is enabled, and a service only if it is to stay: one of Type=oneshot ends,
// and what it did is no listener's matter. Between two attempts a service is "activating
// (auto-restart)"; right after one it is as active as any other, so that one which was started
// again several times and a moment ago counts as well.
#include <algorithm>
#include <cstdlib>
#include <set>

#include "diagnose/families.h"
#include "diagnose/words.h"
#include "reach/service.h"
#include "reach/shell_word.h"

namespace hark::diagnose {
namespace {

using host::UnitFacts;
using reach::shell_word;

constexpr std::uint32_t kSeveralRestarts = 3;
constexpr std::int64_t kMomentMs = 60'000;

/// How it ended last; empty: not told.
std::string end_words(const UnitFacts& unit) {
  constexpr std::int32_t kNoProgram = 203;  // EXIT_EXEC of systemd.exec(5)
  if (unit.result == "oom-kill") return "the kernel killed it for want of memory";
  if (unit.result == "timeout") return "it did not say in time that it is ready, or did not stop";
  if (unit.result == "watchdog") return "it did not answer its watchdog";
  if (!unit.last_exit) return unit.result == "success" ? "" : unit.result;
  if (unit.last_exit->code != "exited") {
    const bool dumped = unit.last_exit->code == "dumped";
    return "it was ended by " + signal_words(unit.last_exit->status) +
           (dumped ? ", core dumped" : "");
  }
  std::string out = "it ended with exit status " + std::to_string(unit.last_exit->status);
  if (unit.last_exit->status == kNoProgram) out += ": its program could not be executed";
  return out;
}

/// Its process that the kernel's log says was killed, as systemd saw it end: the log is the only
/// one to tell where systemd does not watch the memory of units (cgroup v1), or only goes by it
/// (OOMPolicy=continue).
const host::OomKill* killed_for_memory(const Facts& facts, const UnitFacts& unit) {
  constexpr std::int64_t kApartMs = 10'000;
  constexpr std::int32_t kSigkill = 9;
  if (!unit.last_exit || unit.last_exit->code == "exited") return nullptr;
  if (unit.last_exit->status != kSigkill || unit.user) return nullptr;
  const host::OomKill* out = nullptr;
  for (const host::OomKill& one : facts.oom_kills) {
    if (one.unit != unit.name) continue;
    const auto& ended = unit.last_exit->at_ms;
    const bool apart = one.at_ms && ended && std::abs(*one.at_ms - *ended) > kApartMs;
    if (!apart) out = &one;
  }
  return out;
}

std::string since(const Facts& facts, const std::optional<std::int64_t>& at_ms) {
  if (!at_ms || facts.host.taken_at_ms <= *at_ms) return {};
  return ", " + duration_words(facts.host.taken_at_ms - *at_ms) + " ago";
}

Finding about(const UnitFacts& unit, const char* code, Severity severity, std::string text) {
  Finding out{.code = code,
              .severity = severity,
              .subject = unit.name,
              .text = std::move(text),
              .evidence = {{.fact = unit.active_state + " (" + unit.sub_state + ")" +
                                    (unit.result.empty() ? "" : ", result " + unit.result),
                            .where = unit.name,
                            .verify = "systemctl status " + shell_word(unit.name)}},
              .remedy = "see what it said (journalctl -u " + shell_word(unit.name) + " -n 50)"};
  if (unit.result == "oom-kill") out.remedy += ", and give it more memory or less to do";
  return out;
}

bool is_to_stay(const UnitFacts& unit) {
  return unit.name.ends_with(".socket") || unit.service_type != "oneshot";
}

bool starts_again_and_again(const Facts& facts, const UnitFacts& unit) {
  const std::uint32_t restarts = unit.restarts.value_or(0);
  if (unit.sub_state.starts_with("auto-restart")) return restarts > 0 || unit.last_exit;
  if (restarts < kSeveralRestarts || !unit.last_exit || !unit.state_since_ms) return false;
  return unit.active_state != "failed" && facts.host.taken_at_ms - *unit.state_since_ms < kMomentMs;
}

std::optional<Finding> of_unit(const Facts& facts, const UnitFacts& unit, const std::string& why) {
  const std::string because = why.empty() ? "" : ": " + why;
  const std::string when = unit.last_exit ? since(facts, unit.last_exit->at_ms) : std::string();
  if (unit.result == "start-limit-hit" && unit.active_state == "failed") {
    Finding out = about(unit, "start-limit-hit", Severity::Broken,
                        unit.name + " is not started any more, for it was started too often" +
                            (unit.last_exit ? "; last, " + why + when : ""));
    out.remedy += "; once that is mended: systemctl reset-failed " + shell_word(unit.name) +
                  " && systemctl start " + shell_word(unit.name);
    return out;
  }
  if (starts_again_and_again(facts, unit)) {
    return about(unit, "restarting", Severity::Broken,
                 unit.name + " ends and is started again and again: " +
                     counted(unit.restarts.value_or(0), "restart") + " so far" +
                     (why.empty() ? "" : "; last, " + why + when));
  }
  if (unit.active_state != "failed" || !is_to_stay(unit)) return std::nullopt;
  const bool socket = unit.name.ends_with(".socket");
  return about(unit, "unit-failed", socket ? Severity::Broken : Severity::Risk,
               unit.name + " is enabled and does not run, for it has failed" + because + when);
}

/// With what the kernel's log adds to it.
std::optional<Finding> with_log(const Facts& facts, const UnitFacts& unit) {
  const host::OomKill* kill = killed_for_memory(facts, unit);
  if (kill == nullptr) return of_unit(facts, unit, end_words(unit));
  const std::string who = kill->program + " (" + std::to_string(kill->pid) + ")";
  auto out = of_unit(facts, unit, "the kernel killed " + who + " for want of memory");
  if (!out) return out;
  out->evidence.push_back({.fact = "oom-kill of " + who + " in " + kill->cgroup,
                           .where = "kernel log",
                           .verify = "dmesg -T | grep oom-kill:"});
  if (unit.result != "oom-kill") out->remedy += ", and give it more memory or less to do";
  return out;
}

/// A listener of systemd that has nobody to give its clients to.
std::optional<Finding> of_listener(const Facts& facts, std::size_t i, std::set<std::string>& told) {
  auto blocker = reach::activation_fails(facts.host, facts.listener(i));
  if (!blocker) return std::nullopt;
  for (const host::UnitId id : facts.listener(i).socket_units) {
    const UnitFacts& unit = facts.host.at(id);
    told.insert(unit.triggers.begin(), unit.triggers.end());
  }
  return Finding{.code = "socket-activation",
                 .severity = Severity::Broken,
                 .listener = i,
                 .text = std::move(blocker->cause.text),
                 .evidence = std::move(blocker->cause.evidence),
                 .remedy = "mend the service, and start its socket unit again"};
}

}  // namespace

std::vector<Finding> failing_units(const Facts& facts) {
  std::vector<Finding> out;
  std::set<std::string> told;
  for (const std::size_t i : facts.listeners) {
    if (auto finding = of_listener(facts, i, told)) out.push_back(std::move(*finding));
  }
  for (const UnitFacts& unit : facts.host.units) {
    if (!unit.wanted || told.contains(unit.name)) continue;
    if (auto finding = with_log(facts, unit)) out.push_back(std::move(*finding));
  }
  return out;
}

}  // namespace hark::diagnose
