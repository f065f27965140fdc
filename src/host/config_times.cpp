#include "host/config_times.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "host/holders.h"
#include "host/server_files.h"

namespace hark::host {
namespace {

/// The oldest process of each server among the owners of listeners.
std::vector<const Process*> servers_among_owners(const Host& host) {
  std::set<ProcessId> owners;
  for (const Listener& listener : host.listeners) {
    if (!listener.owners || listener.probable_client) continue;
    for (const Owner& owner : *listener.owners) owners.insert(owner.process);
  }
  std::map<std::string, const Process*> oldest;
  for (const ProcessId id : owners) {
    const Process& process = host.at(id);
    if (!process.command_line || !process.started_at_ms) continue;
    const std::string program = program_name(process);
    if (!has_server_files(program)) continue;
    std::string key = program + "\n" + process.cgroup;
    for (const std::string& word : *process.command_line) key += "\n" + word;
    const Process*& known = oldest[key];
    if (known == nullptr || *process.started_at_ms < *known->started_at_ms) known = &process;
  }
  std::vector<const Process*> out;
  for (const auto& [key, process] : oldest) out.push_back(process);
  std::ranges::sort(out, {}, &Process::pid);
  if (out.size() > kMostConfigured) out.resize(kMostConfigured);
  return out;
}

/// Servers that write their pid file anew whenever they read their configuration, and stay the same
/// process: after SIGHUP sshd runs its own program again.
struct Mark {
  const char* program;
  const char* file;
};
constexpr std::array kMarks = {Mark{"sshd", "/run/sshd.pid"}};

std::optional<std::int64_t> mark_of(kernel::Source& source, const std::string& program,
                                    const std::string& root) {
  const auto mark = std::ranges::find(kMarks, program, &Mark::program);
  if (mark == kMarks.end()) return std::nullopt;
  const auto time = source.file_time(root + mark->file);
  return time ? std::optional(*time) : std::nullopt;
}

std::optional<ConfigTime> newest_file(kernel::Source& source, const Process& process) {
  const std::string root = "/proc/" + std::to_string(process.pid) + "/root";
  std::optional<ConfigTime> out;
  for (const std::string& file :
       files_of_server(source, process.pid, program_name(process), *process.command_line)) {
    // Written by the server itself, for ALTER SYSTEM.
    if (file.ends_with("/postgresql.auto.conf")) continue;
    const auto time = source.file_time(root + file);
    if (!time || (out && out->written_at_ms >= *time)) continue;
    out = ConfigTime{.pid = process.pid,
                     .file = file,
                     .found = process.container ? root + file : file,
                     .written_at_ms = *time};
  }
  if (out) out->read_at_ms = mark_of(source, program_name(process), root);
  return out;
}

}  // namespace

std::vector<ConfigTime> read_config_times(kernel::Source& source, const Host& host) {
  std::vector<ConfigTime> out;
  for (const Process* process : servers_among_owners(host)) {
    if (auto newest = newest_file(source, *process)) out.push_back(std::move(*newest));
  }
  return out;
}

}  // namespace hark::host
