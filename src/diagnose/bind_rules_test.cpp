#include "diagnose/bind_rules.h"

#include <gmock/gmock.h>

#include <string>

namespace hark::diagnose {
namespace {

using decode::BoundRecord;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint16_t kPort = 8080;
constexpr std::uint8_t kEstablished = 1;
constexpr std::uint8_t kTimeWait = 6;
constexpr std::uint32_t kEth0 = 2;
constexpr std::uint32_t kEth1 = 3;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value_or(IpAddress{});
}

Binder binder(const char* address, Protocol protocol = Protocol::Tcp) {
  Binder out;
  out.protocol = protocol;
  out.address = ip(address);
  out.port = kPort;
  out.reuseaddr = protocol == Protocol::Tcp;
  return out;
}

/// A socket that listens, or of UDP one that is not connected, with SO_REUSEADDR as most have it.
BoundRecord bound(const char* address, Protocol protocol = Protocol::Tcp) {
  BoundRecord out;
  out.socket.protocol = protocol;
  out.socket.local = ip(address);
  out.socket.local_port = kPort;
  out.socket.state = protocol == Protocol::Tcp ? kTcpListen : kTcpClose;
  if (out.socket.local.family == Family::Inet6) out.socket.v6only = false;
  out.reuse = protocol == Protocol::Tcp;
  out.reuseport = false;
  return out;
}

BoundRecord in_state(BoundRecord record, std::uint8_t state) {
  record.socket.state = state;
  record.time_wait = state == kTimeWait;
  if (state == kEstablished || state == kTimeWait) record.socket.remote_port = 40000;
  return record;
}

host::BindFacts facts(std::vector<BoundRecord> sockets, bool exact = true) {
  host::BindFacts out;
  out.exact = exact;
  for (BoundRecord& one : sockets) out.sockets.push_back({.bound = std::move(one), .listener = {}});
  if (exact) out.buckets.push_back({.port = kPort});
  return out;
}

Truth taken(const Binder& asked, std::vector<BoundRecord> sockets, bool exact = true) {
  return judge_port(asked, facts(std::move(sockets), exact)).taken;
}

struct Pair {
  const char* mine;
  const char* its;
  bool overlap;
};

TEST(addresses_overlap, of_both_families) {
  constexpr std::array<Pair, 19> kPairs = {{{"10.0.0.1", "10.0.0.1", true},
                                            {"10.0.0.1", "10.0.0.2", false},
                                            {"0.0.0.0", "10.0.0.1", true},
                                            {"10.0.0.1", "0.0.0.0", true},
                                            {"0.0.0.0", "::", true},
                                            {"10.0.0.1", "::", true},
                                            {"10.0.0.1", "::ffff:10.0.0.1", true},
                                            {"10.0.0.1", "::ffff:10.0.0.2", false},
                                            {"10.0.0.1", "::ffff:0.0.0.0", true},
                                            {"::", "10.0.0.1", true},
                                            {"::", "0.0.0.0", true},
                                            {"::", "fd00::1", true},
                                            {"::ffff:10.0.0.1", "10.0.0.1", true},
                                            {"::ffff:10.0.0.1", "::", true},
                                            {"::ffff:0.0.0.0", "fd00::1", false},
                                            {"fd00::1", "fd00::1", true},
                                            {"fd00::1", "fd00::2", false},
                                            {"fd00::1", "0.0.0.0", false},
                                            {"fd00::1", "::", true}}};
  for (const Pair& pair : kPairs) {
    EXPECT_EQ(addresses_overlap(binder(pair.mine), bound(pair.its)) == Truth::Yes, pair.overlap)
        << pair.mine << " beside " << pair.its;
  }
}

TEST(addresses_overlap, with_v6only_sockets) {
  BoundRecord six = bound("::");
  six.socket.v6only = true;
  EXPECT_EQ(addresses_overlap(binder("10.0.0.1"), six), Truth::No);
  EXPECT_EQ(addresses_overlap(binder("::ffff:10.0.0.1"), six), Truth::No);
  EXPECT_EQ(addresses_overlap(binder("::"), six), Truth::Yes);
  EXPECT_EQ(addresses_overlap(binder("fd00::1"), six), Truth::Yes);
  Binder mine = binder("::");
  mine.v6only = true;
  EXPECT_EQ(addresses_overlap(mine, bound("10.0.0.1")), Truth::No);
  EXPECT_EQ(addresses_overlap(mine, bound("::")), Truth::Yes);
  six.socket.v6only.reset();
  EXPECT_EQ(addresses_overlap(binder("10.0.0.1"), six), Truth::Maybe);
  EXPECT_EQ(addresses_overlap(binder("fd00::1"), six), Truth::Yes);
}

// A connection of IPv6 that a dual-stack listener took is not v6only, and the kernel keeps
// 127.0.0.6 for its address of IPv4.
TEST(addresses_overlap, with_a_dual_stack_connection) {
  const BoundRecord child = in_state(bound("fd00::1"), kEstablished);
  EXPECT_EQ(addresses_overlap(binder("0.0.0.0"), child), Truth::Yes);
  EXPECT_EQ(addresses_overlap(binder("127.0.0.6"), child), Truth::No);
  EXPECT_EQ(addresses_overlap(binder("127.0.0.6", Protocol::Udp), bound("fd00::1", Protocol::Udp)),
            Truth::Yes);
}

TEST(overlaps, by_devices) {
  Binder mine = binder("0.0.0.0");
  BoundRecord other = bound("0.0.0.0");
  mine.device = kEth0;
  EXPECT_EQ(overlaps(mine, other), Truth::Yes);
  other.socket.interface_index = kEth1;
  EXPECT_EQ(overlaps(mine, other), Truth::No);
  other.socket.interface_index = kEth0;
  EXPECT_EQ(overlaps(mine, other), Truth::Yes);
}

TEST(judge_port, a_listener_is_in_the_way_whatever_reuseaddr_says) {
  EXPECT_EQ(taken(binder("0.0.0.0"), {bound("0.0.0.0")}), Truth::Yes);
}

TEST(judge_port, reuseaddr_of_both_lets_in_beside_what_does_not_listen) {
  for (const std::uint8_t state : {kTcpClose, kEstablished, kTimeWait}) {
    BoundRecord other = in_state(bound("10.0.0.1"), state);
    Binder mine = binder("0.0.0.0");
    EXPECT_EQ(taken(mine, {other}), Truth::No);
    mine.reuseaddr = false;
    EXPECT_EQ(taken(mine, {other}), Truth::Yes);
    other.reuse = false;
    mine.reuseaddr = true;
    EXPECT_EQ(taken(mine, {other}), Truth::Yes);
  }
}

TEST(judge_port, reuseport_is_of_one_user) {
  Binder mine = binder("0.0.0.0");
  mine.reuseport = true;
  mine.uid = 1000;
  BoundRecord other = bound("0.0.0.0");
  other.reuseport = true;
  other.socket.uid = 1000;
  EXPECT_EQ(taken(mine, {other}), Truth::No);
  other.socket.uid = 1001;
  EXPECT_EQ(taken(mine, {other}), Truth::Yes);
  other = in_state(other, kTimeWait);  // it has no user any more
  other.reuse = false;
  EXPECT_EQ(taken(mine, {other}), Truth::No);
  other.reuseport = false;
  EXPECT_EQ(taken(mine, {other}), Truth::Yes);
}

TEST(judge_port, other_ports_and_vrfs_do_not_count) {
  BoundRecord other = bound("0.0.0.0");
  other.socket.local_port = kPort + 1;
  EXPECT_EQ(taken(binder("0.0.0.0"), {other}), Truth::No);
  other = bound("0.0.0.0");
  other.l3mdev = 7;
  EXPECT_EQ(taken(binder("0.0.0.0"), {other}), Truth::No);
  Binder mine = binder("0.0.0.0");
  mine.l3mdev = 7;
  mine.device = 7;
  EXPECT_EQ(taken(mine, {other}), Truth::Yes);
}

TEST(judge_port, flags_that_are_not_known_leave_it_open) {
  BoundRecord other = in_state(bound("0.0.0.0"), kTimeWait);
  other.reuse.reset();
  other.reuseport.reset();
  const PortVerdict open = judge_port(binder("0.0.0.0"), facts({other}, false));
  EXPECT_EQ(open.taken, Truth::Maybe);
  EXPECT_TRUE(open.flags_unread);
  EXPECT_THAT(open.conflicts, ElementsAre(0U));
  Binder plain = binder("0.0.0.0");
  plain.reuseaddr = false;
  EXPECT_EQ(taken(plain, {other}, false), Truth::Yes);
  // One that listens decides, whatever the other's flags are.
  EXPECT_EQ(taken(binder("0.0.0.0"), {other, bound("0.0.0.0")}, false), Truth::Yes);
}

TEST(judge_port, the_bucket_of_a_port_lets_in_what_the_comparison_would_not) {
  Binder mine = binder("10.0.0.1");
  mine.reuseport = true;
  BoundRecord other = bound("10.0.0.1");
  other.socket.interface_index = kEth0;
  host::BindFacts all = facts({other});
  EXPECT_EQ(judge_port(mine, all).taken, Truth::Yes);
  BindBucket& bucket = all.buckets.front();
  bucket.reuseport = 2;
  bucket.family = 2;
  bucket.v4 = {10, 0, 0, 1};
  EXPECT_EQ(judge_port(mine, all).taken, Truth::No);
  bucket.v4 = {10, 0, 0, 2};
  EXPECT_EQ(judge_port(mine, all).taken, Truth::Yes);
  bucket.reuseport = 1;  // whatever the address
  EXPECT_EQ(judge_port(mine, all).taken, Truth::No);
  bucket.uid = 5;
  EXPECT_EQ(judge_port(mine, all).taken, Truth::Yes);
}

// All of the port had SO_REUSEADDR when they were bound, and one has lost it since: bind(2) does
// not look, listen(2) does.
TEST(judge_port, listen_may_be_the_one_to_refuse) {
  BoundRecord other = in_state(bound("0.0.0.0"), kTcpClose);
  other.reuse = false;
  host::BindFacts all = facts({other});
  all.buckets.front().reuse = 1;
  const PortVerdict verdict = judge_port(binder("0.0.0.0"), all);
  EXPECT_EQ(verdict.taken, Truth::Yes);
  EXPECT_TRUE(verdict.at_listen);
  Binder mine = binder("0.0.0.0");
  mine.reuseport = true;  // it remembers itself
  EXPECT_EQ(judge_port(mine, all).taken, Truth::No);
}

TEST(judge_port, what_the_bucket_may_remember_leaves_it_open) {
  Binder mine = binder("::");
  mine.reuseport = true;
  // An [::] of IPv6 alone with SO_REUSEPORT could have been beside it.
  const PortVerdict open = judge_port(mine, facts({bound("0.0.0.0")}, false));
  EXPECT_EQ(open.taken, Truth::Maybe);
  EXPECT_TRUE(open.history_unread);
  // Nothing could have been beside this one.
  EXPECT_EQ(taken(mine, {bound("::")}, false), Truth::Yes);
}

TEST(judge_port, of_udp_shared_by_reuseaddr_of_both) {
  Binder mine = binder("0.0.0.0", Protocol::Udp);
  BoundRecord other = bound("0.0.0.0", Protocol::Udp);
  EXPECT_EQ(taken(mine, {other}), Truth::Yes);
  other.reuse = true;
  EXPECT_EQ(taken(mine, {other}), Truth::Yes);
  mine.reuseaddr = true;
  EXPECT_EQ(taken(mine, {other}), Truth::No);
}

TEST(judge_port, of_udp_the_one_bound_last_decides) {
  Binder mine = binder("0.0.0.0", Protocol::Udp);
  mine.reuseport = true;
  BoundRecord shares = bound("10.0.0.1", Protocol::Udp);
  shares.reuseport = true;
  const BoundRecord alone = bound("10.0.0.2", Protocol::Udp);
  EXPECT_EQ(taken(mine, {shares, alone}), Truth::No);
  const PortVerdict verdict = judge_port(mine, facts({alone, shares}));
  EXPECT_EQ(verdict.taken, Truth::Yes);
  EXPECT_THAT(verdict.conflicts, ElementsAre(0U));
  // sock_diag tells the order within a family alone.
  EXPECT_EQ(taken(mine, {shares, alone}, false), Truth::No);
  mine.address = ip("::");
  BoundRecord six = bound("fd00::1", Protocol::Udp);
  const PortVerdict open = judge_port(mine, facts({shares, six}, false));
  EXPECT_EQ(open.taken, Truth::Maybe);
  EXPECT_TRUE(open.history_unread);
}

TEST(judge_any_port, looks_for_one_that_nobody_has) {
  host::BindFacts all = facts({bound("0.0.0.0")});
  all.settings.local_ports = {kPort, kPort + 1};
  Binder mine = binder("10.0.0.1");
  mine.port = 0;
  EXPECT_EQ(judge_any_port(mine, all).taken, Truth::No);
  all.settings.reserved = {{kPort + 1, kPort + 1}};
  EXPECT_EQ(judge_any_port(mine, all).taken, Truth::Yes);
  all.settings.reserved.clear();
  all.settings.local_ports = {kPort, kPort};
  EXPECT_EQ(judge_any_port(mine, all).taken, Truth::Yes);
  // What does not listen is passed over too, unless the namespace says otherwise.
  all.sockets[0].bound = in_state(bound("0.0.0.0"), kTcpClose);
  EXPECT_EQ(judge_any_port(mine, all).taken, Truth::Yes);
  all.settings.autobind_reuse = true;
  EXPECT_EQ(judge_any_port(mine, all).taken, Truth::No);
}

TEST(judge_port, without_sockets_it_is_free) {
  const PortVerdict verdict = judge_port(binder("0.0.0.0"), facts({}, false));
  EXPECT_EQ(verdict.taken, Truth::No);
  EXPECT_THAT(verdict.conflicts, IsEmpty());
}

}  // namespace
}  // namespace hark::diagnose
