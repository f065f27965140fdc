// decode_processes: what is kept as bytes is written as parts again and must come back the same.
// The files in it have their own target, proc_files.
#include <cstdlib>

#include "base/parts.h"
#include "decode/cgroup.h"
#include "decode/process.h"

namespace {

using namespace hark;
using namespace hark::decode;

void require(bool truth) {
  if (!truth) std::abort();
}

void add(Bytes& to, ProcessPart tag, ByteView bytes) {
  append_part(to, static_cast<std::uint16_t>(tag), bytes);
}

void add_failed(Bytes& to, ProcessPart tag, const Error& error) {
  if (error.code != 0) append_failed_part(to, static_cast<std::uint16_t>(tag), error.code);
}

void encode(Bytes& to, const ProcessRecord& process) {
  Bytes pid;
  append_value(pid, process.pid);
  add(to, ProcessPart::Pid, pid);
  if (process.exe) {
    add(to, ProcessPart::Exe, as_bytes(*process.exe));
  } else {
    add_failed(to, ProcessPart::Exe, process.exe.error());
  }
  if (process.cgroup) {
    add(to, ProcessPart::Cgroup, *process.cgroup);
  } else {
    add_failed(to, ProcessPart::Cgroup, process.cgroup.error());
  }
  add(to, ProcessPart::Sockets, std::as_bytes(std::span(process.sockets)));
  append_failed_part(to, static_cast<std::uint16_t>(ProcessPart::Sockets), process.sockets_error);
}

bool same(const ProcessRecord& a, const ProcessRecord& b) {
  return a.pid == b.pid && a.exe == b.exe && a.cgroup == b.cgroup && a.sockets == b.sockets &&
         a.sockets_error == b.sockets_error;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto processes = decode_processes(std::as_bytes(std::span(data, size)));
  if (!processes) {
    require(processes.error().why.starts_with("part "));
    return 0;
  }
  Bytes again;
  std::size_t sockets = 0;
  for (const ProcessRecord& process : *processes) {
    encode(again, process);
    sockets += process.sockets.size();
    if (process.cgroup) static_cast<void>(decode_cgroup_file(*process.cgroup));
  }
  require(sockets * sizeof(FdInode) <= size);
  const auto second = decode_processes(again);
  require(second && second->size() == processes->size());
  for (std::size_t i = 0; i < processes->size(); ++i) require(same((*processes)[i], (*second)[i]));
  return 0;
}
