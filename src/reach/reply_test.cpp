#include "reach/reply.h"

#include <gtest/gtest.h>

#include "reach/test_world.h"

namespace hark::reach {
namespace {

constexpr Refusal kReset = {.tcp_reset = true};
constexpr Refusal kPortUnreachable = {.icmp_type = 3, .icmp_code = 3};

Packet marked(std::uint8_t protocol, const char* to) {
  Packet packet = packet_to(protocol, to, 80);
  packet.ttl = 40;
  packet.tos = 0x10;
  packet.mark = 7;
  packet.source_mac = Bytes(6);
  return packet;
}

TEST(Reply, AnAnswerTakesNothingOfTheHeaderButTheAddresses) {
  TestWorld host;
  const Packet packet = marked(kTcp, "10.9.0.1");
  const Packet reply = answer_to(host.world(), packet);
  EXPECT_EQ(reply.tuple.source, packet.tuple.destination);
  EXPECT_EQ(reply.tuple.destination_port, packet.tuple.source_port);
  EXPECT_EQ(reply.ttl, 64);
  EXPECT_EQ(reply.tos, 0);
  EXPECT_EQ(reply.mark, 0U);
  EXPECT_TRUE(reply.made_here());
  EXPECT_TRUE(reply.reply);
}

TEST(Reply, MarksAreTakenOverWhereTheHostIsToldTo) {
  TestWorld host;
  host.network.settings.fwmark_reflect = 1;
  host.network.settings.fwmark_accept = 1;
  const Packet tcp = marked(kTcp, "10.9.0.1");
  const Packet udp = marked(kUdp, "10.9.0.1");
  EXPECT_EQ(answer_to(host.world(), tcp).mark, 7U);
  EXPECT_EQ(answer_to(host.world(), udp).mark, 0U);
  EXPECT_EQ(refusal_of(host.world(), udp, kPortUnreachable, Refuser::Socket).mark, 7U);
  const Packet six = marked(kTcp, "fd00::1");
  EXPECT_EQ(refusal_of(host.world(), six, kReset, Refuser::Socket).mark, 0U);
}

TEST(Reply, AResetAcknowledgesOnlyWhatDidNotAcknowledge) {
  TestWorld host;
  Packet packet = marked(kTcp, "10.9.0.1");
  EXPECT_EQ(refusal_of(host.world(), packet, kReset, Refuser::Rule).tcp_flags, kRst | kAck);
  packet.tcp_flags = kAck | kPsh;
  EXPECT_EQ(refusal_of(host.world(), packet, kReset, Refuser::Rule).tcp_flags, kRst);
}

TEST(Reply, TheTosOfARefusalIsThatOfWhoSendsIt) {
  TestWorld host;
  const Packet packet = marked(kTcp, "10.9.0.1");
  EXPECT_EQ(refusal_of(host.world(), packet, kReset, Refuser::Socket).tos, 0x10);
  EXPECT_EQ(refusal_of(host.world(), packet, kReset, Refuser::Rule).tos, 0);
  EXPECT_EQ(refusal_of(host.world(), packet, kPortUnreachable, Refuser::Rule).tos, 0xd0);
  const Packet six = marked(kTcp, "fd00::1");
  EXPECT_EQ(refusal_of(host.world(), six, {.icmp_type = 1}, Refuser::Rule).tos, 0);
}

TEST(Reply, AnErrorBeforeRoutingHasItsSourceFromRouting) {
  TestWorld host;
  host::Route local;
  local.type = 2;
  local.table = 255;
  local.destination = {.address = ip("10.9.0.1"), .length = 32};
  local.hops.push_back({.link = 2});
  host.network.routes.push_back(local);
  const Packet packet = marked(kUdp, "10.9.0.1");
  const auto source = [&](Refuser refuser) {
    return refusal_of(host.world(), packet, kPortUnreachable, refuser).tuple.source;
  };
  EXPECT_EQ(source(Refuser::Socket), ip("10.9.0.1"));
  EXPECT_TRUE(source(Refuser::RuleBeforeRouting).is_unspecified());
  const Packet foreign = marked(kUdp, "10.9.0.7");
  EXPECT_TRUE(refusal_of(host.world(), foreign, kPortUnreachable, Refuser::Rule)
                  .tuple.source.is_unspecified());
}

TEST(Reply, ARefusalOfARuleBelongsToTheConnectionFromTheStart) {
  TestWorld host;
  Packet packet = marked(kTcp, "10.9.0.1");
  EXPECT_EQ(refusal_of(host.world(), packet, kReset, Refuser::Rule).ct, CtState::None);
  packet.ct = CtState::New;
  const Packet reset = refusal_of(host.world(), packet, kReset, Refuser::Rule);
  EXPECT_EQ(reset.ct, CtState::Related);
  EXPECT_TRUE(reset.ct_reply);
  EXPECT_EQ(refusal_of(host.world(), packet, kReset, Refuser::Socket).ct, CtState::None);
}

}  // namespace
}  // namespace hark::reach
