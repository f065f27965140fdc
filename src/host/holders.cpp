#include "host/holders.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "host/program_name.h"

namespace hark::host {
namespace {

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
    for (const Owner& owner : *owners) out.processes.push_back(owner.process);
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
  return std::string(whole_name(process.name, process.exe.value_or(process.exe_name),
                                has_words ? std::string_view(process.command_line->front()) : ""));
}

std::string container_words(const Container& container) {
  std::string_view name = container.name.empty() ? container.pod : container.name;
  if (name.empty()) name = std::string_view(container.id).substr(0, kShortIdBytes);
  if (name.empty()) return "of " + container.runtime;
  return std::string(name);
}

std::string netns_words(const Netns& netns) {
  if (!netns.name.empty()) return netns.name;
  if (netns.inode) return "net:[" + std::to_string(*netns.inode) + "]";
  if (netns.seen_through_pid != 0) {
    return "a namespace of pid " + std::to_string(netns.seen_through_pid);
  }
  return netns.own ? "this namespace" : "a namespace";
}

std::string user_words(const Socket& socket) {
  return socket.user.empty() ? "uid " + std::to_string(socket.uid) : socket.user;
}

std::string holder_words(const Host& host, std::size_t listener) {
  const Listener& l = host.listeners[listener];
  const Holders holders = holders_of(host, {listener});
  if (holders.known == Holders::Known::Processes) {
    const Process& lead = host.at(holders.lead);
    std::string out = program_name(lead) + " (" + std::to_string(lead.pid);
    if (holders.processes.size() > 1) {
      out += " +" + std::to_string(holders.processes.size() - 1);
    }
    return out + ")";
  }
  if (!l.kernel_owners.empty()) return "kernel: " + l.kernel_owners.front().words();
  if (l.container) return "container " + container_words(*l.container);
  if (!l.unit.empty()) return l.unit;
  if (holders.known == Holders::Known::Nobody) return "a socket that nobody holds";
  return "a process of " + user_words(l.socket);
}

std::string process_words(const Process& process) {
  return program_name(process) + " (" + std::to_string(process.pid) + ")";
}

}  // namespace hark::host
