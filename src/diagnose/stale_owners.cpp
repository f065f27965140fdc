// Processes that are behind what they were made from: a configuration that was changed since they
// read it, a container that was removed.
//
// A server reads its files when it starts and when it is told to. Nobody writes down that it was
// told: workers that are younger than the file, a pid file that was written anew, or a unit whose
// state changed after it, tell of it.
#include <algorithm>

#include "diagnose/families.h"
#include "diagnose/words.h"
#include "reach/shell_word.h"

namespace hark::diagnose {
namespace {

using host::ConfigTime;
using host::Listener;
using host::Process;
using reach::shell_word;

/// Clocks of files and of processes are not the same to the last moment.
constexpr std::int64_t kMarginMs = 1000;

bool was_reloaded(const Facts& facts, const Listener& listener, const Process& server,
                  const ConfigTime& config) {
  const std::int64_t written_at_ms = config.written_at_ms;
  if (config.read_at_ms && *config.read_at_ms >= written_at_ms) return true;
  if (listener.unit_id) {
    const auto& since = facts.host.at(*listener.unit_id).state_since_ms;
    if (since && *since >= written_at_ms) return true;
  }
  return std::ranges::any_of(*listener.owners, [&](const host::Owner& owner) {
    const Process& other = facts.host.at(owner.process);
    return other.pid != server.pid && other.name == server.name && other.started_at_ms &&
           *other.started_at_ms >= written_at_ms;
  });
}

std::string ago(const Facts& facts, std::int64_t at_ms) {
  const std::int64_t age = facts.host.taken_at_ms - at_ms;
  return age < 1000 ? "just now" : duration_words(age) + " ago";
}

std::optional<Finding> config_newer(const Facts& facts, std::size_t i) {
  const Listener& listener = facts.listener(i);
  for (const host::ProcessId id : servers_of(facts.host, listener)) {
    const Process& process = facts.host.at(id);
    const auto config = std::ranges::find(facts.configs, process.pid, &ConfigTime::pid);
    if (config == facts.configs.end() || !process.started_at_ms) continue;
    if (config->written_at_ms < *process.started_at_ms + kMarginMs) continue;
    if (was_reloaded(facts, listener, process, *config)) continue;
    const std::string again = process.unit.empty()
                                  ? "have the program read it again"
                                  : "systemctl reload-or-restart " + shell_word(process.unit);
    return Finding{
        .code = "config-newer",
        .severity = Severity::Notice,
        .listener = i,
        .text = host::process_words(process) + " started " + ago(facts, *process.started_at_ms) +
                ", and its configuration " + config->file + " was changed " +
                ago(facts, config->written_at_ms) +
                ": unless it was told to read it again, it does not do what that says now",
        .evidence = {{.fact =
                          config->file + " was written at " + host::rfc3339(config->written_at_ms),
                      .where = config->found,
                      .verify = "stat -c %y " + shell_word(config->found)},
                     {.fact = "started at " + host::rfc3339(*process.started_at_ms),
                      .where = "process " + std::to_string(process.pid),
                      .verify = "ps -o lstart= -p " + std::to_string(process.pid)}},
        .remedy = "check the file, then " + again +
                  "; if that was done without starting it anew, nothing is wrong"};
  }
  return std::nullopt;
}

std::optional<Finding> deleted_container(const Facts& facts, std::size_t i) {
  for (const host::ProcessId id : servers_of(facts.host, facts.listener(i))) {
    const Process& process = facts.host.at(id);
    if (!process.container || !process.container->gone) continue;
    const host::Container& container = *process.container;
    const std::string pid = std::to_string(process.pid);
    return Finding{.code = "deleted-container",
                   .severity = Severity::Risk,
                   .listener = i,
                   .text = host::process_words(process) + " was left over by a container: " +
                           container.runtime + " knows no " + container.id.substr(0, 12) +
                           " any more, and will neither show nor stop it",
                   .evidence = {{.fact = "in the cgroup of container " + container.id,
                                 .where = "process " + pid,
                                 .verify = "cat /proc/" + pid + "/cgroup"},
                                {.fact = "no state of " + container.id.substr(0, 12),
                                 .where = container.runtime,
                                 .verify = shell_word(container.runtime) + " ps -a --no-trunc"}},
                   .remedy = "end it (kill " + pid + "), unless somebody means it to run"};
  }
  return std::nullopt;
}

}  // namespace

std::vector<Finding> stale_owners(const Facts& facts) {
  std::vector<Finding> out;
  for (const std::size_t i : facts.listeners) {
    for (auto* find : {config_newer, deleted_container}) {
      if (auto finding = find(facts, i)) out.push_back(std::move(*finding));
    }
  }
  return out;
}

}  // namespace hark::diagnose
