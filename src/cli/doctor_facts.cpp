#include "cli/doctor_facts.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <numeric>
#include <set>

#include "cli/list_reach.h"
#include "host/collect_network.h"

namespace hark::cli {
namespace {

using host::Host;

/// Long enough for a program that accepts at all to do so, short enough for a person.
constexpr std::int64_t kMomentMs = 300;
/// However long it is watched, no more looks are kept.
constexpr std::int64_t kMostLooks = 120;

using ByNetns = std::map<host::NetnsId, std::vector<std::size_t>>;

ByNetns by_netns(const Host& host, const std::vector<std::size_t>& listeners) {
  ByNetns out;
  for (const std::size_t i : listeners) {
    const host::NetnsId id = host.listeners[i].netns;
    if (host.at(id).entered) out[id].push_back(i);
  }
  return out;
}

std::vector<const host::Process*> owners_of(const Host& host,
                                            const std::vector<std::size_t>& listeners) {
  std::set<host::ProcessId> ids;
  for (const std::size_t i : listeners) {
    if (!host.listeners[i].owners) continue;
    for (const host::Owner& owner : *host.listeners[i].owners) ids.insert(owner.process);
  }
  std::vector<const host::Process*> out;
  for (const host::ProcessId id : ids) out.push_back(&host.at(id));
  return out;
}

/// Each namespace that has one of the listeners, or all, with what the families need of it.
reach::ReachTable read_networks(kernel::Source& source, const host::Collected& collected,
                                const std::vector<std::size_t>& listeners, bool all, unsigned needs,
                                std::vector<host::Gap>& gaps) {
  WhyEngine engine = why_engine();
  engine.read = [&](kernel::Source& from, const kernel::NetnsRef& way, const Host& host,
                    host::NetnsId id) {
    host::NetworkRequest request = host::network_request(host, id);
    request.socket_options = (needs & diagnose::kSocketOptions) != 0;
    host::Network network = host::collect_network(from, way, host, id, request);
    for (const auto& [fact, gap] : network.unread) gaps.push_back(gap);
    return network;
  };
  return read_reach({source, collected.host, collected.ways, engine}, listeners, all,
                    reach::Sources::OfClients, gaps);
}

class Watcher {
 public:
  Watcher(kernel::Source& source, const host::Collected& collected, const ByNetns& places,
          const std::vector<const host::Process*>& owners, std::vector<host::Look>& looks)
      : source_(source), collected_(collected), looks_(looks) {
    for (const auto& [id, members] : places) namespaces_.push_back(id);
    for (const host::Process* owner : owners) pids_.push_back(owner->pid);
  }

  void look() { looks_.push_back(host::take_look(source_, collected_.ways, namespaces_, pids_)); }

  /// Until the time that was wished has passed since the first look.
  void go_on(const Watching& watching, reach::ReachTable& reach) {
    const std::int64_t whole = watching.seconds == 0 ? kMomentMs : watching.seconds * 1000LL;
    const std::int64_t between = std::max(kMomentMs, whole / kMostLooks);
    const std::int64_t end = looks_.front().at_ms + whole;
    std::int64_t next = looks_.front().at_ms + between;
    while (true) {
      const auto clock = source_.clock();
      if (!clock) return;
      next = std::min(std::max(next, clock->boottime_ms), end);
      if (next > clock->boottime_ms) sleep_ms(next - clock->boottime_ms);
      look();
      if (next >= end) break;
      next += between;
    }
    for (const host::NetnsId id : namespaces_) {
      host::ServiceFacts* services = reach.services(id);
      if (services == nullptr) continue;
      (void)host::look_again(source_, collected_.ways[static_cast<std::size_t>(id)], *services);
    }
  }

 private:
  static void sleep_ms(std::int64_t ms) {
    ::usleep(static_cast<useconds_t>(std::min<std::int64_t>(ms, 900)) * 1000);
    if (ms > 900) sleep_ms(ms - 900);
  }

