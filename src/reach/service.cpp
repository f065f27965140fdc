#include "reach/service.h"

#include <algorithm>
#include <array>
#include <string>

#include "host/holders.h"
#include "host/near_words.h"
#include "reach/client_tests.h"
#include "reach/shell_word.h"
#include "reach/socket_options.h"

namespace hark::reach {
namespace {

using host::Listener;

/// What a small datagram takes of a receive buffer: its bytes in the kernel's smallest buffer, and
/// the kernel's own structures (SKB_TRUESIZE).
constexpr std::uint64_t kSmallDatagram = 768;

std::string port_of(const Listener& listener) {
  return std::to_string(listener.port);
}

std::string show_command(const Listener& listener, const char* more) {
  const bool tcp = listener.protocol == Protocol::Tcp || listener.protocol == Protocol::Mptcp;
  return std::string(tcp ? "ss -Htln" : "ss -Huan") + more + " sport = :" + port_of(listener);
}

Blocker blocker(const char* code, std::string text, Evidence evidence, bool passing) {
  return {.cause = {.code = code, .text = std::move(text), .evidence = {std::move(evidence)}},
          .key = code,
          .passing = passing};
}

const host::SocketFacts* facts_of(const World& world, const Listener& listener) {
  return world.network.services.socket(listener.socket.inode);
}

bool below(std::string_view path, std::string_view ancestor) {
  if (ancestor == "/" || path == ancestor) return true;
  return path.starts_with(ancestor) && path[ancestor.size()] == '/';
}

using Check = std::optional<Blocker> (*)(World&, const Listener&, const Packet&);

std::optional<Blocker> signature(World& world, const Listener& listener, const Packet& packet) {
  const host::SocketFacts* facts = facts_of(world, listener);
  if (facts == nullptr || !facts->md5) return std::nullopt;
  const bool wanted = std::ranges::any_of(*facts->md5, [&](const Prefix& peers) {
    return lies_within(world, packet.tuple.source, peers);
  });
  if (!wanted) return std::nullopt;
  return blocker("md5-required",
                 "the socket wants TCP MD5 signatures (RFC 2385) from " +
                     packet.tuple.source.text() + ", and an ordinary client sends none",
                 {.fact = "a TCP MD5 key is set for this peer",
                  .where = "socket",
                  .verify = show_command(listener, "i")},
                 false);
}

/// A program at the socket's cgroup decides and cannot be read. Attached to an ancestor it counts
/// as well. The cgroup is the one in which the socket was made.
std::optional<Blocker> cgroup_program(World& world, const Listener& listener, const Packet&) {
  if (!listener.socket.cgroup) return std::nullopt;
  for (const host::AttachedProgram& program : world.network.programs) {
    if (program.where != "cgroup-ingress" || !below(*listener.socket.cgroup, program.cgroup)) {
      continue;
    }
    const std::string name = program.name.empty()
                                 ? std::to_string(program.id)
                                 : program.name + " (" + std::to_string(program.id) + ")";
    const std::string text = "BPF program " + name + " at cgroup " + program.cgroup;
    const Condition passes = {.code = "cgroup-bpf-ingress",
                              .text = text + " lets it through",
                              .key = "cgroup-ingress:" + std::to_string(program.id),
                              .doubt = Doubt::Opaque};
    if (world.choices.pick(passes)) continue;
    return blocker("cgroup-bpf-ingress", text + " drops it",
                   {.fact = text, .where = "cgroup", .verify = "bpftool cgroup tree"}, false);
  }
  return std::nullopt;
}

std::optional<Blocker> accept_queue(World&, const Listener& listener, const Packet&) {
  return accept_queue_full(listener);
}

std::optional<Blocker> syn_queue(World& world, const Listener& listener, const Packet&) {
  return syn_queue_full(world.network, listener);
}

std::optional<Blocker> receive_buffer(World& world, const Listener& listener, const Packet&) {
  return receive_buffer_full(world.network, listener);
}

/// tcp_v6_conn_request()
std::optional<Blocker> mapped_source(World&, const Listener&, const Packet& packet) {
  const IpAddress& from = packet.tuple.source;
  if (packet.family != Family::Inet6 || !from.is_v4_mapped()) return std::nullopt;
  const std::string text =
      from.text() + " is an IPv4 address in an IPv6 packet: TCP takes no connection from it";
  return blocker("v4-mapped-src", text, {.fact = text, .where = "packet", .verify = ""}, false);
}

constexpr std::array<Check, 7> kTcpChecks = {
    mapped_source, ttl_too_small, signature, cgroup_program, filter_drops, accept_queue, syn_queue};
constexpr std::array<Check, 3> kUdpChecks = {cgroup_program, filter_drops, receive_buffer};

std::optional<Blocker> held_by_nobody(World& world, const Listener& listener) {
  if (!listener.held_by) return std::nullopt;
  if (listener.held_by->how == host::HeldBy::How::InFlight) {
    return blocker(
        "not-accepting",
        "no process has the socket open: it is on its way in a message that nobody has "
        "received",
        {.fact = listener.held_by->words, .where = "socket", .verify = show_command(listener, "p")},
        true);
  }
  if (listener.held_by->how == host::HeldBy::How::Unknown ||
      listener.held_by->how == host::HeldBy::How::Unreadable) {
    world.assumptions.emplace_back("whoever holds the socket serves it");
  }
  return std::nullopt;
}

}  // namespace

std::optional<Blocker> accept_queue_full(const Listener& listener) {
  if (!listener.queue.length || !listener.queue.limit) return std::nullopt;
  if (*listener.queue.length <= *listener.queue.limit) return std::nullopt;
  const std::string fill =
      std::to_string(*listener.queue.length) + " of " + std::to_string(*listener.queue.limit);
  return blocker(
      "accept-queue-full", "its accept queue is full: " + fill + " connections wait to be accepted",
      {.fact = "queue " + fill, .where = "socket", .verify = show_command(listener, "")}, true);
}

/// tcp_conn_request(): without cookies a full queue of half-open connections drops, and so does its
/// last quarter for peers that were never seen.
std::optional<Blocker> syn_queue_full(const host::Network& network, const Listener& listener) {
  const host::SocketFacts* facts = network.services.socket(listener.socket.inode);
  const host::NetSettings& settings = network.settings;
  if (facts == nullptr || !listener.queue.limit || settings.syncookies.value_or(1) != 0) {
    return std::nullopt;
  }
  const bool full = facts->half_open >= *listener.queue.limit && facts->half_open > 0;
  const std::int64_t most = settings.max_syn_backlog.value_or(0);
  const bool kept = most > 0 && most - std::int64_t{facts->half_open} < most / 4;
  if (!full && !kept) return std::nullopt;
  return blocker("syn-queue-full",
                 "its queue of half-open connections is full: " + std::to_string(facts->half_open) +
                     " wait, and SYN cookies are off",
                 {.fact = "net.ipv4.tcp_syncookies = 0",
                  .where = "sysctl",
                  .verify = "ss -Htn state syn-recv sport = :" + port_of(listener)},
                 true);
}

/// systemd holds the socket and starts a service when somebody comes: can it?
std::optional<Blocker> activation_fails(const host::Host& host, const Listener& listener) {
  for (const host::UnitId id : listener.socket_units) {
    const host::UnitFacts& unit = host.at(id);
    if (unit.can_start != false) continue;
    return blocker(
        "socket-activation",
        unit.name + " listens, but what it starts cannot start: " + unit.cannot_start_because,
        {.fact = unit.cannot_start_because,
         .where = unit.name,
         .verify = "systemctl status " + shell_word(unit.name)},
        false);
  }
  return std::nullopt;
}

bool is_receive_buffer_full(std::uint64_t used, std::uint64_t limit) {
  return used != 0 && used + kSmallDatagram > limit;
}

std::optional<Blocker> receive_buffer_full(const host::Network& network, const Listener& listener) {
  const host::SocketFacts* facts = network.services.socket(listener.socket.inode);
  if (facts == nullptr || !facts->memory_used || !facts->memory_limit) return std::nullopt;
  if (!is_receive_buffer_full(*facts->memory_used, *facts->memory_limit)) return std::nullopt;
  const std::string fill = std::to_string(*facts->memory_used) + " of " +
                           std::to_string(*facts->memory_limit) + " bytes";
  return blocker(
      "rcvbuf-full", "its receive buffer is full: " + fill,
      {.fact = "receive buffer " + fill, .where = "socket", .verify = show_command(listener, "m")},
      true);
}

std::optional<Blocker> process_idle(const host::Network& network, const host::Process& process) {
  const std::string pid = std::to_string(process.pid);
  const std::string name = host::process_words(process);
  if (process.state == 'T' || process.state == 't') {
    return blocker(
        "stopped",
        name + " is stopped" + (process.state == 't' ? " by a debugger" : " by a signal"),
        {.fact = "state " + std::string(1, process.state),
         .where = "process " + pid,
         .verify = "grep State /proc/" + pid + "/status"},
        true);
  }
  const host::HolderFacts* facts = network.services.holder(process.pid);
  if (facts == nullptr) return std::nullopt;
  if (facts->frozen == true) {
    return blocker("frozen", name + " is frozen with its cgroup " + process.cgroup,
                   {.fact = "frozen 1",
                    .where = "cgroup " + process.cgroup,
                    .verify = "cat " + shell_word(facts->frozen_file)},
                   true);
  }
  if (facts->open_files && facts->file_limit && *facts->open_files >= *facts->file_limit) {
    return blocker("out-of-fds",
                   name + " has no descriptors left: " + std::to_string(*facts->open_files) +
                       " of " + std::to_string(*facts->file_limit) + " are open",
                   {.fact = "Max open files " + std::to_string(*facts->file_limit),
                    .where = "process " + pid,
                    .verify = "grep 'open files' /proc/" + pid + "/limits"},
                   true);
  }
  return std::nullopt;
}

std::optional<Blocker> socket_refuses(World& world, const Listener& listener,
                                      const Packet& packet) {
  const bool tcp = packet.protocol == kTcp;
  const std::span<const Check> checks =
      tcp ? std::span<const Check>(kTcpChecks) : std::span<const Check>(kUdpChecks);
  for (const Check check : checks) {
    auto found = check(world, listener, packet);
    if (found && !world.is_waived(found->key)) return found;
  }
  return std::nullopt;
}

std::optional<Blocker> nobody_serves(World& world, const Listener& listener) {
  const auto unless_waived = [&world](std::optional<Blocker> found) {
    if (found && world.is_waived(found->key)) found.reset();
    return found;
  };
  if (auto found = unless_waived(activation_fails(world.host, listener))) return found;
  if (!listener.owners) {
    world.assumptions.emplace_back("whoever holds the socket serves it");
    return std::nullopt;
  }
  std::optional<Blocker> first;
  for (const host::Owner& owner : *listener.owners) {
    auto found = process_idle(world.network, world.host.at(owner.process));
    if (!found) {
      first.reset();
      break;
    }
    if (!first) first = std::move(found);
  }
  if (first) return unless_waived(std::move(first));
  if (listener.owners->empty() && listener.kernel_owners.empty()) {
    if (auto found = unless_waived(held_by_nobody(world, listener))) return found;
  }
  const host::SocketFacts* facts = facts_of(world, listener);
  if (facts != nullptr && facts->drains == false) {
    return unless_waived(blocker(
        "not-accepting",
        host::listener_words(world.host, listener) + ", but does not take what waits in its queue",
        {.fact = std::to_string(listener.queue.length.value_or(0)) +
                 " wait, and none was taken while we looked",
         .where = "socket",
         .verify = show_command(listener, "")},
        true));
  }
  return std::nullopt;
}

}  // namespace hark::reach
