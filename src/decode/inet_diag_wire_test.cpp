#include <gtest/gtest.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#include <algorithm>

#include "decode/inet_diag.h"
#include "decode/netlink_attributes.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

constexpr std::uint32_t kListen = 1U << kTcpListen;

std::vector<SocketRecord> decoded(const std::string& file, Protocol asked) {
  const auto dump = decode_inet_diag(testdata(file), asked);
  EXPECT_TRUE(dump) << file << ": " << (dump ? "" : dump.error().why);
  return dump ? dump->sockets : std::vector<SocketRecord>{};
}

/// The socket at a port; one of no inode if there is none.
SocketRecord at_port(const std::vector<SocketRecord>& sockets, std::uint16_t port) {
  const auto found = std::find_if(sockets.begin(), sockets.end(),
                                  [&](const SocketRecord& s) { return s.local_port == port; });
  EXPECT_NE(found, sockets.end()) << "no socket at " << port;
  return found == sockets.end() ? SocketRecord{} : *found;
}

/// A message with these attributes, in the state and family given.
Bytes socket_message(std::uint8_t family, std::uint8_t state, ByteView attributes) {
  inet_diag_msg message{};
  message.idiag_family = family;
  message.idiag_state = state;
  message.idiag_rqueue = 3;
  message.idiag_wqueue = 4;
  Bytes body;
  append_value(body, message);
  append(body, attributes);
  return netlink_request(SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, body);
}

Bytes attribute(std::uint16_t type, std::string_view hex) {
  Bytes out;
  append_attribute(out, type, from_hex(hex));
  return out;
}

Result<SocketDump> decode_one(std::uint8_t family, std::uint8_t state, ByteView attributes,
                              Protocol asked) {
  return decode_inet_diag(socket_message(family, state, attributes), asked);
}

TEST(InetDiagRequest, IsTheKernelsRequest) {
  const std::string zeros(96, '0');  // the socket asked for: any
  struct Case {
    Family family;
    Protocol protocol;
    std::uint32_t states;
    std::string hex;
  };
  const Case cases[] = {
      {Family::Inet, Protocol::Tcp, kListen,
       "48000000 1400 0103 00000000 00000000 02 06 42 00 00040000" + zeros},
      {Family::Inet6, Protocol::Udp, 1U << kTcpClose,
       "48000000 1400 0103 00000000 00000000 0a 11 40 00 80000000" + zeros},
      {Family::Inet, Protocol::Udplite, 0x80,
       "48000000 1400 0103 00000000 00000000 02 88 40 00 80000000" + zeros},
      {Family::Inet6, Protocol::Raw, 0x80,
       "48000000 1400 0103 00000000 00000000 0a ff 40 00 80000000" + zeros},
      {Family::Inet, Protocol::Mptcp, kListen,
       "50000000 1400 0103 00000000 00000000 02 00 40 00 00040000" + zeros + "0800 0300 06010000"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(inet_diag_request(c.family, c.protocol, c.states), from_hex(c.hex))
        << name_of(c.protocol);
  }
}

TEST(InetDiag, TheUlpIsAskedForOnlyWhereItMayBe) {
  Bytes with = inet_diag_request(Family::Inet, Protocol::Tcp, 1U << kTcpListen, Ulp::Asked);
  const Bytes without =
      inet_diag_request(Family::Inet, Protocol::Tcp, 1U << kTcpListen, Ulp::NotAsked);
  ASSERT_EQ(with.size(), without.size());
  constexpr std::size_t kExtensions = 18;  // behind nlmsghdr, family and protocol
  constexpr auto kInfo = std::byte{1U << (INET_DIAG_INFO - 1)};
  EXPECT_EQ(with[kExtensions] & kInfo, kInfo);
  with[kExtensions] &= ~kInfo;
  EXPECT_EQ(with, without);
}

TEST(InetDiag, ListenersOfTcp) {
  const auto sockets = decoded("sock_diag-tcp4-root.bin", Protocol::Tcp);
  ASSERT_EQ(sockets.size(), 3U);
  const SocketRecord full = at_port(sockets, 8080);
  EXPECT_EQ(full.protocol, Protocol::Tcp);
  EXPECT_EQ(full.local, address("127.0.0.1"));
  EXPECT_EQ(full.remote, address("0.0.0.0"));
  EXPECT_EQ(full.remote_port, 0);
  EXPECT_EQ(full.state, kTcpListen);
  EXPECT_EQ(full.interface_index, 0U);
  EXPECT_EQ(full.uid, 0U);
  EXPECT_EQ(full.inode, 45516U);
  EXPECT_EQ(full.cookie, 167U);
  EXPECT_EQ(full.queue_length, 2U);  // two connections wait
  EXPECT_EQ(full.queue_limit, 5U);   // the backlog of listen(2), not the receive buffer
  EXPECT_EQ(full.drops, 0U);
  EXPECT_FALSE(full.v6only);
  EXPECT_EQ(full.cgroup_id, 1U);

  const SocketRecord bound = at_port(sockets, 22);
  EXPECT_EQ(bound.local, address("0.0.0.0"));
  EXPECT_EQ(bound.interface_index, 1U);
  EXPECT_EQ(bound.queue_limit, 128U);
}

TEST(InetDiag, SubflowListenersAreMptcp) {
  for (const char* file : {"sock_diag-tcp4-root.bin", "sock_diag-tcp4-user.bin"}) {
    const auto tcp = decoded(file, Protocol::Tcp);
    EXPECT_EQ(at_port(tcp, 9000).protocol, Protocol::Mptcp) << file;
    EXPECT_EQ(at_port(tcp, 9000).inode, 45524U) << file;
    EXPECT_EQ(at_port(tcp, 8080).protocol, Protocol::Tcp) << file;
  }
  const auto mptcp = decoded("sock_diag-mptcp4-root.bin", Protocol::Mptcp);
  ASSERT_EQ(mptcp.size(), 1U);
  EXPECT_EQ(mptcp[0].protocol, Protocol::Mptcp);
  EXPECT_EQ(mptcp[0].inode, 45524U);
  EXPECT_EQ(mptcp[0].queue_limit, 7U);
}

TEST(InetDiag, AnOrdinaryUserIsToldTheSame) {
  const auto root = decoded("sock_diag-tcp4-root.bin", Protocol::Tcp);
  const auto user = decoded("sock_diag-tcp4-user.bin", Protocol::Tcp);
  ASSERT_EQ(root.size(), user.size());
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{22, 8080, 9000}) {
    EXPECT_EQ(at_port(user, port).cgroup_id, at_port(root, port).cgroup_id);
    EXPECT_EQ(at_port(user, port).queue_length, at_port(root, port).queue_length);
    EXPECT_EQ(at_port(user, port).drops, at_port(root, port).drops);
  }
  EXPECT_EQ(at_port(decoded("sock_diag-mptcp6-user.bin", Protocol::Mptcp), 9001).v6only, false);
}

