#include "kernel/process_records.h"

#include <algorithm>
#include <set>

#include "base/parts.h"

namespace hark::kernel {
namespace {

constexpr std::size_t kPartHead = 8;  ///< tag, error, length (base/parts.h)

/// The sockets that were asked for of one process; ordered, to look one up quickly however many.
using Sockets = std::set<std::pair<std::uint32_t, std::uint32_t>>;

std::pair<std::uint32_t, std::uint32_t> order_of(const FdInode& socket) {
  return {socket.fd, socket.inode};
}

bool is(const Part& part, ProcessPart tag) {
  return part.error == 0 && part.tag == static_cast<std::uint16_t>(tag);
}

/// Those of `sockets` (FdInode[]) that were asked for, in order.
std::vector<FdInode> narrow(ByteView sockets, const Sockets& wanted) {
  std::vector<FdInode> out;
  ByteReader reader(sockets);
  while (!reader.empty()) {
    const auto socket = reader.value<FdInode>();
    if (wanted.contains(order_of(socket))) out.push_back(socket);
  }
  return out;
}

/// Copies a record, its sockets replaced.
void append_record(Bytes& to, ByteView parts, const std::vector<FdInode>& sockets) {
  PartReader reader(parts);
  while (const auto part = reader.next()) {
    if (part->error != 0) {
      append_failed_part(to, part->tag, part->error);
    } else {
      append_part(
          to, part->tag,
          is(*part, ProcessPart::Sockets) ? std::as_bytes(std::span(sockets)) : part->bytes);
    }
  }
}

}  // namespace

bool ProcessRecords::add(ByteView answer) {
  std::vector<Record> found;
  PartReader reader(answer);
  while (const auto part = reader.next()) {
    const std::byte* end = part->bytes.data() + part->bytes.size();
    if (part->tag == static_cast<std::uint16_t>(ProcessPart::Pid)) {
      if (part->error != 0 || part->bytes.size() != sizeof(std::uint32_t)) return false;
      const std::byte* begin = part->bytes.data() - kPartHead;
      found.push_back({.pid = ByteReader(part->bytes).value<std::uint32_t>(),
                       .parts = ByteView(begin, end),
                       .sockets = {}});
      continue;
    }
    if (found.empty()) return false;
    Record& record = found.back();
    record.parts = ByteView(record.parts.data(), end);
    if (is(*part, ProcessPart::Sockets)) {
      if (part->bytes.size() % sizeof(FdInode) != 0) return false;
      record.sockets = part->bytes;
    }
  }
  if (reader.broken()) return false;
  for (const Record& record : found) {
    of_pid_[record.pid].push_back(records_.size());
    records_.push_back(record);
  }
  return true;
}

Bytes ProcessRecords::narrowed(std::span<const ProcessWanted> wanted) const {
  std::map<std::uint32_t, Sockets> sockets_of;
  for (const ProcessWanted& process : wanted) {
    Sockets& sockets = sockets_of[process.pid];
    for (const FdInode& socket : process.sockets) sockets.insert(order_of(socket));
  }

  std::map<std::size_t, std::vector<FdInode>> chosen;  // place in records_, its narrowed sockets
  for (const auto& [pid, sockets] : sockets_of) {
    const auto known = of_pid_.find(pid);
    if (known == of_pid_.end()) continue;
    std::size_t first = known->second.front();
    std::vector<FdInode> held;
    Sockets seen;
    for (const std::size_t place : known->second) {
      const std::vector<FdInode> more = narrow(records_[place].sockets, sockets);
      if (held.empty() && !more.empty()) {
        first = place;
        held = more;
        for (const FdInode& socket : more) seen.insert(order_of(socket));
        continue;
      }
      for (const FdInode& socket : more) {
        if (seen.insert(order_of(socket)).second) held.push_back(socket);
      }
    }
    chosen.emplace(first, std::move(held));
  }

  Bytes out;
  for (const auto& [place, sockets] : chosen) append_record(out, records_[place].parts, sockets);
  return out;
}

}  // namespace hark::kernel
