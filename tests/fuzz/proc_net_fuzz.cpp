// decode_proc_net: the first byte chooses the table, the rest is its text. What is accepted is
// written as a table again and must come back the same.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "decode/proc_net.h"

namespace {

using namespace hark;
using namespace hark::decode;

void require(bool truth) {
  if (!truth) std::abort();
}

constexpr std::array<Protocol, 4> kProtocols = {Protocol::Tcp, Protocol::Udp, Protocol::Udplite,
                                                Protocol::Raw};

std::string encode(const IpAddress& address, std::uint16_t port) {
  std::string out;
  char word[16];
  for (unsigned i = 0; i < address.bits() / 8; i += 4) {
    std::uint32_t value = 0;
    std::memcpy(&value, address.bytes.data() + i, sizeof value);
    std::snprintf(word, sizeof word, "%08X", value);
    out += word;
  }
  std::snprintf(word, sizeof word, ":%04X", port);
  return out + word;
}

std::string encode(const SocketRecord& record) {
  char queues[64];
  std::snprintf(queues, sizeof queues, " %02X %08X:%08X 00:00000000 00000000 ", record.state, 0U,
                static_cast<unsigned>(*record.queue_length));
  std::string out = "0: " + encode(record.local, record.local_port) + " " +
                    encode(record.remote, record.remote_port) + queues;
  out += std::to_string(record.uid) + " 0 " + std::to_string(record.inode) + " 2 pointer";
  if (record.drops) out += " " + std::to_string(*record.drops);
  return out + "\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Protocol protocol = kProtocols[data[0] / 2 % kProtocols.size()];
  const Family family = data[0] % 2 == 0 ? Family::Inet : Family::Inet6;
  const ByteView text = std::as_bytes(std::span(data + 1, size - 1));
  const auto dump = decode_proc_net(text, protocol, family);
  if (!dump) {
    require(dump.error().why.starts_with("line "));
    return 0;
  }
  require(!dump->interrupted);
  std::string again = "sl\n";
  for (const SocketRecord& record : dump->sockets) {
    require(record.protocol == protocol && record.local.family == family);
    require(record.remote.family == family && record.queue_length);
    require(record.drops.has_value() == (protocol != Protocol::Tcp));
    require(!record.interface_index && !record.queue_limit && !record.cookie && !record.cgroup_id);
    again += encode(record);
  }
  const auto second = decode_proc_net(as_bytes(again), protocol, family);
  require(second && second->sockets == dump->sockets);
  return 0;
}
