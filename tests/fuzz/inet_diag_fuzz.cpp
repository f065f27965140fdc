// decode_inet_diag: the first byte chooses the protocol asked for, the rest is the answer. What is
// accepted is written as an answer again and must come back the same.
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "decode/inet_diag.h"
#include "decode/netlink_attributes.h"

namespace {

using namespace hark;
using namespace hark::decode;

void require(bool truth) {
  if (!truth) std::abort();
}

template <typename T>
void append_number(Bytes& to, std::uint16_t type, const T& value) {
  Bytes bytes;
  append_value(bytes, value);
  append_attribute(to, type, bytes);
}

void append_memory(Bytes& to, const SocketRecord& record) {
  const bool limit_told = record.queue_limit && record.state != kTcpListen;
  if (!limit_told && !record.drops) return;
  std::array<std::uint32_t, SK_MEMINFO_DROPS + 1> words{};
  if (limit_told) words[SK_MEMINFO_RCVBUF] = static_cast<std::uint32_t>(*record.queue_limit);
  words[SK_MEMINFO_DROPS] = static_cast<std::uint32_t>(record.drops.value_or(0));
  Bytes bytes;
  append_value(bytes, words);
  if (!record.drops) bytes.resize(bytes.size() - sizeof(std::uint32_t));
  append_attribute(to, INET_DIAG_SKMEMINFO, bytes);
}

Bytes encode(const SocketRecord& record, Protocol asked) {
  inet_diag_msg message{};
  message.idiag_family = record.local.family == Family::Inet ? AF_INET : AF_INET6;
  message.idiag_state = record.state;
  message.id.idiag_sport = htons(record.local_port);
  message.id.idiag_dport = htons(record.remote_port);
  std::memcpy(message.id.idiag_src, record.local.bytes.data(), 16);
  std::memcpy(message.id.idiag_dst, record.remote.bytes.data(), 16);
  message.id.idiag_if = *record.interface_index;
  message.id.idiag_cookie[0] = static_cast<std::uint32_t>(*record.cookie);
  message.id.idiag_cookie[1] = static_cast<std::uint32_t>(*record.cookie >> 32U);
  message.idiag_rqueue = static_cast<std::uint32_t>(*record.queue_length);
  if (record.state == kTcpListen) {
    message.idiag_wqueue = static_cast<std::uint32_t>(*record.queue_limit);
  }
  message.idiag_uid = record.uid;
  message.idiag_inode = record.inode;
  Bytes body;
  append_value(body, message);
  append_memory(body, record);
  if (record.v6only) append_number(body, INET_DIAG_SKV6ONLY, std::uint8_t{*record.v6only});
  if (record.cgroup_id) append_number(body, INET_DIAG_CGROUP_ID, *record.cgroup_id);
  if (record.protocol != asked) {
    Bytes name;
    append_attribute(name, INET_ULP_INFO_NAME, as_bytes("mptcp"));
    append_attribute(body, INET_DIAG_ULP_INFO, name);
  }
  return netlink_request(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, body);
}

void check(const SocketRecord& record, Protocol asked) {
  require(record.protocol == asked ||
          (asked == Protocol::Tcp && record.protocol == Protocol::Mptcp));
  require(record.local.family == record.remote.family);
  if (record.local.family == Family::Inet) {
    require(!record.v6only);
    const auto zero = [](std::uint8_t b) { return b == 0; };
    require(std::all_of(record.local.bytes.begin() + 4, record.local.bytes.end(), zero));
    require(std::all_of(record.remote.bytes.begin() + 4, record.remote.bytes.end(), zero));
  }
  require(record.interface_index && record.cookie && record.queue_length);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto asked = static_cast<Protocol>(data[0] % 5);
  const auto dump = decode_inet_diag(std::as_bytes(std::span(data + 1, size - 1)), asked);
  if (!dump) {
    require(!dump.error().what.empty());
    return 0;
  }
  require(dump->sockets.size() * (sizeof(nlmsghdr) + sizeof(inet_diag_msg)) < size);
  Bytes again;
  for (const SocketRecord& record : dump->sockets) {
    check(record, asked);
    append(again, encode(record, asked));
  }
  const auto second = decode_inet_diag(again, asked);
  require(second && second->sockets == dump->sockets && !second->interrupted);
  return 0;
}
