// Connections that the kernel has completed wait, and nobody comes for them.
//
// A queue that did not get shorter while hark looked may be that of a busy program. So every thread
// of every process that holds the socket is looked at twice: one that ran in between, runs or waits
// for its turn, may be on its way. A thread that waits in accept(2), poll(2), select(2) or a
// level-triggered epoll for this socket would have been woken by the first connection; that it
// still waits shows that it waits for something else. What that does not show is left alone: an
// epoll of the process that holds the socket may be edge-triggered (fdinfo), an io_uring accepts
// without a thread, a signal may announce connections, stopped and frozen ones are told elsewhere.
//
// A descriptor is inherited by every child, and a child that was started to do something else keeps
// the socket open when its parent has gone: the port is taken, clients connect, and nobody is
// there.
#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "diagnose/families.h"
#include "diagnose/queues.h"
#include "diagnose/words.h"
#include "reach/service.h"

namespace hark::diagnose {
namespace {

using host::Listener;
using host::Process;
using host::ProcessWaits;
using host::ThreadWait;

const ProcessWaits* with_pid(const std::vector<ProcessWaits>& all, std::uint32_t pid) {
  const auto found = std::ranges::lower_bound(all, pid, {}, &ProcessWaits::pid);
  return found == all.end() || found->pid != pid ? nullptr : &*found;
}

bool holds_by(const Listener& listener, const Facts& facts, std::uint32_t pid, std::uint64_t fd) {
  return std::ranges::any_of(*listener.owners, [&](const host::Owner& owner) {
    return facts.host.at(owner.process).pid == pid &&
           std::ranges::find(owner.fds, fd) != owner.fds.end();
  });
}

/// Names of the functions in which a thread waits: fs/eventpoll.c, net/ipv4/inet_connection_sock.c,
/// io_uring/io_uring.c.
bool waits_in(const ThreadWait& thread, std::string_view piece) {
  return thread.wchan.find(piece) != std::string::npos;
}

/// It sleeps, did not run between the looks, and nothing says that this socket would wake it.
bool stands_elsewhere(const Facts& facts, const Listener& listener, const ProcessWaits& process,
                      const ThreadWait& before, const ThreadWait& now) {
  if (before.state != 'S' || now.state != 'S') return false;
  if (!before.switches || before.switches != now.switches) return false;
  if (now.wchan.empty() || waits_in(now, "io_") || waits_in(now, "sigtimedwait")) return false;
  const bool polled =
      std::ranges::binary_search(process.polled, std::uint64_t{listener.socket.inode});
  if (polled && waits_in(now, "ep")) return false;
  if (waits_in(now, "csk_accept") || waits_in(now, "csk_wait")) {
    return now.call && !holds_by(listener, facts, process.pid, now.call->arguments.front());
  }
  return true;
}

/// What all threads of all who hold the socket do instead.
struct Elsewhere {
  std::size_t threads = 0;
  std::map<std::string, std::size_t> places;
  std::uint32_t first_pid = 0;
  bool polled = false;  ///< an epoll of theirs holds it: they may come back to it
};

bool add_process(const Facts& facts, const Listener& listener, const Process& process,
                 Elsewhere& out) {
  const ProcessWaits* before = with_pid(facts.waits, process.pid);
  const ProcessWaits* now = with_pid(facts.waits_again, process.pid);
  if (before == nullptr || now == nullptr || !before->whole || !now->whole) return false;
  if (now->io_uring || now->signalled || before->threads.size() != now->threads.size()) {
    return false;
  }
  for (std::size_t i = 0; i < now->threads.size(); ++i) {
    const ThreadWait& thread = now->threads[i];
    if (before->threads[i].tid != thread.tid) return false;
    if (!stands_elsewhere(facts, listener, *now, before->threads[i], thread)) return false;
    ++out.threads;
    ++out.places[thread.wchan];
  }
  const bool polled = std::ranges::binary_search(now->polled, std::uint64_t{listener.socket.inode});
  out.polled = out.polled || polled;
  if (out.first_pid == 0) out.first_pid = process.pid;
  return true;
}

/// Nothing: somebody may be on the way, or it could not be seen.
std::optional<Elsewhere> all_elsewhere(const Facts& facts, const Listener& listener) {
  const host::Network* network = facts.network(listener);
  const std::vector<host::ProcessId> servers = servers_of(facts.host, listener);
  if (network == nullptr || servers.empty()) return std::nullopt;
  Elsewhere out;
  for (const host::ProcessId id : servers) {
    const Process& process = facts.host.at(id);
    if (process.pid == 1 || reach::process_idle(*network, process)) return std::nullopt;
    if (!add_process(facts, listener, process, out)) return std::nullopt;
  }
  return out;
}

std::string places_words(const Elsewhere& elsewhere) {
  constexpr std::size_t kMostNamed = 3;
  std::vector<std::pair<std::size_t, std::string>> order;
  for (const auto& [name, count] : elsewhere.places) order.emplace_back(count, name);
  std::ranges::stable_sort(order, std::ranges::greater(),
                           &std::pair<std::size_t, std::string>::first);
  std::vector<std::string> out;
  for (const auto& [count, name] : order) {
    if (out.size() == kMostNamed) break;
    out.push_back(order.size() == 1 ? name : name + " (" + std::to_string(count) + ")");
  }
  return join(out, ", ") + (order.size() > kMostNamed ? " …" : "");
}

std::optional<Finding> nobody_accepts(const Facts& facts, std::size_t i) {
  const Listener& listener = facts.listener(i);
  if (!never_taken_from(facts, listener)) return std::nullopt;
  if (always_full(facts, listener) || keeps_filling(facts, listener)) return std::nullopt;
  const auto elsewhere = all_elsewhere(facts, listener);
  if (!elsewhere) return std::nullopt;
  const std::uint64_t waiting = *queues_of(facts, listener).back().length;
  const std::string pid = std::to_string(elsewhere->first_pid);
  const std::string threads =
      elsewhere->threads == 1
          ? "its only thread waits"
          : "all of its " + std::to_string(elsewhere->threads) + " threads wait";
  return Finding{
      .code = "not-accepting",
      .severity = elsewhere->polled ? Severity::Risk : Severity::Broken,
      .listener = i,
      .text = host::holder_words(facts.host, i) +
              " does not accept: " + counted(waiting, "connection") +
              (waiting == 1 ? " waits" : " wait") + ", none was taken " + since_words(facts) +
              ", and " + threads + " for something else: " + places_words(*elsewhere),
      .evidence = {{.fact = std::to_string(waiting) + " wait, and none was taken while we looked",
                    .where = "socket",
                    .verify = socket_command(listener)},
                   {.fact = threads + " in " + places_words(*elsewhere),
                    .where = "process " + pid,
                    .verify = "ps -L -o tid,stat,wchan:24,comm -p " + pid}},
      .remedy =
          "find out what its threads wait for: all workers may be busy with clients, or wait "
          "for a database, a lock or a descriptor; to start it again ends the connections"};
}

/// Programs that are not made to accept. A shell that may be taught to (zsh, and busybox, which is
/// many programs) is none of them.
constexpr std::array<std::string_view, 17> kNoServers = {
    "sh",   "dash", "bash", "ksh",   "sleep", "cat",    "tail", "tee",       "timeout",
    "less", "more", "grep", "xargs", "find",  "logger", "sed",  "rotatelogs"};
/// A shell that starts a server has its socket for a moment, too.
constexpr std::int64_t kMomentMs = 10'000;

bool is_no_server(const Process& process) {
  if (!process.exe) return false;
  const std::string name = process.exe->substr(process.exe->rfind('/') + 1);
  return std::ranges::find(kNoServers, name) != kNoServers.end();
}

std::optional<Finding> left_behind(const Facts& facts, std::size_t i) {
  const Listener& listener = facts.listener(i);
  if (!listener.owners || listener.owners->empty()) return std::nullopt;
  for (const host::Owner& owner : *listener.owners) {
    if (!is_no_server(facts.host.at(owner.process))) return std::nullopt;
  }
  const Process& process = facts.host.at(listener.owners->front().process);
  const std::int64_t age =
      facts.host.taken_at_ms - process.started_at_ms.value_or(facts.host.taken_at_ms);
  if (age < kMomentMs && !never_taken_from(facts, listener)) return std::nullopt;
  const std::uint64_t waiting = queues_of(facts, listener).back().length.value_or(0);
  const std::string pid = std::to_string(process.pid);
  return Finding{
      .code = "inherited-listener",
      .severity = Severity::Broken,
      .listener = i,
      .text = host::holder_words(facts.host, i) +
              " keeps a socket that it has inherited and does not serve: clients connect, and "
              "nothing comes" +
              (waiting == 0
                   ? ""
                   : "; " + counted(waiting, "connection") + (waiting == 1 ? " waits" : " wait")),
      .evidence = {{.fact = host::process_words(process) + " holds the socket, and no server does",
                    .where = "process " + pid,
                    .verify = socket_command(listener, "p")}},
      .remedy = "end it once nobody needs it (kill " + pid +
                "), then start the server again; a server keeps its socket from its children with "
                "SOCK_CLOEXEC"};
}

}  // namespace

std::vector<Finding> not_accepting(const Facts& facts) {
  std::vector<Finding> out;
  for (const std::size_t i : facts.listeners) {
    if (facts.listener(i).state != host::State::Listen) continue;
    auto finding = left_behind(facts, i);
    if (!finding) finding = nobody_accepts(facts, i);
    if (finding) out.push_back(std::move(*finding));
  }
  return out;
}

}  // namespace hark::diagnose
