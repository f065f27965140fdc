#include "decode/socket_details.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#include <cstring>
#include <string>

#include "decode/netlink_attributes.h"

namespace hark::decode {
namespace {

IpAddress address_of(std::uint8_t family, const __be32 (&words)[4]) {
  IpAddress out{.family = family == AF_INET ? Family::Inet : Family::Inet6};
  std::memcpy(out.bytes.data(), words, out.bits() / 8);
  return out;
}

bool read_memory(SocketDetails& socket, const NetlinkAttribute& attribute) {
  ByteReader reader(attribute.bytes);
  const auto used = reader.value<std::uint32_t>();
  const auto limit = reader.value<std::uint32_t>();
  static_assert(SK_MEMINFO_RMEM_ALLOC == 0 && SK_MEMINFO_RCVBUF == 1);
  if (!reader.ok()) return false;
  socket.memory_used = used;
  socket.memory_limit = limit;
  // Of Linux before 4.7 the array ends before its drops.
  reader.take((SK_MEMINFO_DROPS - 2) * sizeof(std::uint32_t));
  const auto drops = reader.value<std::uint32_t>();
  if (reader.ok()) socket.drops = drops;
  return true;
}

bool read_options(SocketDetails& socket, const NetlinkAttribute& attribute) {
  const auto options = attribute.value<inet_diag_sockopt>();
  if (options) socket.transparent = options->transparent != 0;
  return options.has_value();
}

bool read_md5(SocketDetails& socket, const NetlinkAttribute& attribute) {
  ByteReader reader(attribute.bytes);
  while (!reader.empty()) {
    const auto entry = reader.value<tcp_diag_md5sig>();
    if (!reader.ok() || (entry.tcpm_family != AF_INET && entry.tcpm_family != AF_INET6)) {
      return false;
    }
    Prefix peer;
    peer.address = address_of(entry.tcpm_family, entry.tcpm_addr);
    if (entry.tcpm_prefixlen > peer.address.bits()) return false;
    peer.length = entry.tcpm_prefixlen;
    // An IPv6 socket keeps keys for IPv4 peers by their mapped address.
    if (peer.address.is_v4_mapped() && peer.length >= 96) {
      peer = {.address = peer.address.unmapped(),
              .length = static_cast<std::uint8_t>(peer.length - 96)};
    }
    socket.md5.push_back(peer);
  }
  return true;
}

/// Why the message is malformed; empty: it is not.
std::string read_socket(ByteView body, SocketDetails& out) {
  ByteReader reader(body);
  const auto message = reader.value<inet_diag_msg>();
  if (!reader.ok()) return "the message is too short for a socket";
  if (message.idiag_family != AF_INET && message.idiag_family != AF_INET6) {
    return "a socket of family " + std::to_string(message.idiag_family);
  }
  out.local = address_of(message.idiag_family, message.id.idiag_src);
  out.local_port = ntohs(message.id.idiag_sport);
  out.state = message.idiag_state;
  out.uid = message.idiag_uid;
  out.inode = message.idiag_inode;
  out.queue_length = message.idiag_rqueue;
  out.queue_limit = message.idiag_wqueue;
  NetlinkAttributes attributes(reader.take(reader.left()));
  while (const auto attribute = attributes.next()) {
    bool fine = true;
    if (attribute->type == INET_DIAG_SKMEMINFO) fine = read_memory(out, *attribute);
    if (attribute->type == INET_DIAG_SOCKOPT) fine = read_options(out, *attribute);
    if (attribute->type == INET_DIAG_MD5SIG) fine = read_md5(out, *attribute);
    if (!fine) return "attribute " + std::to_string(attribute->type) + " is malformed";
  }
  return attributes.broken() ? "an attribute is cut off or has an impossible length" : "";
}

}  // namespace

Bytes socket_details_request(Family family, Protocol protocol, std::uint32_t states) {
  const bool tcp = protocol == Protocol::Tcp;
  inet_diag_req_v2 request{};
  request.sdiag_family = family == Family::Inet ? AF_INET : AF_INET6;
  request.sdiag_protocol = tcp                             ? IPPROTO_TCP
                           : protocol == Protocol::Udplite ? IPPROTO_UDPLITE
                                                           : IPPROTO_UDP;
  // Signatures come only with tcp_info.
  request.idiag_ext = 1U << (INET_DIAG_SKMEMINFO - 1U);
  if (tcp) request.idiag_ext |= 1U << (INET_DIAG_INFO - 1U);
  request.idiag_states = states;
  Bytes body;
  append_value(body, request);
  return netlink_request(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, body);
}

Bytes connections_request(Family family, std::uint16_t local_port) {
  inet_diag_req_v2 request{};
  request.sdiag_family = family == Family::Inet ? AF_INET : AF_INET6;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = kConnections;
  Bytes body;
  append_value(body, request);
  // inet_diag_bc_run(): a test jumps on by `yes` or `no` bytes; beyond the end by 4 means no. The
  // port stands in the operation behind its test.
  constexpr std::uint8_t kTest = 2 * sizeof(inet_diag_bc_op);
  const auto test = [local_port](std::uint8_t code, std::uint16_t rest) {
    Bytes out;
    append_value(out, inet_diag_bc_op{code, kTest, static_cast<std::uint16_t>(rest + 4)});
    append_value(out, inet_diag_bc_op{0, 0, local_port});
    return out;
  };
  Bytes program = test(INET_DIAG_BC_S_GE, 2 * kTest);
  append(program, test(INET_DIAG_BC_S_LE, kTest));
  append_attribute(body, INET_DIAG_REQ_BYTECODE, program);
  return netlink_request(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, body);
}

Result<std::vector<SocketDetails>> decode_socket_details(ByteView messages) {
  std::vector<SocketDetails> out;
  NetlinkAnswer answer(messages, SOCK_DIAG_BY_FAMILY, "sock_diag answer");
  while (const auto body = answer.next()) {
    SocketDetails socket;
    const std::string fault = read_socket(*body, socket);
    if (!fault.empty()) return fail(answer.reject(fault));
    out.push_back(std::move(socket));
  }
  if (answer.error()) return fail(*answer.error());
  return out;
}

}  // namespace hark::decode
