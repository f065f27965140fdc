#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#include <cstring>

#include "decode/kernel_messages.h"
#include "decode/netlink_attributes.h"
#include "decode/socket_details.h"

namespace hark::decode {
namespace {

inet_diag_msg listener() {
  inet_diag_msg out{};
  out.idiag_family = AF_INET;
  out.idiag_state = 10;
  out.id.idiag_sport = htons(5432);
  out.id.idiag_src[0] = htonl(0x7f000001);
  out.idiag_uid = 26;
  out.idiag_inode = 733;
  return out;
}

Bytes answer(const inet_diag_msg& socket, const Bytes& attributes) {
  Bytes body;
  append_value(body, socket);
  append(body, attributes);
  return netlink_request(SOCK_DIAG_BY_FAMILY, 0, body);
}

Bytes memory(std::uint32_t used, std::uint32_t limit) {
  Bytes words;
  append_value(words, used);
  append_value(words, limit);
  append_value(words, std::uint32_t{0});
  return attribute(INET_DIAG_SKMEMINFO, words);
}

Bytes keys(std::uint8_t family, std::uint8_t length, const char* address) {
  tcp_diag_md5sig entry{};
  entry.tcpm_family = family;
  entry.tcpm_prefixlen = length;
  inet_pton(family, address, entry.tcpm_addr);
  return attribute(INET_DIAG_MD5SIG, bytes_of(entry));
}

TEST(SocketDetails, OfConnectionsTheKernelChoosesThoseOfThePort) {
  const Bytes request = connections_request(Family::Inet, 8080);
  inet_diag_req_v2 asked{};
  std::memcpy(&asked, request.data() + sizeof(nlmsghdr), sizeof asked);
  EXPECT_EQ(asked.sdiag_family, AF_INET);
  EXPECT_EQ(asked.idiag_states & kListening, 0U);
  EXPECT_EQ(asked.idiag_states, kConnections);
  NetlinkAttributes attributes(ByteView(request).subspan(sizeof(nlmsghdr) + sizeof asked));
  const auto attribute = attributes.next();
  ASSERT_TRUE(attribute);
  EXPECT_EQ(attribute->type, INET_DIAG_REQ_BYTECODE);
  inet_diag_bc_op program[4];
  ASSERT_EQ(attribute->bytes.size(), sizeof program);
  std::memcpy(program, attribute->bytes.data(), sizeof program);
  // Each test is passed to what stands behind its port, and failed to 4 bytes beyond the end.
  EXPECT_EQ(program[0].code, INET_DIAG_BC_S_GE);
  EXPECT_EQ(program[2].code, INET_DIAG_BC_S_LE);
  EXPECT_EQ(program[0].yes, 8);
  EXPECT_EQ(program[2].yes, 8);
  EXPECT_EQ(program[0].no, 20);
  EXPECT_EQ(program[2].no, 12);
  EXPECT_EQ(program[1].no, 8080);
  EXPECT_EQ(program[3].no, 8080);
}

TEST(SocketDetails, ARequestAsksForItsStatesAndForMemory) {
  const Bytes request = socket_details_request(Family::Inet6, Protocol::Tcp, kListening);
  inet_diag_req_v2 asked{};
  ASSERT_EQ(request.size(), sizeof(nlmsghdr) + sizeof asked);
  std::memcpy(&asked, request.data() + sizeof(nlmsghdr), sizeof asked);
  EXPECT_EQ(asked.sdiag_family, AF_INET6);
  EXPECT_EQ(asked.sdiag_protocol, IPPROTO_TCP);
  EXPECT_EQ(asked.idiag_states, kListening);
  EXPECT_EQ(asked.idiag_ext, 1U << (INET_DIAG_SKMEMINFO - 1U) | 1U << (INET_DIAG_INFO - 1U));
}

TEST(SocketDetails, TheFixedPartIsRead) {
  const auto read = decode_socket_details(answer(listener(), {}));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 1U);
  const SocketDetails& socket = read->front();
  EXPECT_EQ(socket.local.text(), "127.0.0.1");
  EXPECT_EQ(socket.local_port, 5432);
  EXPECT_EQ(socket.state, 10);
  EXPECT_EQ(socket.uid, 26U);
  EXPECT_EQ(socket.inode, 733U);
  EXPECT_FALSE(socket.transparent);
  EXPECT_FALSE(socket.memory_used);
  EXPECT_TRUE(socket.md5.empty());
}

TEST(SocketDetails, MemoryOptionsAndSignaturesAreRead) {
  inet_diag_sockopt options{};
  options.transparent = 1;
  Bytes attributes = memory(768, 212992);
  append(attributes, attribute(INET_DIAG_SOCKOPT, bytes_of(options)));
  append(attributes, keys(AF_INET, 24, "10.9.0.0"));
  const auto read = decode_socket_details(answer(listener(), attributes));
  ASSERT_TRUE(read);
  const SocketDetails& socket = read->front();
  EXPECT_EQ(socket.memory_used, 768U);
  EXPECT_EQ(socket.memory_limit, 212992U);
  EXPECT_EQ(socket.transparent, true);
  ASSERT_EQ(socket.md5.size(), 1U);
  EXPECT_EQ(socket.md5.front().text(), "10.9.0.0/24");
}

TEST(SocketDetails, AMappedPeerIsOfIpv4) {
  const auto read =
      decode_socket_details(answer(listener(), keys(AF_INET6, 120, "::ffff:10.9.0.0")));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->front().md5.front().text(), "10.9.0.0/24");
}

TEST(SocketDetails, WhatIsMalformedIsAnError) {
  EXPECT_FALSE(decode_socket_details(answer(listener(), attribute(INET_DIAG_SKMEMINFO, Bytes(7)))));
  EXPECT_FALSE(decode_socket_details(answer(listener(), attribute(INET_DIAG_SOCKOPT, Bytes(1)))));
  EXPECT_FALSE(decode_socket_details(answer(listener(), attribute(INET_DIAG_MD5SIG, Bytes(99)))));
  EXPECT_FALSE(decode_socket_details(answer(listener(), keys(AF_INET, 33, "10.9.0.0"))));
  inet_diag_msg strange = listener();
  strange.idiag_family = AF_UNIX;
  EXPECT_FALSE(decode_socket_details(answer(strange, {})));
  Bytes cut = answer(listener(), memory(1, 2));
  cut.pop_back();
  EXPECT_FALSE(decode_socket_details(cut));
}

}  // namespace
}  // namespace hark::decode
