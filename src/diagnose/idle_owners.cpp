// Processes that hold a listener and do not run. Clients connect all the same, for the kernel
// completes the handshake, and then nothing comes.
//
// Who is stopped or frozen is told by reach::process_idle(), as in `hark why`; here a second look
// must agree, since a traced process stops for a moment at each of its system calls.
// Uninterruptible sleep is healthy while a disk answers: it counts only if the process did not run
// once between two looks. A freezer of cgroup v1 puts tasks into that state as well, so frozen is
// asked first.
#include <algorithm>

#include "diagnose/families.h"
#include "diagnose/port_group.h"
#include "diagnose/words.h"
#include "reach/service.h"
#include "reach/shell_word.h"

namespace hark::diagnose {
namespace {

using host::Process;
using reach::shell_word;

/// Why one process does not serve.
struct Idle {
  std::string code;
  std::string text;
  std::vector<reach::Evidence> evidence = {};
  std::string remedy = {};
};

/// In one of these states at every look, and it did not run in between.
bool stays_in(const Facts& facts, const Process& process, std::string_view states) {
  std::optional<std::uint64_t> switches;
  for (const host::Look& look : facts.looks) {
    const host::ProcessLook* then = look.process(process.pid);
    if (then == nullptr) continue;  // not recorded, or gone
    if (states.find(then->state) == std::string_view::npos) return false;
    if (switches && then->switches && *then->switches != *switches) return false;
    switches = then->switches;
  }
  return true;
}

std::string thaw_words(const Facts& facts, const Process& process) {
  if (process.container && !process.container->name.empty()) {
    const std::string& runtime = process.container->runtime;
    if (runtime == "docker" || runtime == "podman") {
      return "let it go on: " + runtime + " unpause " + shell_word(process.container->name);
    }
  }
  const std::string pid = std::to_string(process.pid);
  for (const std::size_t i : facts.listeners) {
    const host::Network* network = facts.network(facts.listener(i));
    const host::HolderFacts* holder =
        network == nullptr ? nullptr : network->services.holder(process.pid);
    if (holder == nullptr || holder->frozen_file.empty()) continue;
    const std::string folder = holder->frozen_file.substr(0, holder->frozen_file.rfind('/'));
    if (holder->frozen_file.ends_with("/freezer.state")) {
      return "thaw it: echo THAWED > " + shell_word(holder->frozen_file);
    }
    if (!process.unit.empty()) return "thaw it: systemctl thaw " + shell_word(process.unit);
    return "thaw it: echo 0 > " + shell_word(folder + "/cgroup.freeze");
  }
  return "thaw its cgroup";
}

std::optional<Idle> stopped_or_frozen(const Facts& facts, const host::Network& network,
                                      const Process& process) {
  auto blocker = reach::process_idle(network, process);
  if (!blocker) return std::nullopt;
  reach::Cause& cause = blocker->cause;
  Idle out{.code = cause.code, .text = cause.text, .evidence = std::move(cause.evidence)};
  if (cause.code == "frozen") {
    out.remedy = thaw_words(facts, process);
    return out;
  }
  if (cause.code != "stopped" || !stays_in(facts, process, "Tt")) return std::nullopt;
  const std::string pid = std::to_string(process.pid);
  out.remedy = "let it go on: kill -CONT " + pid;
  const host::ProcessHealth* health = facts.health_of(process.pid);
  const std::uint32_t tracer = health == nullptr ? 0 : health->status.tracer_pid.value_or(0);
  if (process.state == 't' && tracer != 0) {
    out.evidence.push_back({.fact = "TracerPid " + std::to_string(tracer) +
                                    (health->tracer.empty() ? "" : " (" + health->tracer + ")"),
                            .where = "process " + pid,
                            .verify = "grep TracerPid /proc/" + pid + "/status"});
    out.remedy = "let the debugger continue or detach: it is process " + std::to_string(tracer);
  }
  return out;
}

/// No thread of it may run, as far as its threads were seen.
bool all_threads_in(const host::ProcessHealth& health, std::string_view states) {
  return std::ranges::all_of(health.threads, [states](const host::ThreadHealth& one) {
    return states.find(one.state) != std::string_view::npos;
  });
}

std::optional<Idle> uninterruptible(const Facts& facts, const Process& process) {
  const host::ProcessHealth* health = facts.health_of(process.pid);
  if (health == nullptr || !facts.looked_twice() || health->threads.empty()) return std::nullopt;
  // A process that is killed ends with its first thread a zombie until the others have ended.
  constexpr std::string_view kStuck = "DZX";
  if (!all_threads_in(*health, kStuck) || !stays_in(facts, process, kStuck)) return std::nullopt;
  if (std::ranges::find(health->threads, 'D', &host::ThreadHealth::state) ==
      health->threads.end()) {
    return std::nullopt;
  }
  const std::string pid = std::to_string(process.pid);
  return Idle{.code = "uninterruptible",
              .text = host::process_words(process) +
                      " waits inside the kernel, where no signal reaches it, and did not run once "
                      "while we looked",
              .evidence = {{.fact = "state D",
                            .where = "process " + pid,
                            .verify = "cat /proc/" + pid + "/stack"}},
              .remedy =
                  "find out what it waits for, most often a disk or a network file system "
                  "that does not answer; it goes on by itself once that does"};
}

std::optional<Idle> why_idle(const Facts& facts, const host::Network& network,
                             const Process& process) {
  if (auto idle = stopped_or_frozen(facts, network, process)) return idle;
  return uninterruptible(facts, process);
}

/// Of those that could serve, who stands still.
struct Standing {
  Idle first;
  std::size_t count = 0;
  std::size_t servers = 0;
};

std::optional<Standing> standing(const Facts& facts, std::size_t i) {
  const host::Listener& listener = facts.listener(i);
  const host::Network* network = facts.network(listener);
  const std::vector<host::ProcessId> servers = servers_of(facts.host, listener);
  if (network == nullptr) return std::nullopt;
  std::optional<Standing> out;
  for (const host::ProcessId id : servers) {
    auto idle = why_idle(facts, *network, facts.host.at(id));
    if (!idle) continue;
    if (!out) out = Standing{.first = std::move(*idle), .servers = servers.size()};
    ++out->count;
  }
  return out;
}

/// The kernel gives each socket of the group the same share of the clients, served or not.
void tell_of_group(const Facts& facts, std::size_t i, Finding& finding) {
  const std::vector<std::size_t> group = sharing_the_port(facts, i);
  const auto is_dead = [&facts](std::size_t member) {
    const auto found = standing(facts, member);
    return found && found->count == found->servers;
  };
  const auto dead = static_cast<std::size_t>(std::ranges::count_if(group, is_dead));
  if (dead == 0 || dead == group.size()) return;
  finding.code = "reuseport-member-idle";
  finding.severity = Severity::Risk;
  finding.text += "; " + std::to_string(dead) + " of " + std::to_string(group.size()) +
                  " sockets that share the port (SO_REUSEPORT)" + (dead == 1 ? " is" : " are") +
                  " in this state, and about " +
                  std::to_string((dead * 100 + group.size() / 2) / group.size()) +
                  " % of the clients meet silence there";
  finding.evidence.push_back({.fact = std::to_string(group.size()) + " sockets share the port",
                              .where = "socket",
                              .verify = socket_command(facts.listener(i), "p")});
  finding.remedy += "; or end it, and the others get its clients";
}

/// All of those that could serve stand still, or some of them.
std::optional<Finding> standing_still(const Facts& facts, std::size_t i) {
  auto found = standing(facts, i);
  if (!found) return std::nullopt;
  const std::size_t running = found->servers - found->count;
  Finding out{.code = std::move(found->first.code),
              .severity = Severity::Broken,
              .listener = i,
              .text = std::move(found->first.text),
              .evidence = std::move(found->first.evidence),
              .remedy = std::move(found->first.remedy)};
  if (running > 0) {
    out.severity = Severity::Risk;
    out.text += "; " + std::to_string(running) + " of " + std::to_string(found->servers) +
                " processes that hold the socket still run";
    return out;
  }
  if (found->count > 1) {
    out.text += ", and the other " + std::to_string(found->count - 1) +
                " that hold the socket do not run either";
  }
  tell_of_group(facts, i, out);
  return out;
}

/// The first thread has ended, and others keep the process and its sockets.
std::optional<Finding> without_leader(const Facts& facts, std::size_t i, const Process& process) {
  const host::ProcessHealth* health = facts.health_of(process.pid);
  if (health == nullptr || health->status.state != 'Z') return std::nullopt;
  const std::string pid = std::to_string(process.pid);
  return Finding{
      .code = "zombie-holder",
      .severity = Severity::Notice,
      .listener = i,
      .text = host::process_words(process) +
              " has ended its first thread; the socket is kept by another thread of it, which may "
              "not be meant to serve",
      .evidence = {{.fact = "state Z of the first thread",
                    .where = "process " + pid,
                    .verify = "ps -L -o tid,stat,wchan,comm -p " + pid}},
      .remedy = "if nobody is served, end what is left of it: kill " + pid};
}

std::optional<Finding> traced(const Facts& facts, std::size_t i, const Process& process) {
  const host::ProcessHealth* health = facts.health_of(process.pid);
  const std::uint32_t tracer = health == nullptr ? 0 : health->status.tracer_pid.value_or(0);
  if (tracer == 0) return std::nullopt;
  const std::string pid = std::to_string(process.pid);
  const std::string who = (health->tracer.empty() ? "process " : health->tracer + " (") +
                          std::to_string(tracer) + (health->tracer.empty() ? "" : ")");
  return Finding{.code = "traced",
                 .severity = Severity::Notice,
                 .listener = i,
                 .text = host::process_words(process) + " is traced by " + who +
                         ", which slows it down and can stop it at any time",
                 .evidence = {{.fact = "TracerPid " + std::to_string(tracer),
                               .where = "process " + pid,
                               .verify = "grep TracerPid /proc/" + pid + "/status"}},
                 .remedy = "end the debugger or tracer once it is not needed"};
}

}  // namespace

std::vector<Finding> idle_owners(const Facts& facts) {
  std::vector<Finding> out;
  for (const std::size_t i : facts.listeners) {
    auto still = standing_still(facts, i);
    const bool told = still.has_value();
    if (still) out.push_back(std::move(*still));
    for (const host::ProcessId id : servers_of(facts.host, facts.listener(i))) {
      const Process& process = facts.host.at(id);
      if (told) break;
      if (auto finding = without_leader(facts, i, process)) out.push_back(std::move(*finding));
      if (auto finding = traced(facts, i, process)) out.push_back(std::move(*finding));
    }
  }
  return out;
}

}  // namespace hark::diagnose
