#include "host/owners.h"

#include <algorithm>
#include <map>

#include "decode/cgroup.h"
#include "host/cgroup_names.h"
#include "host/gaps.h"

namespace hark::host {
namespace {

constexpr std::int64_t kMsPerTick = 10;  ///< USER_HZ is 100 on every machine that hark runs on
constexpr std::string_view kDeleted = " (deleted)";

std::vector<kernel::ProcessWanted> holders(const decode::ProcessScan& scan,
                                           const std::vector<std::uint32_t>& inodes) {
  std::vector<kernel::ProcessWanted> out;
  for (const decode::ScannedProcess& process : scan.processes) {
    kernel::ProcessWanted wanted{.pid = process.pid, .sockets = {}};
    for (std::uint32_t i = process.first_socket; i < process.end_socket; ++i) {
      if (std::ranges::binary_search(inodes, scan.sockets[i].inode)) {
        wanted.sockets.push_back(scan.sockets[i]);
      }
    }
    if (!wanted.sockets.empty()) out.push_back(std::move(wanted));
  }
  return out;
}

void set_exe(Process& process, std::string target) {
  process.exe_deleted = target.ends_with(kDeleted);
  if (process.exe_deleted) target.resize(target.size() - kDeleted.size());
  process.exe = std::move(target);
}

Process to_process(decode::ProcessRecord& record, std::int64_t boot_ms) {
  Process process;
  process.pid = record.pid;
  if (record.stat) {
    process.name = record.stat->name;
    process.state = record.stat->state;
    process.started_at_ms =
        boot_ms + static_cast<std::int64_t>(record.stat->start_ticks) * kMsPerTick;
  }
  if (record.status) process.uid = record.status->effective_uid;
  if (record.cmdline) process.command_line = std::move(*record.cmdline);
  if (record.exe) set_exe(process, std::move(*record.exe));
  if (record.cgroup) {
    if (const auto lines = decode::decode_cgroup_file(*record.cgroup)) {
      process.cgroup = decode::telling_path(*lines);
      process.unit = unit_of_cgroup(process.cgroup);
      process.container = container_of_cgroup(process.cgroup);
    }
  }
  return process;
}

/// (inode, process, descriptor) for everything that is still held.
struct Holding {
  std::uint32_t inode = 0;
  ProcessId process{};
  std::uint32_t fd = 0;
  auto operator<=>(const Holding&) const = default;
};

std::vector<Owner> owners_of(std::uint32_t inode, const std::vector<Holding>& holdings) {
  std::vector<Owner> out;
  auto at = std::ranges::lower_bound(holdings, inode, {}, &Holding::inode);
  for (; at != holdings.end() && at->inode == inode; ++at) {
    const Holding& holding = *at;
    if (out.empty() || out.back().process != holding.process) {
      out.push_back({.process = holding.process, .fds = {}});
    }
    out.back().fds.push_back(holding.fd);
  }
  return out;
}

}  // namespace

std::vector<std::uint32_t> listener_inodes(const Host& host) {
  std::vector<std::uint32_t> out;
  for (const Listener& listener : host.listeners) {
    if (listener.socket.inode != 0) out.push_back(listener.socket.inode);
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void join_owners(kernel::Source& source, const decode::ProcessScan& scan, bool all_seen,
                 std::int64_t boot_ms, Host& host) {
  const auto wanted = holders(scan, listener_inodes(host));
  // In batches: what is read of one process is kilobytes, what is kept of it far less.
  constexpr std::size_t kBatch = 256;
  std::vector<Holding> holdings;
  for (std::size_t at = 0; at < wanted.size(); at += kBatch) {
    const std::size_t size = std::min(kBatch, wanted.size() - at);
    const auto parts = source.read_processes(std::span(wanted).subspan(at, size));
    auto records = parts ? decode::decode_processes(*parts)
                         : Result<std::vector<decode::ProcessRecord>>(fail(parts.error()));
    if (!records) {
      host.gaps.push_back(gaps::owners_not_read(records.error()));
      return;
    }
    for (decode::ProcessRecord& record : *records) {
      if (record.sockets.empty()) continue;
      const ProcessId id{static_cast<std::uint32_t>(host.processes.size())};
      for (const FdInode& held : record.sockets) holdings.push_back({held.inode, id, held.fd});
      host.processes.push_back(to_process(record, boot_ms));
    }
  }
  std::ranges::sort(holdings);
  holdings.erase(std::unique(holdings.begin(), holdings.end()), holdings.end());
  for (Listener& listener : host.listeners) {
    auto owners = owners_of(listener.socket.inode, holdings);
    if (!owners.empty() || all_seen) listener.owners = std::move(owners);
  }
}

}  // namespace hark::host
