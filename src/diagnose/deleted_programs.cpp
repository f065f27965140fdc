// A process goes on running the file that it was started from, also once that has been removed or
// replaced: an upgrade takes effect when it is started again. /proc/PID/exe and /proc/PID/maps say
// "(deleted)" then.
#include "base/text.h"
#include "diagnose/families.h"
#include "diagnose/words.h"

namespace hark::diagnose {
namespace {

using host::Process;

constexpr std::size_t kMostNamed = 3;

std::string shown(const std::vector<std::string>& paths) {
  std::vector<std::string> names;
  for (const std::string& path : paths) {
    if (names.size() == kMostNamed) break;
    names.push_back(path.substr(path.rfind('/') + 1));
  }
  std::string out = hark::join(names, ", ");
  if (paths.size() > kMostNamed) {
    out += " and " + std::to_string(paths.size() - kMostNamed) + " more";
  }
  return out;
}

/// A program that was never a file with a name: from memfd_create(2).
bool is_from_memory(const Process& process) {
  return process.exe && process.exe->starts_with("/memfd:");
}

/// What was removed, in words; empty: nothing.
std::string removed_words(const Facts& facts, const Process& process, std::string& verify) {
  const std::string pid = std::to_string(process.pid);
  if (process.exe_deleted && !is_from_memory(process)) {
    verify = "ls -l /proc/" + pid + "/exe";
    const std::string file = process.exe.value_or(process.exe_name);
    return file.empty() ? "its program file" : "its program file " + file;
  }
  const host::ProcessHealth* health = facts.health_of(process.pid);
  if (health == nullptr || !health->deleted_libraries || health->deleted_libraries->empty()) {
    return {};
  }
  verify = "grep deleted /proc/" + pid + "/maps";
  const bool one = health->deleted_libraries->size() == 1;
  return std::string(one ? "its library " : "its libraries ") + shown(*health->deleted_libraries);
}

std::string remedy_for(const Process& process) {
  const std::string what =
      process.unit.empty() ? "start it again" : "start " + process.unit + " again";
  return what + ", so that it runs what is installed now";
}

std::optional<Finding> of_listener(const Facts& facts, std::size_t i) {
  for (const host::ProcessId id : servers_of(facts.host, facts.listener(i))) {
    const Process& process = facts.host.at(id);
    std::string verify;
    const std::string removed = removed_words(facts, process, verify);
    if (removed.empty()) continue;
    Finding out{.code = "deleted-binary",
                .severity = Severity::Notice,
                .listener = i,
                .text = host::process_words(process) + " runs what is no longer there: " + removed +
                        " was removed or replaced since it started",
                .evidence = {{.fact = removed + " (deleted)",
                              .where = "process " + std::to_string(process.pid),
                              .verify = verify}},
                .remedy = remedy_for(process)};
    if (process.started_at_ms && facts.host.taken_at_ms > *process.started_at_ms) {
      out.text += " " + duration_words(facts.host.taken_at_ms - *process.started_at_ms) + " ago";
    }
    return out;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Finding> deleted_programs(const Facts& facts) {
  std::vector<Finding> out;
  for (const std::size_t i : facts.listeners) {
    if (auto finding = of_listener(facts, i)) out.push_back(std::move(*finding));
  }
  return out;
}

}  // namespace hark::diagnose
