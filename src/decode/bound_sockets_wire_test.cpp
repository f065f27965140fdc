#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>

#include "base/parts.h"
#include "decode/bound_sockets.h"
#include "decode/netlink_attributes.h"

namespace hark::decode {
namespace {

constexpr std::uint16_t tag(BoundPart part) {
  return static_cast<std::uint16_t>(part);
}

BindEntry socket_of(std::uint16_t family) {
  BindEntry out;
  out.cookie = 7;
  out.inode = 635;
  out.uid = 1000;
  out.interface_index = 2;
  out.l3mdev = 9;
  out.port = 8080;
  out.remote_port = 40000;
  out.family = family;
  out.state = 6;
  out.reuse = 1;
  out.address = {10, 0, 0, 1};
  out.remote = {10, 0, 0, 9};
  return out;
}

Bytes parts_of(const std::vector<BindEntry>& sockets) {
  const BindBucket bucket{.port = 8080, .reuse = -1, .reuseport = 2};
  Bytes out;
  append_part(out, tag(BoundPart::Buckets), std::as_bytes(std::span(&bucket, 1)));
  append_part(out, tag(BoundPart::Sockets), std::as_bytes(std::span(sockets)));
  return out;
}

TEST(decode_bound_sockets, tells_flags_and_buckets) {
  const auto dump = decode_bound_sockets(parts_of({socket_of(AF_INET)}), Protocol::Tcp);
  ASSERT_TRUE(dump);
  ASSERT_EQ(dump->sockets.size(), 1U);
  const BoundRecord& one = dump->sockets[0];
  EXPECT_EQ(one.socket.local, *IpAddress::parse("10.0.0.1"));
  EXPECT_EQ(one.socket.remote, *IpAddress::parse("10.0.0.9"));
  EXPECT_EQ(one.socket.local_port, 8080);
  EXPECT_EQ(one.socket.remote_port, 40000);
  EXPECT_EQ(one.socket.inode, 635U);
  EXPECT_EQ(one.socket.v6only, std::nullopt);
  EXPECT_TRUE(one.time_wait);
  EXPECT_EQ(one.reuse, true);
  EXPECT_EQ(one.reuseport, false);
  EXPECT_EQ(one.l3mdev, 9U);
  ASSERT_EQ(dump->buckets.size(), 1U);
  EXPECT_EQ(dump->buckets[0].reuse, -1);
}

TEST(decode_bound_sockets, of_udp_there_is_no_time_wait_and_no_bucket) {
  const auto dump = decode_bound_sockets(parts_of({socket_of(AF_INET6)}), Protocol::Udp);
  ASSERT_TRUE(dump);
  EXPECT_FALSE(dump->sockets[0].time_wait);
  EXPECT_EQ(dump->sockets[0].l3mdev, std::nullopt);
  EXPECT_EQ(dump->sockets[0].socket.v6only, false);
}

TEST(decode_bound_sockets, rejects_what_it_cannot_read) {
  const Bytes good = parts_of({socket_of(AF_INET)});
  for (std::size_t size = 1; size < good.size(); ++size) {
    const auto cut = decode_bound_sockets(ByteView(good).first(size), Protocol::Tcp);
    // Between the parts the buffer may end.
    EXPECT_TRUE(!cut || cut->sockets.empty()) << size;
  }
  EXPECT_FALSE(decode_bound_sockets(parts_of({socket_of(1)}), Protocol::Tcp));
  EXPECT_TRUE(decode_bound_sockets({}, Protocol::Tcp));
}

TEST(bound_request, asks_one_family_and_a_range_of_ports) {
  const Bytes all = bound_request(Family::Inet6, Protocol::Tcp, 0, 0);
  ByteReader reader(all);
  static_cast<void>(reader.value<nlmsghdr>());
  const auto request = reader.value<inet_diag_req_v2>();
  EXPECT_EQ(request.sdiag_family, AF_INET6);
  EXPECT_EQ(request.sdiag_protocol, IPPROTO_TCP);
  EXPECT_EQ(request.idiag_states & 1U << 13U, 1U << 13U);  // bound and no more
  EXPECT_EQ(request.idiag_states & 1U << 3U, 0U);          // half open
  EXPECT_TRUE(reader.empty());
  const Bytes some = bound_request(Family::Inet6, Protocol::Tcp, 80, 90);
  EXPECT_EQ(some.size(), all.size() + 4 + 4 * sizeof(inet_diag_bc_op));
}

/// A message as inet_twsk_diag_fill() makes it, but for what is not looked at.
Bytes message(std::uint8_t timer, std::uint16_t port) {
  inet_diag_msg body{};
  body.idiag_family = AF_INET;
  body.idiag_state = 5;  // FIN_WAIT2
  body.idiag_timer = timer;
  body.id.idiag_sport = htons(port);
  Bytes bytes;
  append_value(bytes, body);
  return netlink_request(20, 0, bytes);  // SOCK_DIAG_BY_FAMILY
}

TEST(decode_bound_dump, tells_time_wait_by_its_timer) {
  Bytes both = message(3, 80);
  append(both, message(1, 80));
  append(both, message(0, 0));  // not bound
  const auto dump = decode_bound_dump(both, Protocol::Tcp);
  ASSERT_TRUE(dump);
  ASSERT_EQ(dump->size(), 2U);
  EXPECT_TRUE((*dump)[0].time_wait);
  EXPECT_FALSE((*dump)[1].time_wait);
  EXPECT_EQ((*dump)[0].reuse, std::nullopt);
}

}  // namespace
}  // namespace hark::decode
