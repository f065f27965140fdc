#include "decode/bound_sockets.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#include <cstring>

#include "base/parts.h"
#include "decode/netlink_attributes.h"
#include "decode/socket_details.h"

namespace hark::decode {
namespace {

constexpr std::uint8_t kTimeWait = 6;  // TCP_TIME_WAIT of net/tcp_states.h
/// From TCP_ESTABLISHED to TCP_CLOSING without TCP_SYN_RECV, and TCP_BOUND_INACTIVE.
constexpr std::uint32_t kStates = 0xff6U | kBoundInactive;

template <typename T>
bool read_array(ByteView bytes, std::vector<T>& out) {
  if (bytes.size() % sizeof(T) != 0) return false;
  out.resize(bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  return true;
}

IpAddress address_of(bool v6, const std::array<std::uint8_t, 16>& bytes) {
  IpAddress out{.family = v6 ? Family::Inet6 : Family::Inet};
  std::memcpy(out.bytes.data(), bytes.data(), v6 ? bytes.size() : 4);
  return out;
}

std::optional<BoundRecord> to_record(const BindEntry& from, Protocol protocol) {
  if (from.family != AF_INET && from.family != AF_INET6) return std::nullopt;
  const bool v6 = from.family == AF_INET6;
  BoundRecord out;
  SocketRecord& socket = out.socket;
  socket.protocol = protocol;
  socket.local = address_of(v6, from.address);
  socket.local_port = from.port;
  socket.remote = address_of(v6, from.remote);
  socket.remote_port = from.remote_port;
  socket.state = from.state;
  socket.interface_index = from.interface_index;
  socket.uid = from.uid;
  socket.inode = from.inode;
  if (from.cookie != 0) socket.cookie = from.cookie;
  if (v6) socket.v6only = from.v6only != 0;
  out.time_wait = protocol == Protocol::Tcp && from.state == kTimeWait;
  out.reuse = from.reuse != 0;
  out.reuseport = from.reuseport != 0;
  if (protocol == Protocol::Tcp) out.l3mdev = from.l3mdev;
  return out;
}

/// inet_diag_bc_run(): a test jumps on by `yes` or `no` bytes; beyond the end by 4 means no. The
/// port stands in the operation behind its test.
Bytes port_program(std::uint16_t first, std::uint16_t last) {
  constexpr std::uint8_t kTest = 2 * sizeof(inet_diag_bc_op);
  Bytes out;
  append_value(out, inet_diag_bc_op{INET_DIAG_BC_S_GE, kTest, 2 * kTest + 4});
  append_value(out, inet_diag_bc_op{0, 0, first});
  append_value(out, inet_diag_bc_op{INET_DIAG_BC_S_LE, kTest, kTest + 4});
  append_value(out, inet_diag_bc_op{0, 0, last});
  return out;
}

}  // namespace

Result<BoundDump> decode_bound_sockets(ByteView parts, Protocol protocol) {
  const auto broken = [](const char* why) { return fail(plain_error("sockets of a port", why)); };
  BoundDump out;
  std::vector<BindEntry> sockets;
  PartReader reader(parts);
  while (const auto part = reader.next()) {
    bool fine = true;
    if (part->tag == static_cast<std::uint16_t>(BoundPart::Buckets)) {
      fine = read_array(part->bytes, out.buckets);
    } else if (part->tag == static_cast<std::uint16_t>(BoundPart::Sockets)) {
      fine = read_array(part->bytes, sockets);
    }
    if (!fine) return broken("its length is wrong");
  }
  if (reader.broken()) return broken("it is cut off");
  out.sockets.reserve(sockets.size());
  for (const BindEntry& socket : sockets) {
    auto record = to_record(socket, protocol);
    if (!record) return broken("a socket of no family that is known");
    out.sockets.push_back(std::move(*record));
  }
  return out;
}

Bytes bound_request(Family family, Protocol protocol, std::uint16_t first, std::uint16_t last) {
  inet_diag_req_v2 request{};
  request.sdiag_family = family == Family::Inet ? AF_INET : AF_INET6;
  request.sdiag_protocol = protocol == Protocol::Udp       ? IPPROTO_UDP
                           : protocol == Protocol::Udplite ? IPPROTO_UDPLITE
                                                           : IPPROTO_TCP;
  request.idiag_states = kStates;
  Bytes body;
  append_value(body, request);
  if (first != 0) {
    append_attribute(body, INET_DIAG_REQ_BYTECODE, port_program(first, last));
  }
  return netlink_request(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, body);
}

Result<std::vector<BoundRecord>> decode_bound_dump(ByteView messages, Protocol protocol) {
  auto dump = decode_inet_diag(messages, protocol);
  if (!dump) return fail(dump.error());
  std::vector<BoundRecord> out;
  out.reserve(dump->sockets.size());
  for (SocketRecord& socket : dump->sockets) {
    if (socket.local_port == 0) continue;
    BoundRecord record;
    record.time_wait = socket.time_wait;
    record.socket = std::move(socket);
    out.push_back(std::move(record));
  }
  return out;
}

}  // namespace hark::decode