TEST(InetDiag, DualStackIsToldFromV6only) {
  const auto tcp = decoded("sock_diag-tcp6-root.bin", Protocol::Tcp);
  ASSERT_EQ(tcp.size(), 3U);
  EXPECT_EQ(at_port(tcp, 443).local, address("::"));
  EXPECT_EQ(at_port(tcp, 443).v6only, false);
  EXPECT_EQ(at_port(tcp, 8443).local, address("::1"));
  EXPECT_EQ(at_port(tcp, 8443).v6only, true);
  EXPECT_EQ(at_port(tcp, 9001).protocol, Protocol::Mptcp);
  const auto udp = decoded("sock_diag-udp6-root.bin", Protocol::Udp);
  EXPECT_EQ(at_port(udp, 5060).v6only, false);
  EXPECT_EQ(at_port(udp, 123).v6only, true);
  EXPECT_EQ(at_port(udp, 4444).uid, 1234U);
}

TEST(InetDiag, UdpQueuesAreBytesAndDropsAreCounted) {
  const auto sockets = decoded("sock_diag-udp4-root.bin", Protocol::Udp);
  ASSERT_EQ(sockets.size(), 2U);
  const SocketRecord full = at_port(sockets, 53);
  EXPECT_EQ(full.state, kTcpClose);
  EXPECT_EQ(full.queue_length, 7744U);
  EXPECT_EQ(full.queue_limit, 9216U);  // SO_RCVBUF 4608, which the kernel doubles
  EXPECT_EQ(full.drops, 37U);
}

TEST(InetDiag, EveryBeginningIsAnErrorOrEndsBetweenMessages) {
  const auto decode = [](ByteView view) { return decode_inet_diag(view, Protocol::Tcp); };
  const auto count = [](const SocketDump& dump) { return dump.sockets.size(); };
  for (const char* file : {"sock_diag-tcp4-root.bin", "sock_diag-tcp6-root.bin"}) {
    EXPECT_EQ(accepted_beginnings(testdata(file), decode, count), 3U) << file;
  }
}

TEST(InetDiag, AnInterruptedDumpSaysSo) {
  Bytes bytes = testdata("sock_diag-udp4-root.bin");
  EXPECT_FALSE(decode_inet_diag(bytes, Protocol::Udp)->interrupted);
  bytes[6] |= std::byte{NLM_F_DUMP_INTR};
  EXPECT_TRUE(decode_inet_diag(bytes, Protocol::Udp)->interrupted);
}

TEST(InetDiag, WhatIsNotToldIsEmpty) {
  const auto dump = decode_one(AF_INET6, kTcpClose, {}, Protocol::Udp);
  ASSERT_TRUE(dump);
  const SocketRecord& record = dump->sockets.at(0);
  EXPECT_FALSE(record.queue_limit);
  EXPECT_FALSE(record.drops);
  EXPECT_FALSE(record.v6only);
  EXPECT_FALSE(record.cgroup_id);
  EXPECT_EQ(record.queue_length, 3U);
}

