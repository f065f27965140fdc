// Processes that lack what they need to serve: descriptors, memory, time of a processor.
//
// Whoever has no descriptor left cannot take a connection; accept(2) fails with EMFILE while the
// kernel goes on completing handshakes. Memory that a cgroup uses is no sign of trouble, for its
// cache of files fills whatever it may have: what cannot be given back is (memory.stat). Time is
// short where most periods of cpu.max between two looks ended early.
#include "diagnose/families.h"
#include "diagnose/words.h"
#include "reach/service.h"
#include "reach/shell_word.h"

namespace hark::diagnose {
namespace {

using host::CgroupHealth;
using host::Process;
using reach::shell_word;

std::string raise_limit_words(const Process& process) {
  const std::string pid = std::to_string(process.pid);
  const std::string how = process.unit.empty() ? "prlimit --pid " + pid + " --nofile=NUMBER"
                                               : "LimitNOFILE= of " + process.unit;
  return "find out what it keeps open (ls -l /proc/" + pid + "/fd), or let it open more: " + how;
}

/// Of those that could serve, how many have no descriptor left.
std::optional<Finding> out_of_descriptors(const Facts& facts, std::size_t i,
                                          const host::Network& network) {
  const std::vector<host::ProcessId> servers = servers_of(facts.host, facts.listener(i));
  std::optional<Finding> out;
  std::size_t count = 0;
  for (const host::ProcessId id : servers) {
    const Process& process = facts.host.at(id);
    auto blocker = reach::process_idle(network, process);
    if (!blocker || blocker->cause.code != "out-of-fds") continue;
    ++count;
    if (out) continue;
    out = Finding{.code = "out-of-fds",
                  .severity = Severity::Broken,
                  .listener = i,
                  .text = std::move(blocker->cause.text),
                  .evidence = std::move(blocker->cause.evidence),
                  .remedy = raise_limit_words(process)};
  }
  if (out && count < servers.size()) {
    out->severity = Severity::Risk;
    out->text += "; " + std::to_string(servers.size() - count) + " of " +
                 std::to_string(servers.size()) + " processes that hold the socket have some";
  }
  return out;
}

std::optional<Finding> descriptors_run_out(const Facts& facts, std::size_t i,
                                           const host::Network& network) {
  for (const host::ProcessId id : servers_of(facts.host, facts.listener(i))) {
    const Process& process = facts.host.at(id);
    const host::HolderFacts* holder = network.services.holder(process.pid);
    if (holder == nullptr || !holder->open_files || !holder->file_limit) continue;
    if (*holder->open_files * 10 < *holder->file_limit * 9) continue;
    const std::string pid = std::to_string(process.pid);
    const std::string fill =
        std::to_string(*holder->open_files) + " of " + std::to_string(*holder->file_limit);
    return Finding{.code = "fds-nearly-out",
                   .severity = Severity::Risk,
                   .listener = i,
                   .text = host::process_words(process) + " has few descriptors left: " + fill +
                           " are open, and each connection takes one",
                   .evidence = {{.fact = fill + " descriptors open",
                                 .where = "process " + pid,
                                 .verify = "ls /proc/" + pid + "/fd | wc -l; grep 'open files' " +
                                           "/proc/" + pid + "/limits"}},
                   .remedy = raise_limit_words(process)};
  }
  return std::nullopt;
}

reach::Evidence memory_evidence(const CgroupHealth& cgroup, std::string fact, const char* file) {
  return {.fact = std::move(fact),
          .where = "cgroup " + cgroup.path,
          .verify = "cat " + shell_word(cgroup.path + "/" + file)};
}

std::optional<Finding> short_of_memory(std::size_t i, const Process& process,
                                       const CgroupHealth& cgroup) {
  if (!cgroup.memory_held || !cgroup.memory_limit || *cgroup.memory_limit == 0) return std::nullopt;
  if (*cgroup.memory_held / 95 < *cgroup.memory_limit / 100) return std::nullopt;
  const std::string fill =
      bytes_words(*cgroup.memory_held) + " of " + bytes_words(*cgroup.memory_limit);
  return Finding{
      .code = "memory-nearly-out",
      .severity = Severity::Risk,
      .listener = i,
      .text = host::process_words(process) + " is at the memory limit of its cgroup: " + fill +
              " are taken and cannot be given back; if it needs more, the kernel kills one of the "
              "cgroup's processes",
      .evidence = {memory_evidence(cgroup, fill, "memory.stat")},
      .remedy = process.unit.empty()
                    ? "find out what takes the memory, or raise the limit of the cgroup"
                    : "find out what takes the memory, or raise MemoryMax= of " + process.unit};
}

std::optional<Finding> killed_for_memory(const Facts& facts, std::size_t i, const Process& process,
                                         const CgroupHealth& cgroup) {
  if (!cgroup.memory_limit || cgroup.oom_kills.value_or(0) == 0) return std::nullopt;
  const host::ProcessHealth* again = facts.health_again_of(process.pid);
  std::uint64_t kills = *cgroup.oom_kills;
  bool now = false;
  if (again != nullptr && again->cgroup && again->cgroup->oom_kills.value_or(0) > kills) {
    kills = *again->cgroup->oom_kills;
    now = true;
  }
  return Finding{
      .code = "oom-killed",
      .severity = now ? Severity::Risk : Severity::Notice,
      .listener = i,
      .text = host::process_words(process) + " shares a memory limit of " +
              bytes_words(*cgroup.memory_limit) + " at which the kernel has killed " +
              std::to_string(kills) + (kills == 1 ? " process" : " processes") + " of its cgroup" +
              (now ? ", and goes on doing so" : " since that was made"),
      .evidence = {memory_evidence(cgroup, "oom_kill " + std::to_string(kills),
                                   cgroup.memory_v1 ? "memory.oom_control" : "memory.events")},
      .remedy =
          "see which process that was (dmesg | grep oom), and give the cgroup more memory or "
          "the process less to do"};
}

std::optional<Finding> slowed_down(const Facts& facts, std::size_t i, const Process& process,
                                   const CgroupHealth& cgroup) {
  const host::ProcessHealth* again = facts.health_again_of(process.pid);
  if (again == nullptr || !again->cgroup || !cgroup.periods || !cgroup.throttled) {
    return std::nullopt;
  }
  const std::uint64_t periods = again->cgroup->periods.value_or(0) - *cgroup.periods;
  const std::uint64_t throttled = again->cgroup->throttled.value_or(0) - *cgroup.throttled;
  if (periods == 0 || throttled > periods || throttled * 2 < periods) return std::nullopt;
  const std::string share = std::to_string(throttled) + " of " + std::to_string(periods);
  return Finding{.code = "throttled",
                 .severity = Severity::Risk,
                 .listener = i,
                 .text = host::process_words(process) +
                         " is held back by the CPU limit of its cgroup: in " + share +
                         " periods while we looked its time was used up early, and it stood still "
                         "until the next",
                 .evidence = {{.fact = "nr_throttled rose by " + std::to_string(throttled) +
                                       ", nr_periods by " + std::to_string(periods),
                               .where = "cgroup " + cgroup.cpu_path,
                               .verify = "cat " + shell_word(cgroup.cpu_path + "/cpu.stat")}},
                 .remedy = process.unit.empty()
                               ? "raise the CPU limit of the cgroup, or give it less to do"
                               : "raise CPUQuota= of " + process.unit + ", or give it less to do"};
}

/// The first of each kind among those that could serve.
void add_limits(const Facts& facts, std::size_t i, std::vector<Finding>& out) {
  bool memory = false;
  bool kills = false;
  bool time = false;
  const auto add = [&out](std::optional<Finding> finding) {
    if (finding) out.push_back(std::move(*finding));
    return finding.has_value();
  };
  for (const host::ProcessId id : servers_of(facts.host, facts.listener(i))) {
    const Process& process = facts.host.at(id);
    const host::ProcessHealth* health = facts.health_of(process.pid);
    if (health == nullptr || !health->cgroup) continue;
    const CgroupHealth& cgroup = *health->cgroup;
    memory = memory || add(short_of_memory(i, process, cgroup));
    kills = kills || add(killed_for_memory(facts, i, process, cgroup));
    time = time || add(slowed_down(facts, i, process, cgroup));
  }
}

}  // namespace

std::vector<Finding> starved_owners(const Facts& facts) {
  std::vector<Finding> out;
  for (const std::size_t i : facts.listeners) {
    const host::Network* network = facts.network(facts.listener(i));
    if (network != nullptr) {
      auto descriptors = out_of_descriptors(facts, i, *network);
      if (!descriptors) descriptors = descriptors_run_out(facts, i, *network);
      if (descriptors) out.push_back(std::move(*descriptors));
    }
    add_limits(facts, i, out);
  }
  return out;
}

}  // namespace hark::diagnose
