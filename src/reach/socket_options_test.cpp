#include "reach/socket_options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reach/routing_testing.h"
#include "reach/test_world.h"

namespace hark::reach {
namespace {

using decode::FilterInstruction;

constexpr std::uint16_t kReturn = 0x06, kReturnAccumulator = 0x16, kLoadLength = 0x80;

class Options : public ::testing::Test {
 protected:
  decode::SocketOptions& options_of(const host::Listener& listener) {
    host::SocketFacts facts;
    facts.inode = listener.socket.inode;
    facts.options.emplace();
    test_.network.services.sockets.push_back(facts);
    return *test_.network.services.sockets.back().options;
  }

  static void set(decode::SocketOptions& options, OptionPart part, std::int32_t value) {
    options.values[static_cast<std::size_t>(part)] = value;
  }

  std::string refusal(const host::Listener& listener, Packet packet) {
    World world = test_.world();
    const auto found = socket_refuses(world, listener, packet);
    return found ? found->cause.code : "";
  }

  /// Nothing, or from which address the answer comes.
  std::string source(const host::Listener& listener, const Packet& packet) {
    World world = test_.world();
    const auto found = other_source(world, listener, packet, 0);
    return found ? found->cause.text : "";
  }

  /// 10.1.0.1 is preferred for everybody but those on eth1, where 10.2.0.1 is.
  void two_addresses() { test_.network = testing::SmallHost().network; }