  kernel::Source& source_;
  const host::Collected& collected_;
  std::vector<host::Look>& looks_;
  std::vector<host::NetnsId> namespaces_;
  std::vector<std::uint32_t> pids_;
};

void note_one_look(std::vector<host::Gap>& gaps) {
  gaps.push_back({.code = "one-look",
                  .what = "what only change tells: a recording holds one look",
                  .hides = "whether queues drain, drops rise and processes run",
                  .remedy = "run hark doctor on the host itself"});
}

/// Owners that were found and could not be examined.
void note_unexamined(const DoctorFacts& facts, std::size_t owners, std::vector<host::Gap>& gaps) {
  const auto is_read = [](const host::ProcessHealth& one) { return one.status.state != '?'; };
  const auto read = std::ranges::count_if(facts.health, is_read);
  const std::size_t unread = owners - static_cast<std::size_t>(read);
  if (unread == 0) return;
  gaps.push_back({.code = "processes-not-examined",
                  .what = "how " + std::to_string(unread) + " of " + std::to_string(owners) +
                          " owners fare: they ended, or nothing was recorded of them",
                  .hides = "whether they are stopped, traced, or run what was deleted",
                  .remedy = ""});
}

/// A unit ended in a way that only the kernel's log may explain.
bool was_killed(const host::UnitFacts& unit) {
  constexpr std::int32_t kSigkill = 9;
  return unit.wanted && unit.last_exit && unit.last_exit->code != "exited" &&
         unit.last_exit->status == kSigkill && unit.result != "oom-kill";
}

void read_log(kernel::Source& source, const Host& host, DoctorFacts& out) {
  auto kills = host::read_oom_kills(source);
  if (kills) out.oom_kills = std::move(*kills);
  out.container_ends = host::read_container_ends(source, host, out.oom_kills);
  if (kills) return;
  if (std::ranges::none_of(host.units, was_killed)) return;
  out.gaps.push_back({.code = "kernel-log",
                      .what = "the kernel's log: " + reason(kills.error()),
                      .hides = "whether the kernel ended a unit for want of memory",
                      .remedy = kills.error().code == EPERM ? "run as root" : ""});
}

host::HealthRequest health_request(unsigned needs) {
  return {.libraries = (needs & diagnose::kLibraries) != 0,
          .cgroups = (needs & diagnose::kCgroups) != 0};
}

constexpr unsigned kAnyHealth = diagnose::kHealth | diagnose::kLibraries | diagnose::kCgroups;

/// Whoever holds a socket at which connections wait.
std::vector<host::WaitQuestion> who_lets_wait(const Host& host,
                                              const std::vector<std::size_t>& listeners) {
  std::map<std::uint32_t, std::vector<std::uint32_t>> fds;
  for (const std::size_t i : listeners) {
    const host::Listener& one = host.listeners[i];
    if (one.state != host::State::Listen || one.queue.length.value_or(0) == 0) continue;
    for (const host::Owner& owner : one.owners.value_or(std::vector<host::Owner>{})) {
      auto& known = fds[host.at(owner.process).pid];
      known.insert(known.end(), owner.fds.begin(), owner.fds.end());
    }
  }
  std::vector<host::WaitQuestion> out;
  for (auto& [pid, some] : fds) out.push_back({.pid = pid, .fds = std::move(some)});
  return out;
}

/// Those of whom a second look tells more.
std::vector<const host::Process*> limited(const std::vector<const host::Process*>& owners,
                                          const std::vector<host::ProcessHealth>& health) {
  std::vector<const host::Process*> out;
  for (const host::Process* one : owners) {
    const auto found = std::ranges::lower_bound(health, one->pid, {}, &host::ProcessHealth::pid);
    if (found == health.end() || found->pid != one->pid || !found->cgroup) continue;
    if (found->cgroup->periods.value_or(0) > 0 || found->cgroup->memory_limit) out.push_back(one);
  }
  return out;
}

}  // namespace

DoctorFacts read_doctor_facts(kernel::Source& source, const host::Collected& collected,
                              const std::vector<std::size_t>& listeners, unsigned needs,
                              const Watching& watching) {
  const ByNetns places = by_netns(collected.host, listeners);
  const std::vector<const host::Process*> owners = owners_of(collected.host, listeners);
  std::vector<host::Look> seen;
  Watcher watcher(source, collected, places, owners, seen);
  const bool looks = (needs & diagnose::kLooks) != 0 && !listeners.empty();
  // What is read next takes a part of the time between two looks.
  if (looks) watcher.look();
  std::vector<host::Gap> gaps;
  DoctorFacts out{
      read_networks(source, collected, listeners, watching.all_namespaces, needs, gaps)};
  out.gaps = std::move(gaps);
  if ((needs & kAnyHealth) != 0) {
    out.health = host::read_process_health(source, owners, health_request(needs));
    note_unexamined(out, owners.size(), out.gaps);
  }
  if ((needs & diagnose::kDeclared) != 0) {
    out.declared = host::read_declared_ports(source, collected.host);
  }
  if ((needs & diagnose::kConfigTimes) != 0) {
    out.configs = host::read_config_times(source, collected.host);
  }
  if ((needs & diagnose::kKernelLog) != 0) read_log(source, collected.host, out);
  if ((needs & diagnose::kLocalhost) != 0) {
    out.localhost = host::read_localhost(source, collected.host);
  }
  if (looks && watching.again) {
    const bool waits = (needs & diagnose::kWaits) != 0;
    const auto questions =
        waits ? who_lets_wait(collected.host, listeners) : std::vector<host::WaitQuestion>{};
    out.waits = host::read_process_waits(source, questions);
    watcher.go_on(watching, out.reach);
    out.waits_again = host::read_process_waits(source, questions);
    if ((needs & diagnose::kCgroups) != 0) {
      out.health_again =
          host::read_process_health(source, limited(owners, out.health), {.cgroups = true});
    }
  } else if (looks && watching.note_one_look) {
    note_one_look(out.gaps);
  }
  out.looks = std::move(seen);
  std::ranges::sort(out.gaps);
  out.gaps.erase(std::unique(out.gaps.begin(), out.gaps.end()), out.gaps.end());
  return out;
}

void record_doctor_facts(kernel::Source& source, const host::Collected& collected) {
  std::vector<std::size_t> every(collected.host.listeners.size());
  std::iota(every.begin(), every.end(), std::size_t{0});
  const std::vector<const host::Process*> owners = owners_of(collected.host, every);
  std::vector<host::Look> looks;
  Watcher(source, collected, by_netns(collected.host, every), owners, looks).look();
  (void)host::read_process_health(source, owners, health_request(~0U));
  (void)host::read_declared_ports(source, collected.host);
  (void)host::read_config_times(source, collected.host);
  const auto kills = host::read_oom_kills(source);
  (void)host::read_container_ends(source, collected.host,
                                  kills ? *kills : std::vector<host::OomKill>());
  (void)host::read_localhost(source, collected.host);
}

}  // namespace hark::cli
