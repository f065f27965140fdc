#include "host/doors.h"

#include <algorithm>

#include "base/text.h"
#include "decode/cgroup.h"
#include "host/cgroup_names.h"
#include "host/select_text.h"

namespace hark::host {
namespace {

/// Of a namespace as many processes are looked at for their container; the lowest pids first, as
/// those made it.
constexpr std::size_t kMostProcesses = 16;
constexpr std::size_t kMostThreads = 64;
constexpr std::size_t kMostChildren = 16;

std::string of_proc(std::uint32_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + name;
}

/// The executable tells; its name for the kernel only where the executable may not be read.
std::string_view program_of(const Process& process) {
  if (process.exe) return last_part(*process.exe);
  return process.exe_name.empty() ? std::string_view(process.name) : process.exe_name;
}

bool is_program(const Process& process) {
  const std::string_view program = program_of(process);
  return std::ranges::any_of(door_programs(),
                             [&](const DoorProgram& row) { return program == row.program; });
}

const DoorProgram* row_of(const Process& process, const std::vector<std::string>& words) {
  const std::string_view called = words.empty() ? std::string_view{} : last_part(words.front());
  for (const DoorProgram& row : door_programs()) {
    if (program_of(process) == row.program && called.find(row.called) != std::string_view::npos) {
      return &row;
    }
  }
  return nullptr;
}

std::vector<std::string> command_line_of(kernel::Source& source, const Process& process) {
  if (process.command_line && !process.command_line->empty()) return *process.command_line;
  const auto text = source.read_file(of_proc(process.pid, "/cmdline"));
  return text ? decode::decode_cmdline(*text) : std::vector<std::string>{};
}

}  // namespace

void find_doors(kernel::Source& source, ContainerNames& names,
                const std::vector<FoundNetns>& namespaces, std::vector<Process>& processes) {
  DoorGuide guide(source, names, namespaces);
  for (Process& process : processes) {
    if (!is_program(process)) continue;
    const std::vector<std::string> words = command_line_of(source, process);
    const DoorProgram* row = row_of(process, words);
    if (row == nullptr || (row->only_by_words && words.empty())) continue;
    Door door;
    door.kind = row->kind;
    if (!words.empty()) row->read(words, process, guide, door);
    if (!door.kind.empty()) process.door = std::move(door);
  }
}

namespace {

const DoorPorts* ports_of(const Door& door, const Listener& listener) {
  const Protocol protocol =
      listener.protocol == Protocol::Mptcp ? Protocol::Tcp : listener.protocol;
  const auto found = std::ranges::find_if(door.ports, [&](const DoorPorts& ports) {
    return ports.protocol == protocol && listener.port >= ports.first &&
           listener.port <= ports.last;
  });
  return found == door.ports.end() ? nullptr : &*found;
}

}  // namespace

std::string door_words(const Door& door, const Listener& listener) {
  const DoorPorts* ports = ports_of(door, listener);
  return ports == nullptr ? std::string() : ports->to;
}

std::uint16_t door_port(const Door& door, const Listener& listener) {
  const DoorPorts* ports = ports_of(door, listener);
  if (ports == nullptr || !ports->to.empty()) return 0;
  return static_cast<std::uint16_t>(ports->target + (listener.port - ports->first));
}

std::string door_target(const Door& door, std::uint16_t port) {
  std::string out;
  if (door.address) {
    out = door.address->text();
    if (door.address->family == Family::Inet6) out = "[" + out + "]";
  }
  if (port != 0) out += ":" + std::to_string(port);
  return out;
}

Netns netns_of(const Door& door) {
  Netns out;
  if (door.netns != 0) out.inode = door.netns;
  out.name = door.netns_name;
  return out;
}

std::optional<Container> DoorGuide::by_cgroup(std::uint32_t pid) {
  const auto text = source_.read_file(of_proc(pid, "/cgroup"));
  if (!text) return std::nullopt;
  const auto lines = decode::decode_cgroup_file(*text);
  if (!lines) return std::nullopt;
  const std::string cgroup = decode::telling_path(*lines);
  auto container = container_of_cgroup(cgroup);
  if (container) names_.fill(*container, cgroup);
  return container;
}

std::uint64_t DoorGuide::netns_of(std::uint32_t pid) {
  const auto link = source_.read_link(of_proc(pid, "/ns/net"));
  return link ? decode::netns_inode(*link).value_or(0) : 0;
}

std::optional<Container> DoorGuide::in_netns(std::uint64_t inode) {
  const auto [place, added] = in_netns_.try_emplace(inode);
  if (!added) return place->second;
  if (!scan_) {
    const auto parts = source_.scan_namespaces();
    auto scan = parts ? decode::decode_process_scan(*parts)
                      : Result<decode::ProcessScan>(fail(parts.error()));
    scan_ = scan ? std::move(*scan) : decode::ProcessScan{};
  }
  std::size_t looked_at = 0;
  for (const decode::ScannedProcess& process : scan_->processes) {
    if (process.netns_inode != inode || looked_at++ >= kMostProcesses) continue;
    if (auto container = by_cgroup(process.pid)) {
      place->second = std::move(container);
      break;
    }
  }
  return place->second;
}

void DoorGuide::lead_to_netns(std::uint64_t inode, std::uint64_t own, Door& door) {
  if (inode == 0 || inode == own) return;
  door.netns = inode;
  const auto known = std::ranges::find_if(
      namespaces_, [&](const FoundNetns& one) { return one.ref.inode == inode; });
  if (known != namespaces_.end()) door.netns_name = known->netns.name;
  if (!door.container) door.container = in_netns(inode);
}

void DoorGuide::lead_to_process(std::uint32_t pid, const Process& process, Door& door) {
  door.container = by_cgroup(pid);
  lead_to_netns(netns_of(pid), netns_of(process.pid), door);
}

void DoorGuide::lead_to_path(const std::string& path, const Process& process, Door& door) {
  for (const FoundNetns& one : namespaces_) {
    const bool bound = std::ranges::any_of(one.ref.paths, [&](const std::string& way) {
      // /proc/PID/root/PATH where it is bound in the mount namespace of a process
      if (!way.ends_with(path)) return false;
      const std::string_view before = std::string_view(way).substr(0, way.size() - path.size());
      return before.empty() || (before.starts_with("/proc/") && before.ends_with("/root"));
    });
    if (bound) return lead_to_netns(one.ref.inode, netns_of(process.pid), door);
  }
}

void DoorGuide::lead_to_children(const Process& process, Door& door) {
  const std::uint32_t pid = process.pid;
  const std::uint64_t own = netns_of(pid);
  // A child hangs on the thread that made it.
  const auto threads = source_.list_folder(of_proc(pid, "/task"));
  if (own == 0 || !threads) return;
  std::size_t looked_at = 0;
  for (std::size_t i = 0; i < std::min(threads->size(), kMostThreads); ++i) {
    const auto text = source_.read_file(of_proc(pid, "/task/") + (*threads)[i] + "/children");
    if (!text) continue;
    std::string_view rest = as_text(*text);
    for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
      const auto child = parse_number<std::uint32_t>(word);
      if (!child || looked_at++ >= kMostChildren) continue;
      lead_to_netns(netns_of(*child), own, door);
      if (door.container) return;
    }
  }
}

}  // namespace hark::host
