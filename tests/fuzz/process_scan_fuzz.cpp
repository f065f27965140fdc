// decode_process_scan: what is accepted is written as parts again and must come back the same.
#include <cstdlib>

#include "base/parts.h"
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

void add_inode(Bytes& to, ProcessPart tag, const std::optional<std::uint64_t>& inode) {
  if (!inode) return;
  Bytes bytes;
  append_value(bytes, *inode);
  add(to, tag, bytes);
}

void encode(Bytes& to, const ScannedProcess& process, const ProcessScan& scan) {
  Bytes pid;
  append_value(pid, process.pid);
  add(to, ProcessPart::Pid, pid);
  add_inode(to, ProcessPart::NetnsInode, process.netns_inode);
  add_inode(to, ProcessPart::NetProcInode, process.net_proc_inode);
  add_inode(to, ProcessPart::MntnsInode, process.mntns_inode);
  const std::span<const FdInode> sockets(scan.sockets);
  const std::size_t count = process.end_socket - process.first_socket;
  add(to, ProcessPart::Sockets, std::as_bytes(sockets.subspan(process.first_socket, count)));
  add(to, ProcessPart::NetnsFds, std::as_bytes(std::span(process.netns_fds)));
  if (process.sockets_error != 0) {
    append_failed_part(to, static_cast<std::uint16_t>(ProcessPart::Sockets), process.sockets_error);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto scan = decode_process_scan(std::as_bytes(std::span(data, size)));
  if (!scan) {
    require(scan.error().why.starts_with("part "));
    return 0;
  }
  require(scan->sockets.size() * sizeof(FdInode) <= size);
  std::uint32_t last_pid = 0;
  std::uint32_t last_socket = 0;
  Bytes again;
  for (const ScannedProcess& process : scan->processes) {
    require(process.pid > last_pid);
    require(process.first_socket == last_socket && process.end_socket >= last_socket);
    last_pid = process.pid;
    last_socket = process.end_socket;
    require(last_socket <= scan->sockets.size());
    encode(again, process, *scan);
  }
  require(last_socket == scan->sockets.size());
  const auto second = decode_process_scan(again);
  require(second && second->processes == scan->processes && second->sockets == scan->sockets);
  return 0;
}
