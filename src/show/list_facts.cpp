#include "show/list_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "base/text.h"
#include "host/program_name.h"

namespace hark::show {
namespace {

using host::Host;
using host::Listener;
using host::Process;
using host::ProcessId;

constexpr std::size_t kShortIdBytes = 12;

ProcessId lead_of(const Host& host, const std::vector<ProcessId>& processes) {
  const auto rank = [&](ProcessId id) {
    const Process& process = host.at(id);
    return std::make_tuple(process.pid == 1, !process.door,
                           process.started_at_ms.value_or(std::numeric_limits<std::int64_t>::max()),
                           process.pid);
  };
  return *std::min_element(processes.begin(), processes.end(),
                           [&](ProcessId a, ProcessId b) { return rank(a) < rank(b); });
}

}  // namespace

Holders holders_of(const Host& host, const std::vector<std::size_t>& listeners) {
  Holders out;
  for (const std::size_t i : listeners) {
    const auto& owners = host.listeners[i].owners;
    if (!owners) return {};
    for (const host::Owner& owner : *owners) out.processes.push_back(owner.process);
  }
  std::sort(out.processes.begin(), out.processes.end());
  out.processes.erase(std::unique(out.processes.begin(), out.processes.end()), out.processes.end());
  if (out.processes.empty()) {
    out.known = Holders::Known::Nobody;
    return out;
  }
  out.known = Holders::Known::Processes;
  out.lead = lead_of(host, out.processes);
  return out;
}

std::string program_name(const Process& process) {
  if (!process.program.empty()) return process.program;
  const bool has_words = process.command_line && !process.command_line->empty();
  return std::string(
      host::whole_name(process.name, process.exe.value_or(process.exe_name),
                       has_words ? std::string_view(process.command_line->front()) : ""));
}

std::string container_words(const host::Container& container) {
  std::string_view name = container.name.empty() ? container.pod : container.name;
  if (name.empty()) name = std::string_view(container.id).substr(0, kShortIdBytes);
  if (name.empty()) return "of " + container.runtime;
  return std::string(name);
}

std::optional<std::string> started_by_words(const Process& process) {
  if (!process.started_by) return std::nullopt;
  std::vector<std::string> names;
  for (const host::Ancestor& one : *process.started_by) {
    if (one.role == host::AncestorRole::Outside) {
      names.emplace_back("outside this pid namespace");
    } else if (one.role != host::AncestorRole::Other) {
      names.push_back(one.name);
    }
  }
  if (names.empty() && !process.started_by->empty()) {
    names.push_back(process.started_by->front().name);
  }
  return join(names, ", ");
}

std::string netns_words(const host::Netns& netns) {
  if (!netns.name.empty()) return netns.name;
  if (netns.inode) return fmt::format("net:[{}]", *netns.inode);
  if (netns.seen_through_pid != 0) {
    return fmt::format("a namespace of pid {}", netns.seen_through_pid);
  }
  return netns.own ? "this namespace" : "a namespace";
}

std::string user_words(const host::Socket& socket) {
  return socket.user.empty() ? fmt::format("uid {}", socket.uid) : socket.user;
}

std::string device_of(const Listener& listener) {
  if (!listener.interface.empty() || listener.interface_index == 0) return listener.interface;
  return fmt::format("#{}", listener.interface_index);
}

bool is_bound_to_everything(const Listener& listener) {
  return listener.address.unmapped().is_unspecified() && listener.interface != "lo";
}

bool cannot_serve(const Host& host, const Holders& holders) {
  constexpr std::string_view kStandingStill = "TtZX";
  return holders.known == Holders::Known::Processes &&
         std::all_of(holders.processes.begin(), holders.processes.end(), [&](ProcessId id) {
           return kStandingStill.find(host.at(id).state) != std::string_view::npos;
         });
}

QueueLevel queue_level(const Listener& listener) {
  const auto& [length, limit, drops] = listener.queue;
  if (!length || !limit) return QueueLevel::Quiet;
  // sk_acceptq_is_full of include/net/sock.h: one more than the limit is let in.
  if (listener.state == host::State::Listen && *length > *limit) return QueueLevel::Full;
  return *length > *limit / 2 && *length > 0 && *limit > 0 ? QueueLevel::Half : QueueLevel::Quiet;
}

const Listener& fullest(const Host& host, const ListRow& row) {
  const auto share = [&](std::size_t i) {
    const Listener& l = host.listeners[i];
    const double length = static_cast<double>(l.queue.length.value_or(0));
    const double limit = static_cast<double>(l.queue.limit.value_or(0));
    return std::make_tuple(queue_level(l), length / std::max(limit, 1.0));
  };
  return host.listeners[*std::max_element(
      row.listeners.begin(), row.listeners.end(),
      [&](std::size_t a, std::size_t b) { return share(a) < share(b); })];
}

}  // namespace hark::show