  TestWorld test_;
};

TEST_F(Options, TooSmallATtlIsDroppedByTcpAlone) {
  const host::Listener tcp = test_.listen(Protocol::Tcp, "::", 80);
  const host::Listener udp = test_.listen(Protocol::Udp, "::", 80);
  for (const host::Listener& one : {tcp, udp}) set(options_of(one), OptionPart::MinTtl, 65);
  EXPECT_EQ(refusal(tcp, packet_to(kTcp, "10.0.0.5", 80)), "min-ttl");
  EXPECT_EQ(test_.assumptions, std::vector<std::string>{"the client sends with a TTL of 64"});
  EXPECT_EQ(refusal(udp, packet_to(kUdp, "10.0.0.5", 80)), "");
  // That of IPv6 is another option.
  EXPECT_EQ(refusal(tcp, packet_to(kTcp, "fd00::1", 80)), "");
  test_.waived.emplace_back("min-ttl");
  EXPECT_EQ(refusal(tcp, packet_to(kTcp, "10.0.0.5", 80)), "");
}

TEST_F(Options, ATtlThatIsEnoughWhereTheClientIsNear) {
  const host::Listener listener = test_.listen(Protocol::Tcp, "::", 80);
  decode::SocketOptions& options = options_of(listener);
  set(options, OptionPart::MinHopCount, 64);
  EXPECT_EQ(refusal(listener, packet_to(kTcp, "fd00::1", 80)), "");
  EXPECT_EQ(test_.assumptions,
            std::vector<std::string>{"the client's packets arrive with a hop limit of 64 or more"});
  test_.assumptions.clear();
  set(options, OptionPart::MinHopCount, 0);
  EXPECT_EQ(refusal(listener, packet_to(kTcp, "fd00::1", 80)), "");
  EXPECT_TRUE(test_.assumptions.empty());
}

TEST_F(Options, AFilterThatDropsAllAndOneThatCannotBeToldOf) {
  const host::Listener listener = test_.listen(Protocol::Udp, "0.0.0.0", 53);
  const Packet packet = packet_to(kUdp, "10.0.0.5", 53);
  EXPECT_EQ(refusal(listener, packet), "");
  decode::SocketOptions& options = options_of(listener);
  EXPECT_EQ(refusal(listener, packet), "");
  options.filter = {{.code = kReturn, .operand = 0}};
  EXPECT_EQ(refusal(listener, packet), "socket-filter");
  options.filter = {{.code = kReturn, .operand = 100}};
  EXPECT_EQ(refusal(listener, packet), "");
  EXPECT_TRUE(test_.choices.taken().empty());
  options.filter = {{.code = kLoadLength}, {.code = kReturnAccumulator}};
  EXPECT_EQ(refusal(listener, packet), "");
  ASSERT_EQ(test_.choices.taken().size(), 1U);
  ASSERT_TRUE(test_.choices.next());
  EXPECT_EQ(refusal(listener, packet), "socket-filter");
}

TEST_F(Options, AFilterOfEbpfIsOpen) {
  const host::Listener listener = test_.listen(Protocol::Tcp, "0.0.0.0", 80);
  options_of(listener).filter_hidden = true;
  EXPECT_EQ(refusal(listener, packet_to(kTcp, "10.0.0.5", 80)), "");
  EXPECT_EQ(test_.choices.taken().size(), 1U);
}

TEST_F(Options, APlainServerAnswersFromWhereRoutingSays) {
  two_addresses();
  const host::Listener listener = test_.listen(Protocol::Udp, "0.0.0.0", 53);
  decode::SocketOptions& options = options_of(listener);
  set(options, OptionPart::PacketInfo, 0);
  set(options, OptionPart::OriginalDestination, 0);
  const Packet asked = packet_to(kUdp, "10.2.0.1", 53);
  EXPECT_EQ(source(listener, asked), "the answer comes from 10.1.0.1 instead of 10.2.0.1");
  EXPECT_EQ(source(listener, packet_to(kUdp, "10.1.0.1", 53)), "");
  test_.waived.emplace_back("udp-reply-source-mismatch");
  EXPECT_EQ(source(listener, asked), "");
}

TEST_F(Options, OneThatLearnsTheAddressAnswersFromIt) {
  two_addresses();
  const host::Listener four = test_.listen(Protocol::Udp, "0.0.0.0", 53);
  set(options_of(four), OptionPart::PacketInfo, 1);
  EXPECT_EQ(source(four, packet_to(kUdp, "10.2.0.1", 53)), "");
  EXPECT_EQ(test_.assumptions.size(), 1U);
  // A socket of IPv6 is told the addresses of IPv4 too.
  const host::Listener six = test_.listen(Protocol::Udp, "::", 54);
  set(options_of(six), OptionPart::PacketInfo6, 1);
  EXPECT_EQ(source(six, packet_to(kUdp, "10.2.0.1", 54)), "");
  EXPECT_TRUE(test_.choices.taken().empty());
}

TEST_F(Options, UnreadOptionsLeaveItOpen) {
  two_addresses();
  const host::Listener listener = test_.listen(Protocol::Udp, "0.0.0.0", 53);
  const Packet asked = packet_to(kUdp, "10.2.0.1", 53);
  EXPECT_EQ(source(listener, asked), "");
  ASSERT_EQ(test_.choices.taken().size(), 1U);
  ASSERT_TRUE(test_.choices.next());
  EXPECT_NE(source(listener, asked), "");
  // So does one option of which the kernel did not tell.
  test_.choices = {};
  set(options_of(listener), OptionPart::PacketInfo, 0);
  EXPECT_EQ(source(listener, asked), "");
  EXPECT_EQ(test_.choices.taken().size(), 1U);
}

TEST_F(Options, ADeferredAcceptIsTold) {
  const host::Listener listener = test_.listen(Protocol::Tcp, "0.0.0.0", 80);
  World world = test_.world();
  tell_deferred_accept(world, listener);
  EXPECT_TRUE(test_.path.empty());
  set(options_of(listener), OptionPart::DeferAccept, 15);
  tell_deferred_accept(world, listener);
  ASSERT_EQ(test_.path.size(), 1U);
  EXPECT_EQ(test_.path[0].stage, Stage::Handshake);
  EXPECT_EQ(test_.assumptions.size(), 1U);
}

}  // namespace
}  // namespace hark::reach
