#include <gtest/gtest.h>

#include "decode/generic_netlink.h"
#include "decode/kernel_files.h"
#include "decode/kernel_messages.h"
#include "decode/rtnetlink.h"
#include "decode/testing.h"
#include "decode/unix_diag.h"

namespace hark::decode {
namespace {

constexpr std::uint16_t kFamily = 0x28;

Bytes joined(std::initializer_list<Bytes> pieces) {
  Bytes out;
  for (const Bytes& piece : pieces) append(out, piece);
  return out;
}

Bytes port_be(std::uint16_t port) {
  return bytes_of(htons(port));
}

/// struct sockaddr_in of 10.0.0.1:6118, and sockaddr_in6 of [::1]:2049 in a sockaddr_storage
const Bytes kInet = from_hex("0200 17e6 0a000001 0000000000000000");
Bytes inet6() {
  Bytes out = from_hex("0a00 0801 00000000 00000000000000000000000000000001 00000000");
  out.resize(128);
  return out;
}

TEST(GenericNetlink, RequestsAreDumpsOfOneCommand) {
  EXPECT_EQ(families_request(), from_hex("14000000 1000 0103 00000000 00000000 03 01 0000"));
  EXPECT_EQ(wireguard_request(kFamily, 9),
            from_hex("1c000000 2800 0103 00000000 00000000 00 01 0000 0800 0100 09000000"));
  EXPECT_EQ(fou_request(kFamily), from_hex("14000000 2800 0103 00000000 00000000 03 01 0000"));
  EXPECT_EQ(l2tp_request(kFamily), from_hex("14000000 2800 0103 00000000 00000000 04 01 0000"));
  EXPECT_EQ(tipc_request(kFamily), from_hex("14000000 2800 0103 00000000 00000000 04 01 0000"));
  EXPECT_EQ(mptcp_request(kFamily), from_hex("14000000 2800 0103 00000000 00000000 03 01 0000"));
  EXPECT_EQ(nfsd_request(kFamily), from_hex("14000000 2800 0100 00000000 00000000 07 01 0000"));
}

TEST(GenericNetlink, Families) {
  const auto families =
      decode_families(joined({family_answer("nlctrl", 16), family_answer("wireguard", 40),
                              family_answer("", 41), family_answer("odd", 3)}));
  ASSERT_TRUE(families);
  EXPECT_EQ(*families, (std::vector<GenericFamily>{{16, "nlctrl"}, {40, "wireguard"}}));
  EXPECT_FALSE(decode_families(generic_answer(kFamily, 1, {})));
}

TEST(GenericNetlink, EachKindOfSocket) {
  struct Case {
    const char* what;
    Result<std::vector<KernelSocket>> (*decode)(ByteView, std::uint16_t);
    Bytes attributes;
    KernelSocket socket;
  };
  const std::vector<Case> cases = {
      {"fou",
       decode_fou,
       joined({attribute(1, port_be(5555)), attribute(2, from_hex("02")),
               attribute(4, from_hex("01")), attribute(6, from_hex("0a000001"))}),
       {Protocol::Udp, Family::Inet, address("10.0.0.1"), 5555, "fou"}},
      {"gue",
       decode_fou,
       joined({attribute(1, port_be(5555)), attribute(2, from_hex("0a")),
               attribute(4, from_hex("02"))}),
       {Protocol::Udp, Family::Inet6, std::nullopt, 5555, "gue"}},
      {"l2tp",
       decode_l2tp,
       joined({attribute(9, bytes_of(7U)), attribute(26, bytes_of(std::uint16_t{1701})),
               attribute(31, from_hex("00000000000000000000000000000001"))}),
       {Protocol::Udp, Family::Inet6, address("::1"), 1701, "tunnel 7"}},
      {"tipc",
       decode_tipc,
       attribute(1,
                 joined({attribute(1, to_bytes("udp:UDP1")), attribute(4, attribute(1, kInet))})),
       {Protocol::Udp, Family::Inet, address("10.0.0.1"), 6118, "udp:UDP1"}},
      {"mptcp",
       decode_mptcp,
       attribute(1, joined({attribute(2, from_hex("03")), attribute(3, from_hex("0a000001")),
                            attribute(5, bytes_of(std::uint16_t{5555}))})),
       {Protocol::Mptcp, Family::Inet, address("10.0.0.1"), 5555, "3"}},
      {"nfsd",
       decode_nfsd,
       attribute(1, joined({attribute(1, inet6()), attribute(2, to_bytes("tcp"))})),
       {Protocol::Tcp, Family::Inet6, address("::1"), 2049, "tcp"}},
  };
  for (const Case& each : cases) {
    const Bytes answer = generic_answer(kFamily, 1, each.attributes);
    const auto sockets = each.decode(answer, kFamily);
    ASSERT_TRUE(sockets) << each.what;
    EXPECT_EQ(*sockets, std::vector<KernelSocket>{each.socket}) << each.what;
    EXPECT_FALSE(each.decode(answer, kFamily + 1)) << each.what;
    const auto count = [](const std::vector<KernelSocket>& all) { return all.size(); };
    const auto decode = [&](ByteView bytes) { return each.decode(bytes, kFamily); };
    EXPECT_EQ(accepted_beginnings(answer, decode, count), 1U) << each.what;  // the empty one
    // Without a port there is no socket; with attributes of a wrong size less is known.
    EXPECT_TRUE(each.decode(generic_answer(kFamily, 1, {}), kFamily)->empty()) << each.what;
  }
}

TEST(GenericNetlink, WireguardPort) {
  const auto port = [](const Bytes& attributes) {
    return decode_wireguard_port(generic_answer(kFamily, 0, attributes), kFamily);
  };
  EXPECT_EQ(*port(attribute(6, bytes_of(std::uint16_t{51820}))), 51820);
  EXPECT_EQ(*port({}), 0);
  EXPECT_EQ(*port(attribute(6, from_hex("01"))), 0);
  EXPECT_FALSE(port(from_hex("0200 0600")));
}

TEST(Tunnels, EachKindOfLink) {
  struct Case {
    const char* kind;
    Bytes data;
    std::vector<TunnelPort> ports;
  };
  const std::vector<Case> cases = {
      {"vxlan", vxlan_data(4789), {{4789, Family::Inet, std::nullopt}}},
      {"vxlan", vxlan_data(4789, true), {{4789, std::nullopt, std::nullopt}}},
      {"vxlan",
       joined({attribute(15, port_be(8472)), attribute(4, from_hex("0a000001"))}),
       {{8472, Family::Inet, address("10.0.0.1")}}},
      {"vxlan",
       joined({attribute(15, port_be(8472)),
               attribute(17, from_hex("00000000000000000000000000000001"))}),
       {{8472, Family::Inet6, address("::1")}}},
      {"geneve",
       joined({attribute(5, port_be(6081)), attribute(2, from_hex("0a000001"))}),
       {{6081, Family::Inet, std::nullopt}}},
      {"geneve",
       joined({attribute(5, port_be(6081)), attribute(6, {}), attribute(2, from_hex("0a000001"))}),
       {{6081, std::nullopt, std::nullopt}}},
      {"bareudp", attribute(1, port_be(6635)), {{6635, std::nullopt, std::nullopt}}},
      {"amt",
       joined({attribute(1, bytes_of(1U)), attribute(2, port_be(2268))}),
       {{2268, std::nullopt, std::nullopt}}},
      {"gtp", {}, {{2152, std::nullopt, std::nullopt}, {3386, std::nullopt, std::nullopt}}},
      {"vxlan", attribute(15, from_hex("01")), {}},
      {"vxlan", attribute(15, port_be(0)), {}},
      {"vxlan", from_hex("0200"), {}},
      {"veth", vxlan_data(4789), {}},
  };
  for (const Case& each : cases) {
    const auto links = decode_links(link_answer(7, "x0", each.kind, each.data));
    ASSERT_TRUE(links) << each.kind;
    EXPECT_EQ(links->front().ports, each.ports) << each.kind;
    EXPECT_EQ(links->front().kind, each.kind);
    EXPECT_FALSE(links->front().sockets_elsewhere);
  }
  EXPECT_TRUE(decode_links(link_answer(7, "x0", "vxlan", {}, 0, true))->front().sockets_elsewhere);
}

TEST(UnixDiag, SocketsThatMayHoldDescriptors) {
  const auto sockets = decode_unix_diag(joined(
      {unix_socket_answer(5, 1), unix_socket_answer(6, 0), unix_socket_answer(7, 0, SOCK_DGRAM)}));
  ASSERT_TRUE(sockets);
  ASSERT_EQ(sockets->size(), 3U);
  EXPECT_TRUE(sockets->at(0).may_hold_descriptors());
  EXPECT_FALSE(sockets->at(1).may_hold_descriptors());
  EXPECT_TRUE(sockets->at(2).may_hold_descriptors());
  const auto count = [](const std::vector<UnixSocketRecord>& all) { return all.size(); };
  EXPECT_EQ(accepted_beginnings(unix_socket_answer(5, 1), decode_unix_diag, count), 1U);
}

TEST(KernelFiles, Portals) {
  struct Case {
    const char* text;
    const char* address;
    std::uint16_t port;
  };
  for (const Case& each : {Case{"10.0.0.1:3260", "10.0.0.1", 3260}, Case{"[::1]:3260", "::1", 3260},
                           Case{"[fe80::1%eth0]:1", "fe80::1", 1}, Case{":::7001", "::", 7001}}) {
    const auto portal = decode_portal(each.text);
    ASSERT_TRUE(portal) << each.text;
    EXPECT_EQ(portal->address, address(each.address)) << each.text;
    EXPECT_EQ(portal->port, each.port) << each.text;
  }
  for (const char* none : {"", ":", "x", "10.0.0.1", "10.0.0.1:0", "10.0.0.1:65536", "[::1:1",
                           "::1]:1", "host:1", "[]:1", "[:1"}) {
    EXPECT_FALSE(decode_portal(none)) << none;
  }
}

TEST(KernelFiles, MalformedLinesAreErrors) {
  EXPECT_FALSE(decode_rxrpc_locals(as_bytes("something else\n")));
  EXPECT_FALSE(decode_rxrpc_locals(as_bytes("Proto Local\nUDP nonsense 1 2 3\n")));
  EXPECT_TRUE(decode_rxrpc_locals(as_bytes("Proto Local\n"))->empty());
  EXPECT_FALSE(decode_nfsd_portlist(as_bytes("tcp\n")));
  EXPECT_FALSE(decode_nfsd_portlist(as_bytes("tcp 70000\n")));
  EXPECT_EQ(decode_nfsd_portlist(as_bytes("rdma 20049\nudp 2049\n"))->size(), 1U);
  EXPECT_EQ(decode_port(as_bytes("0\n")), std::nullopt);
  EXPECT_EQ(decode_port(as_bytes("12x\n")), std::nullopt);
  EXPECT_EQ(decode_port(as_bytes("4045\n")), 4045);
}

TEST(KernelFiles, Fdinfo) {
  const auto ring = decode_ring_fdinfo(as_bytes(
      "pos:\t0\nUserFiles:\t4\n    0: socket:[12]\n    1: TCP\n    2: <none>\n    3: /a b\n"
      "UserBufs:\t1\n    0: socket:[13]\n"));
  ASSERT_TRUE(ring);
  EXPECT_EQ(ring->count, 4U);
  EXPECT_EQ(ring->sockets, std::vector<std::uint32_t>{12});
  EXPECT_EQ(ring->names, (std::vector<std::string>{"TCP", "/a b"}));
  EXPECT_FALSE(decode_ring_fdinfo(as_bytes("pos:\t0\nscm_fds: 1\n")));
  EXPECT_FALSE(decode_ring_fdinfo(as_bytes("UserFiles:\tmany\n")));
  EXPECT_EQ(decode_scm_fds(as_bytes("pos:\t0\nscm_fds: 12\n")), 12U);
  EXPECT_FALSE(decode_scm_fds(as_bytes("pos:\t0\n")));
  EXPECT_FALSE(decode_scm_fds(as_bytes("scm_fds: x\n")));
}

}  // namespace
}  // namespace hark::decode
