#include "decode/process.h"

#include <cstring>

#include "base/parts.h"

namespace hark::decode {
namespace {

/// Walks over the parts of a buffer and keeps its rules: a process comes first, nothing is cut off.
class ProcessParts {
 public:
  ProcessParts(ByteView parts, const char* what) : reader_(parts), what_(what) {}

  /// The next part; `pid` of the part's process is kept. Nothing: the end, or error() says why.
  [[nodiscard]] std::optional<Part> next() {
    if (error_) return std::nullopt;
    auto part = reader_.next();
    ++number_;
    if (!part) {
      if (reader_.broken()) reject("the part is cut off");
    } else if (is(*part, ProcessPart::Pid)) {
      if (part->bytes.size() != sizeof(std::uint32_t)) reject("a pid of the wrong size");
      pid_ = ByteReader(part->bytes).value<std::uint32_t>();
    } else if (!pid_) {
      reject("no process before it");
    }
    if (error_) return std::nullopt;
    return part;
  }

  [[nodiscard]] std::uint32_t pid() const { return pid_.value_or(0); }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  void reject(const char* why) {
    error_ = plain_error(what_, "part " + std::to_string(number_) + ": " + why);
  }

  [[nodiscard]] static bool is(const Part& part, ProcessPart tag) {
    return part.tag == static_cast<std::uint16_t>(tag);
  }