TEST(InetDiag, ShorterAndLongerMemoryInformationIsRead) {
  // Kernels before 4.7 have no drops in it; later ones may have more.
  const std::string first_seven = "00000000 10000000 00000000 00000000 00000000 00000000 00000000";
  const auto old_kernel =
      decode_one(AF_INET, kTcpClose, attribute(INET_DIAG_SKMEMINFO, first_seven), Protocol::Udp);
  ASSERT_TRUE(old_kernel);
  EXPECT_EQ(old_kernel->sockets.at(0).queue_limit, 16U);
  EXPECT_FALSE(old_kernel->sockets.at(0).drops);
  const auto new_kernel = decode_one(
      AF_INET, kTcpClose,
      attribute(INET_DIAG_SKMEMINFO, first_seven + "00000000 05000000 ffffffff"), Protocol::Udp);
  ASSERT_TRUE(new_kernel);
  EXPECT_EQ(new_kernel->sockets.at(0).drops, 5U);
}

TEST(InetDiag, UnknownAttributesAreIgnored) {
  Bytes attributes = attribute(1000, "00112233445566");
  append(attributes, attribute(INET_DIAG_CGROUP_ID, "0807060504030201"));
  append(attributes, attribute(0x3fff, ""));
  const auto dump = decode_one(AF_INET, kTcpListen, attributes, Protocol::Tcp);
  ASSERT_TRUE(dump);
  EXPECT_EQ(dump->sockets.at(0).cgroup_id, 0x0102030405060708U);
}

TEST(InetDiag, OnlyTheMptcpNameOfATcpSocketMakesItMptcp) {
  struct Case {
    std::string_view nested;
    Protocol asked;
    Protocol decoded;
  };
  constexpr Case kCases[] = {
      {"0a00 0100 6d70746370 00 0000", Protocol::Tcp, Protocol::Mptcp},
      {"0900 0100 6d70746370", Protocol::Tcp, Protocol::Mptcp},  // without NUL
      {"0800 0100 746c7300", Protocol::Tcp, Protocol::Tcp},      // tls
      {"0b00 0100 6d7074637032 00 00", Protocol::Tcp, Protocol::Tcp},
      {"0a00 0200 6d70746370 00 0000", Protocol::Tcp, Protocol::Tcp},
      {"0a00 0100 6d70746370 00 0000", Protocol::Udp, Protocol::Udp},
      {"", Protocol::Tcp, Protocol::Tcp},
  };
  for (const Case& c : kCases) {
    const auto dump =
        decode_one(AF_INET, kTcpListen, attribute(INET_DIAG_ULP_INFO, c.nested), c.asked);
    ASSERT_TRUE(dump) << c.nested;
    EXPECT_EQ(dump->sockets.at(0).protocol, c.decoded) << c.nested;
  }
}

TEST(InetDiag, RawIpv6NeverSeesIpv4) {
  const Bytes flag_off = attribute(INET_DIAG_SKV6ONLY, "00");
  const auto v6 = decode_one(AF_INET6, kTcpClose, flag_off, Protocol::Raw);
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->sockets.at(0).v6only, true);
  const auto v4 = decode_one(AF_INET, kTcpClose, flag_off, Protocol::Raw);
  ASSERT_TRUE(v4);
  EXPECT_FALSE(v4->sockets.at(0).v6only);
}

TEST(InetDiag, MalformedAttributesAreErrors) {
  for (const Bytes& attributes :
       {attribute(INET_DIAG_SKMEMINFO, "000000"), attribute(INET_DIAG_SKV6ONLY, ""),
        attribute(INET_DIAG_SKV6ONLY, "0001"), attribute(INET_DIAG_CGROUP_ID, "00000000"),
        attribute(INET_DIAG_ULP_INFO, "0a00 0100 6d70"), from_hex("0300 0100"), from_hex("ff")}) {
    EXPECT_FALSE(decode_one(AF_INET6, kTcpListen, attributes, Protocol::Tcp));
  }
}

TEST(InetDiag, OtherMessagesAndFamiliesAreErrors) {
  EXPECT_FALSE(decode_one(AF_UNIX, kTcpListen, {}, Protocol::Tcp));
  EXPECT_FALSE(decode_inet_diag(netlink_request(SOCK_DIAG_BY_FAMILY, 0, {}), Protocol::Tcp));
  EXPECT_FALSE(decode_inet_diag(testdata("links.bin"), Protocol::Tcp));
  Bytes half = testdata("sock_diag-udp4-root.bin");
  append(half, netlink_request(21, 0, {}));
  const auto dump = decode_inet_diag(half, Protocol::Udp);
  ASSERT_FALSE(dump);
  EXPECT_EQ(dump.error().why, "byte 328: a message of type 21 does not belong here");
}

TEST(InetDiag, AnEmptyAnswerHasNoSockets) {
  const auto dump = decode_inet_diag({}, Protocol::Tcp);
  ASSERT_TRUE(dump);
  EXPECT_TRUE(dump->sockets.empty());
}

}  // namespace
}  // namespace hark::decode
