#include "reach/socket_choice.h"

#include <gtest/gtest.h>

#include "reach/test_world.h"

namespace hark::reach {
namespace {

std::vector<std::size_t> best(TestWorld& test, const Packet& packet) {
  return best_sockets(test.world(), packet);
}

using Positions = std::vector<std::size_t>;

TEST(SocketChoice, NobodyListens) {
  TestWorld test;
  test.listen(Protocol::Tcp, "0.0.0.0", 81);
  EXPECT_EQ(best(test, packet_to(kTcp, "10.0.0.5", 80)), Positions{});
}

TEST(SocketChoice, TheAddressGoesBeforeEveryAddress) {
  TestWorld test;
  test.listen(Protocol::Tcp, "0.0.0.0", 80).interface_index = 2;
  test.listen(Protocol::Tcp, "10.0.0.5", 80);
  EXPECT_EQ(best(test, packet_to(kTcp, "10.0.0.5", 80)), Positions{1});
  EXPECT_EQ(best(test, packet_to(kTcp, "10.0.0.6", 80)), Positions{0});
}

TEST(SocketChoice, ADeviceMustBeTheOneItCameBy) {
  TestWorld test;
  test.listen(Protocol::Tcp, "0.0.0.0", 80).interface_index = 3;
  EXPECT_EQ(best(test, packet_to(kTcp, "10.0.0.5", 80)), Positions{});
  test.listen(Protocol::Tcp, "0.0.0.0", 80).interface_index = 2;
  test.listen(Protocol::Tcp, "0.0.0.0", 80);
  EXPECT_EQ(best(test, packet_to(kTcp, "10.0.0.5", 80)), Positions{1});
}

TEST(SocketChoice, ADualStackSocketTakesIpv4AfterAnIpv4One) {
  TestWorld test;
  test.listen(Protocol::Tcp, "::", 80);
  EXPECT_EQ(best(test, packet_to(kTcp, "10.0.0.5", 80)), Positions{0});
  EXPECT_EQ(best(test, packet_to(kTcp, "fd00::5", 80)), Positions{0});
  test.listen(Protocol::Tcp, "0.0.0.0", 80);
  EXPECT_EQ(best(test, packet_to(kTcp, "10.0.0.5", 80)), Positions{1});
}

TEST(SocketChoice, ADeviceWeighsLikeTheFamilyInTcpAndMoreInUdp) {
  TestWorld test;
  test.listen(Protocol::Tcp, "::", 80).interface_index = 2;
  test.listen(Protocol::Tcp, "0.0.0.0", 80);
  EXPECT_EQ(best(test, packet_to(kTcp, "10.0.0.5", 80)), (Positions{0, 1}));
  test.listen(Protocol::Udp, "::", 53).interface_index = 2;
  test.listen(Protocol::Udp, "0.0.0.0", 53);
  EXPECT_EQ(best(test, packet_to(kUdp, "10.0.0.5", 53)), Positions{2});
}

TEST(SocketChoice, SocketsOfOneFamilyOnly) {
  TestWorld test;
  test.listen(Protocol::Tcp, "::", 80).v6only = true;
  test.listen(Protocol::Tcp, "::ffff:10.0.0.5", 81);
  EXPECT_EQ(best(test, packet_to(kTcp, "10.0.0.5", 80)), Positions{});
  EXPECT_EQ(best(test, packet_to(kTcp, "10.0.0.5", 81)), Positions{1});
  EXPECT_EQ(best(test, packet_to(kTcp, "fd00::5", 81)), Positions{});
}

TEST(SocketChoice, OtherNamespacesAndOtherProtocolsDoNotCount) {
  TestWorld test;
  test.host.namespaces.push_back({.inode = 2, .name = "other"});
  test.listen(Protocol::Udp, "0.0.0.0", 80);
  test.listen(Protocol::Mptcp, "0.0.0.0", 80);
  test.listen(Protocol::Tcp, "0.0.0.0", 80).netns = host::NetnsId{1};
  EXPECT_EQ(best(test, packet_to(kTcp, "10.0.0.5", 80)), Positions{1});
}

TEST(SocketChoice, EquallyGoodOnesAreAllTried) {
  TestWorld test;
  test.listen(Protocol::Tcp, "0.0.0.0", 80);
  test.listen(Protocol::Tcp, "0.0.0.0", 80);
  Positions seen;
  EXPECT_TRUE(explore([&](Choices& choices) {
    World world = {.host = test.host,
                   .network = test.network,
                   .choices = choices,
                   .path = test.path,
                   .assumptions = test.assumptions,
                   .waived = test.waived};
    const auto chosen = choose_socket(world, packet_to(kTcp, "10.0.0.5", 80));
    if (chosen) seen.push_back(*chosen);
  }));
  EXPECT_EQ(seen, (Positions{0, 1}));
}

TEST(SocketChoice, InAVrfTheSlaveAndTheVrfCount) {
  TestWorld test;
  host::Link vrf;
  vrf.index = 7;
  vrf.name = "blue";
  vrf.kind = "vrf";
  test.network.links.push_back(vrf);
  test.network.links.front().master = 7;
  test.listen(Protocol::Tcp, "0.0.0.0", 80);
  EXPECT_EQ(best(test, packet_to(kTcp, "10.0.0.5", 80)), Positions{});
  test.network.settings.l3mdev_accept_tcp = 1;
  EXPECT_EQ(best(test, packet_to(kTcp, "10.0.0.5", 80)), Positions{0});
  test.listen(Protocol::Tcp, "0.0.0.0", 80).interface_index = 7;
  EXPECT_EQ(best(test, packet_to(kTcp, "10.0.0.5", 80)), Positions{1});
}

struct Miss {
  const char* address;
  std::optional<bool> v6only;
  std::uint32_t device;
  const char* code;
};

class NoSocket : public testing::TestWithParam<Miss> {};

TEST_P(NoSocket, TheCauseIsWhatTheNearestOneLacks) {
  TestWorld test;
  host::Listener& listener = test.listen(Protocol::Tcp, GetParam().address, 80);
  listener.v6only = GetParam().v6only;
  listener.interface_index = GetParam().device;
  EXPECT_EQ(no_socket(test.world(), packet_to(kTcp, "10.0.0.5", 80)).code, GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(Misses, NoSocket,
                         testing::Values(Miss{"127.0.0.1", std::nullopt, 0, "bound-other-addr"},
                                         Miss{"::1", true, 0, "bound-other-addr"},
                                         Miss{"::", true, 0, "v6only"},
                                         Miss{"0.0.0.0", std::nullopt, 9, "bound-other-dev"}));

TEST(NoSocketCause, NothingNear) {
  TestWorld test;
  test.listen(Protocol::Udp, "0.0.0.0", 80);
  EXPECT_EQ(no_socket(test.world(), packet_to(kTcp, "10.0.0.5", 80)).code, "no-socket");
}

TEST(NoSocketCause, BoundAndNotListening) {
  TestWorld test;
  test.network.services.bound.push_back({.address = ip("0.0.0.0"), .port = 80, .inode = 5});
  EXPECT_EQ(no_socket(test.world(), packet_to(kTcp, "10.0.0.5", 80)).code, "bound-not-listening");
  EXPECT_EQ(no_socket(test.world(), packet_to(kTcp, "fd00::5", 80)).code, "no-socket");
  EXPECT_EQ(no_socket(test.world(), packet_to(kUdp, "10.0.0.5", 80)).code, "no-socket");
}

}  // namespace
}  // namespace hark::reach
