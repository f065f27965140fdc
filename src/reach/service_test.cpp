#include "reach/service.h"

#include <gtest/gtest.h>

#include "reach/test_world.h"

namespace hark::reach {
namespace {

std::string refusal(TestWorld& test, const host::Listener& listener, std::uint8_t protocol = kTcp) {
  World world = test.world();
  const auto found =
      socket_refuses(world, listener, packet_to(protocol, "10.0.0.5", listener.port));
  return found ? found->cause.code : "";
}

std::string idleness(TestWorld& test, const host::Listener& listener) {
  World world = test.world();
  const auto found = nobody_serves(world, listener);
  return found ? found->cause.code : "";
}

TEST(SocketRefuses, AnAcceptQueueIsFullAboveItsLimitOnly) {
  TestWorld test;
  host::Listener& listener = test.listen(Protocol::Tcp, "0.0.0.0", 80);
  listener.queue.length = 128;
  listener.queue.limit = 128;
  EXPECT_EQ(refusal(test, listener), "");
  listener.queue.length = 129;
  EXPECT_EQ(refusal(test, listener), "accept-queue-full");
  test.waived.emplace_back("accept-queue-full");
  EXPECT_EQ(refusal(test, listener), "");
}

TEST(SocketRefuses, HalfOpenConnectionsCountWithoutCookies) {
  TestWorld test;
  host::Listener& listener = test.listen(Protocol::Tcp, "0.0.0.0", 80);
  listener.queue.length = 0;
  listener.queue.limit = 8;
  host::SocketFacts facts;
  facts.inode = listener.socket.inode;
  facts.half_open = 8;
  test.network.services.sockets.push_back(facts);
  test.network.settings.syncookies = 1;
  EXPECT_EQ(refusal(test, listener), "");
  test.network.settings.syncookies = 0;
  EXPECT_EQ(refusal(test, listener), "syn-queue-full");
  test.network.services.sockets.front().half_open = 7;
  EXPECT_EQ(refusal(test, listener), "");
  test.network.settings.max_syn_backlog = 8;
  EXPECT_EQ(refusal(test, listener), "syn-queue-full");
}

TEST(SocketRefuses, OnlyPeersWithAKeyMustSign) {
  TestWorld test;
  const host::Listener& listener = test.listen(Protocol::Tcp, "0.0.0.0", 179);
  host::SocketFacts facts;
  facts.inode = listener.socket.inode;
  facts.md5 = {*Prefix::parse("10.8.0.0/16")};
  test.network.services.sockets.push_back(facts);
  EXPECT_EQ(refusal(test, listener), "");
  test.network.services.sockets.front().md5->push_back(*Prefix::parse("10.9.0.0/16"));
  EXPECT_EQ(refusal(test, listener), "md5-required");
}

TEST(SocketRefuses, AReceiveBufferWithoutRoom) {
  TestWorld test;
  const host::Listener& listener = test.listen(Protocol::Udp, "0.0.0.0", 53);
  host::SocketFacts facts;
  facts.inode = listener.socket.inode;
  facts.memory_used = 2000;
  facts.memory_limit = 4000;
  test.network.services.sockets.push_back(facts);
  EXPECT_EQ(refusal(test, listener, kUdp), "");
  test.network.services.sockets.front().memory_used = 3500;
  EXPECT_EQ(refusal(test, listener, kUdp), "rcvbuf-full");
  // An empty queue takes one datagram whatever its limit.
  test.network.services.sockets.front() = facts;
  test.network.services.sockets.front().memory_used = 0;
  test.network.services.sockets.front().memory_limit = 10;
  EXPECT_EQ(refusal(test, listener, kUdp), "");
}

TEST(SocketRefuses, AProgramAtAnAncestorOfTheSocketsCgroupIsAnOpenChoice) {
  TestWorld test;
  host::Listener& listener = test.listen(Protocol::Tcp, "0.0.0.0", 80);
  listener.socket.cgroup = "/system.slice/web.service";
  test.network.programs.push_back(
      {.where = "cgroup-ingress", .cgroup = "/system.slice/web", .id = 1});
  EXPECT_EQ(refusal(test, listener), "");
  EXPECT_TRUE(test.choices.taken().empty());
  test.network.programs.push_back({.where = "cgroup-ingress", .cgroup = "/system.slice", .id = 2});
  EXPECT_EQ(refusal(test, listener), "");
  ASSERT_EQ(test.choices.taken().size(), 1U);
  ASSERT_TRUE(test.choices.next());
  EXPECT_EQ(refusal(test, listener), "cgroup-bpf-ingress");
}

TEST(NobodyServes, OneThatRunsIsEnough) {
  TestWorld test;
  test.listen(Protocol::Tcp, "0.0.0.0", 80);
  test.owned(test.host.listeners[0], 10, 'T');
  EXPECT_EQ(idleness(test, test.host.listeners[0]), "stopped");
  test.owned(test.host.listeners[0], 11, 'S');
  EXPECT_EQ(idleness(test, test.host.listeners[0]), "");
}

TEST(NobodyServes, FrozenOrWithoutDescriptors) {
  TestWorld test;
  test.listen(Protocol::Tcp, "0.0.0.0", 80);
  test.owned(test.host.listeners[0], 10, 'S');
  test.network.services.holders.push_back({.pid = 10, .open_files = 1023, .file_limit = 1024});
  EXPECT_EQ(idleness(test, test.host.listeners[0]), "");
  test.network.services.holders[0].open_files = 1024;
  EXPECT_EQ(idleness(test, test.host.listeners[0]), "out-of-fds");
  test.network.services.holders[0].frozen = true;
  EXPECT_EQ(idleness(test, test.host.listeners[0]), "frozen");
}

TEST(NobodyServes, WhatCannotBeReadIsAssumedToServe) {
  TestWorld test;
  test.listen(Protocol::Tcp, "0.0.0.0", 80).owners.reset();
  EXPECT_EQ(idleness(test, test.host.listeners[0]), "");
  EXPECT_EQ(test.assumptions.size(), 1U);
}

TEST(NobodyServes, ASocketUnitWhoseServiceCannotStart) {
  TestWorld test;
  host::UnitFacts unit;
  unit.name = "web.socket";
  unit.can_start = false;
  unit.cannot_start_because = "web.service is masked";
  test.host.units.push_back(unit);
  test.listen(Protocol::Tcp, "0.0.0.0", 80).socket_units = {host::UnitId{0}};
  EXPECT_EQ(idleness(test, test.host.listeners[0]), "socket-activation");
  test.host.units[0].can_start = true;
  EXPECT_EQ(idleness(test, test.host.listeners[0]), "");
}

TEST(NobodyServes, AQueueThatDoesNotDrain) {
  TestWorld test;
  test.listen(Protocol::Tcp, "0.0.0.0", 80);
  test.owned(test.host.listeners[0], 10, 'S');
  host::SocketFacts facts;
  facts.inode = test.host.listeners[0].socket.inode;
  facts.drains = true;
  test.network.services.sockets.push_back(facts);
  EXPECT_EQ(idleness(test, test.host.listeners[0]), "");
  test.network.services.sockets[0].drains = false;
  EXPECT_EQ(idleness(test, test.host.listeners[0]), "not-accepting");
}

}  // namespace
}  // namespace hark::reach
