#include "host/owners.h"

#include <algorithm>
#include <map>

#include "decode/cgroup.h"
#include "host/cgroup_names.h"
#include "host/gaps.h"
#include "host/select_text.h"

namespace hark::host {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

/// A process that holds a listener, and what the search told of it.
struct Holder {
  kernel::ProcessWanted wanted;
  const ProcessFacts* facts = nullptr;
};

std::vector<Holder> holders(const decode::ProcessScan& scan,
                            const std::vector<std::uint32_t>& inodes) {
  std::vector<Holder> out;
  for (const decode::ScannedProcess& process : scan.processes) {
    Holder holder{.wanted = {.pid = process.pid, .sockets = {}}, .facts = scan.facts_of(process)};
    for (std::uint32_t i = process.first_socket; i < process.end_socket; ++i) {
      if (std::ranges::binary_search(inodes, scan.sockets[i].inode)) {
        holder.wanted.sockets.push_back(scan.sockets[i]);
      }
    }
    if (!holder.wanted.sockets.empty()) out.push_back(std::move(holder));
  }
  return out;
}

void set_exe(Process& process, std::string target) {
  process.exe_deleted = target.ends_with(kDeleted);
  if (process.exe_deleted) target.resize(target.size() - kDeleted.size());
  process.exe_name = last_part(target);
  process.exe = std::move(target);
}

void set_cgroup(Process& process, ByteView text) {
  const auto lines = decode::decode_cgroup_file(text);
  if (!lines) return;
  process.cgroup = decode::telling_path(*lines);
  process.unit = unit_of_cgroup(process.cgroup);
  process.container = container_of_cgroup(process.cgroup);
}

Process to_process(decode::ProcessRecord& record, std::int64_t boot_ms) {
  Process process;
  process.pid = record.pid;
  if (record.stat) {
    process.name = record.stat->name;
    process.state = record.stat->state;
    process.started_at_ms = boot_ms + record.stat->start_ms();
  }
  if (record.status) process.uid = record.status->effective_uid;
  if (record.cmdline) process.command_line = std::move(*record.cmdline);
  if (record.exe) set_exe(process, std::move(*record.exe));
  if (record.uid) process.uid = record.uid;
  if (record.cgroup) set_cgroup(process, *record.cgroup);
  return process;
}

std::int64_t start_of(const ProcessFacts& facts, std::int64_t boot_ms) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  const auto ms = static_cast<std::int64_t>(facts.start_ns) / kNsPerMs;
  return boot_ms + ms / decode::kMsPerTick * decode::kMsPerTick;
}

/// What the search itself told of processes, without a look at their files. Those in the same
/// cgroups are told apart from the first of them only by their own facts.
class FactReader {
 public:
  FactReader(const decode::ProcessScan& scan, std::int64_t boot_ms)
      : scan_(scan), boot_ms_(boot_ms) {}

  Process read(std::uint32_t pid, const ProcessFacts& facts) {
    Process process = group(facts.group);
    process.pid = pid;
    process.name = facts.name.data();
    process.exe_name = facts.exe.data();
    process.exe_deleted = facts.exe_deleted != 0;
    process.uid = facts.uid;
    process.state = facts.state;
    process.started_at_ms = start_of(facts, boot_ms_);
    return process;
  }

 private:
  const Process& group(std::uint32_t number) {
    const auto [place, is_new] = groups_.try_emplace(number);
    const auto text = scan_.cgroups.find(number);
    if (is_new && text != scan_.cgroups.end()) set_cgroup(place->second, text->second);
    return place->second;
  }

  const decode::ProcessScan& scan_;
  std::int64_t boot_ms_;
  std::map<std::uint32_t, Process> groups_;
};

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

namespace {

/// Gathers processes, and what they hold.
class Join {
 public:
  Join(kernel::Source& source, const OwnerJoin& how, Host& host)
      : source_(source), how_(how), host_(host) {}

  /// Of processes of whom the search told all that is wanted.
  void add_told(const decode::ProcessScan& scan, const std::vector<Holder>& holders) {
    FactReader reader(scan, how_.boot_ms);
    host_.processes.reserve(holders.size());
    for (const Holder& holder : holders) {
      add(reader.read(holder.wanted.pid, *holder.facts), holder.wanted.sockets);
    }
  }

  /// Of processes whose files must be read. In batches: what is read of one process is kilobytes,
  /// what is kept of it far less.
  [[nodiscard]] Result<void> add_read(const std::vector<Holder>& holders) {
    constexpr std::size_t kBatch = 256;
    const auto detail = how_.details ? kernel::ProcessDetail::All : kernel::ProcessDetail::Table;
    std::vector<kernel::ProcessWanted> wanted;
    for (std::size_t at = 0; at < holders.size(); at += wanted.size()) {
      wanted.clear();
      const std::size_t size = std::min(kBatch, holders.size() - at);
      for (std::size_t i = at; i < at + size; ++i) wanted.push_back(holders[i].wanted);
      const auto parts = source_.read_processes(wanted, detail);
      auto records = parts ? decode::decode_processes(*parts)
                           : Result<std::vector<decode::ProcessRecord>>(fail(parts.error()));
      if (!records) return fail(records.error());
      for (decode::ProcessRecord& record : *records) add_record(record, holders);
    }
    return {};
  }

  void finish() {
    std::ranges::sort(holdings_);
    holdings_.erase(std::unique(holdings_.begin(), holdings_.end()), holdings_.end());
    for (Listener& listener : host_.listeners) {
      auto owners = owners_of(listener.socket.inode, holdings_);
      if (!owners.empty() || how_.all_seen) listener.owners = std::move(owners);
    }
  }

 private:
  void add(Process process, const std::vector<FdInode>& sockets) {
    const ProcessId id{static_cast<std::uint32_t>(host_.processes.size())};
    for (const FdInode& held : sockets) holdings_.push_back({held.inode, id, held.fd});
    host_.processes.push_back(std::move(process));
  }

  /// A process into whose descriptors /proc does not let us look is taken at the search's word, if
  /// it is still the one that was searched.
  void add_record(decode::ProcessRecord& record, const std::vector<Holder>& holders) {
    Process process = to_process(record, how_.boot_ms);
    if (record.sockets.empty()) {
      const auto holder = std::ranges::lower_bound(
          holders, record.pid, {}, [](const Holder& one) { return one.wanted.pid; });
      const bool same = holder != holders.end() && holder->wanted.pid == record.pid &&
                        holder->facts != nullptr && record.sockets_error != 0 &&
                        process.started_at_ms == start_of(*holder->facts, how_.boot_ms);
      if (!same) return;
      record.sockets = holder->wanted.sockets;
    }
    add(std::move(process), record.sockets);
  }

  kernel::Source& source_;
  const OwnerJoin& how_;
  Host& host_;
  std::vector<Holding> holdings_;
};

}  // namespace

void join_owners(kernel::Source& source, const decode::ProcessScan& scan, const OwnerJoin& how,
                 Host& host) {
  const auto found = holders(scan, listener_inodes(host));
  Join join(source, how, host);
  const bool told = !how.details && std::ranges::all_of(found, [](const Holder& holder) {
    return holder.facts != nullptr;
  });
  if (told) {
    join.add_told(scan, found);
  } else if (const auto fine = join.add_read(found); !fine) {
    host.gaps.push_back(gaps::owners_not_read(fine.error()));
    return;
  }
  join.finish();
}

}  // namespace hark::host