 private:
  PartReader reader_;
  const char* what_;
  std::size_t number_ = 0;
  std::optional<std::uint32_t> pid_;
  std::optional<Error> error_;
};

/// Appends an array of FdInode. False: its length is none of an array.
bool append_descriptors(std::vector<FdInode>& to, ByteView bytes) {
  if (bytes.size() % sizeof(FdInode) != 0) return false;
  if (bytes.empty()) return true;
  const std::size_t before = to.size();
  to.resize(before + bytes.size() / sizeof(FdInode));
  std::memcpy(to.data() + before, bytes.data(), bytes.size());
  return true;
}

/// Room for exactly what is there: a busy host has 200,000 sockets, and a vector that grows by
/// doubling would hold them three times over for a moment.
void reserve(ProcessScan& scan, ByteView parts) {
  std::size_t processes = 0;
  std::size_t sockets = 0;
  PartReader reader(parts);
  while (const auto part = reader.next()) {
    if (ProcessParts::is(*part, ProcessPart::Pid)) ++processes;
    if (ProcessParts::is(*part, ProcessPart::Sockets)) {
      sockets += part->bytes.size() / sizeof(FdInode);
    }
  }
  scan.processes.reserve(processes);
  scan.sockets.reserve(sockets);
}

/// A link's inode; a failed part leaves `out` empty. False: malformed.
bool read_inode(const Part& part, std::optional<std::uint64_t>& out) {
  if (part.error != 0) return true;
  if (part.bytes.size() != sizeof(std::uint64_t)) return false;
  out = ByteReader(part.bytes).value<std::uint64_t>();
  return true;
}

/// Sockets and the errno that may stand in their place, or beside them. False: malformed.
bool read_sockets(const Part& part, std::vector<FdInode>& out, int& error) {
  if (part.error != 0) error = part.error;
  return append_descriptors(out, part.bytes);
}

/// False: malformed.
bool read_facts(const Part& part, ProcessScan& scan) {
  if (part.bytes.size() != sizeof(ProcessFacts)) return false;
  scan.processes.back().facts = static_cast<std::uint32_t>(scan.facts.size());
  scan.facts.push_back(ByteReader(part.bytes).value<ProcessFacts>());
  scan.facts.back().name.back() = '\0';
  scan.facts.back().exe.back() = '\0';
  return true;
}

/// The cgroups of the group that the process before it is in. False: it is in none.
bool read_group(const Part& part, ProcessScan& scan) {
  const ProcessFacts* facts = scan.facts_of(scan.processes.back());
  if (facts == nullptr) return false;
  scan.cgroups.try_emplace(facts->group, part.bytes.begin(), part.bytes.end());
  return true;
}

/// False: malformed.
bool read_scan_part(const Part& part, ProcessScan& scan) {
  ScannedProcess& process = scan.processes.back();
  // A tag of a newer hark is no enumerator; -Wswitch-enum wants the known ones named all the same.
  switch (static_cast<ProcessPart>(part.tag)) {
    case ProcessPart::NetnsInode:
      return read_inode(part, process.netns_inode);
    case ProcessPart::NetProcInode:
      return read_inode(part, process.net_proc_inode);
    case ProcessPart::MntnsInode:
      return read_inode(part, process.mntns_inode);
    case ProcessPart::NetnsFds:
      return append_descriptors(process.netns_fds, part.bytes);
    case ProcessPart::Sockets: {
      const bool ok = read_sockets(part, scan.sockets, process.sockets_error);
      process.end_socket = static_cast<std::uint32_t>(scan.sockets.size());
      return ok;
    }
    case ProcessPart::Facts:
      return read_facts(part, scan);
    case ProcessPart::Cgroup:
      return read_group(part, scan);
    case ProcessPart::Pid:
    case ProcessPart::Stat:
    case ProcessPart::Status:
    case ProcessPart::Cmdline:
    case ProcessPart::Exe:
    case ProcessPart::Uid:
      break;
  }
  return true;
}

/// A file of the process through its decoder, or the errno in its place.
template <typename T, typename Decode>
void read_file_part(const Part& part, const char* name, Result<T>& out, const Decode& decode) {
  if (part.error == 0) {
    out = decode(part.bytes);
  } else {
    out = fail(kernel_error(part.error, name));
  }
}

/// False: malformed.
bool read_process_part(const Part& part, ProcessRecord& process) {
  switch (static_cast<ProcessPart>(part.tag)) {
    case ProcessPart::Stat:
      read_file_part(part, "stat", process.stat, decode_stat);
      break;
    case ProcessPart::Status:
      read_file_part(part, "status", process.status, decode_status);
      break;
    case ProcessPart::Cmdline:
      read_file_part(part, "cmdline", process.cmdline, decode_cmdline);
      break;
    case ProcessPart::Exe:
      read_file_part(part, "exe", process.exe,
                     [](ByteView bytes) { return std::string(as_text(bytes)); });
      break;
    case ProcessPart::Cgroup:
      read_file_part(part, "cgroup", process.cgroup,
                     [](ByteView bytes) { return Bytes(bytes.begin(), bytes.end()); });
      break;
    case ProcessPart::Sockets:
      return read_sockets(part, process.sockets, process.sockets_error);
    case ProcessPart::Uid:
      if (part.bytes.size() != sizeof(std::uint32_t)) return false;
      process.uid = ByteReader(part.bytes).value<std::uint32_t>();
      break;
    case ProcessPart::Facts:
    case ProcessPart::Pid:
    case ProcessPart::NetnsInode:
    case ProcessPart::NetProcInode:
    case ProcessPart::MntnsInode:
    case ProcessPart::NetnsFds:
      break;
  }
  return true;
}

}  // namespace

Result<ProcessScan> decode_process_scan(ByteView parts) {
  ProcessScan scan;
  reserve(scan, parts);
  ProcessParts reader(parts, "process scan");
  std::uint32_t last_pid = 0;
  while (const auto part = reader.next()) {
    if (ProcessParts::is(*part, ProcessPart::Pid)) {
      if (reader.pid() <= last_pid) {
        reader.reject("its pid does not ascend");
        continue;
      }
      last_pid = reader.pid();
      const auto first = static_cast<std::uint32_t>(scan.sockets.size());
      ScannedProcess process;
      process.pid = last_pid;
      process.first_socket = first;
      process.end_socket = first;
      scan.processes.push_back(std::move(process));
    } else if (!read_scan_part(*part, scan)) {
      reader.reject("its length is wrong");
    }
  }
  if (reader.error()) return fail(*reader.error());
  return scan;
}

tl::unexpected<Error> ProcessRecord::not_told(const char* what) {
  return fail(plain_error(what, "not told"));
}

Result<std::vector<ProcessRecord>> decode_processes(ByteView parts) {
  std::vector<ProcessRecord> out;
  ProcessParts reader(parts, "processes");
  while (const auto part = reader.next()) {
    if (ProcessParts::is(*part, ProcessPart::Pid)) {
      out.emplace_back().pid = reader.pid();
    } else if (!read_process_part(*part, out.back())) {
      reader.reject("its length is wrong");
    }
  }
  if (reader.error()) return fail(*reader.error());
  return out;
}

}  // namespace hark::decode
