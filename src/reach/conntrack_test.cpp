// Conntrack and NAT at the hooks: traps of reachability.md 3.3, 3.4 and 3.9.
#include "reach/conntrack.h"

#include <gtest/gtest.h>

#include "reach/nft_numbers.h"
#include "reach/nft_test_rules.h"
#include "reach/reply.h"

namespace hark::reach {
namespace {

using End = HookResult::End;

Packet syn(unsigned port = 80) {
  return packet_to(kTcp, "10.9.0.1", static_cast<std::uint16_t>(port));
}

/// The answer of this host to a packet that came in.
Packet answer(const Packet& packet, std::uint8_t flags = kSyn | kAck) {
  Packet out = packet;
  std::swap(out.tuple.source, out.tuple.destination);
  std::swap(out.tuple.source_port, out.tuple.destination_port);
  out.in = 0;
  out.out = 2;
  out.ct = CtState::None;
  out.reply = true;
  out.tcp_flags = flags;
  return out;
}

Rules redirect_to(unsigned first, unsigned last) {
  return {value(port_bytes(first), 4), value(port_bytes(last), 5),
          expression(nft::Redirect{.port_min = nft::Reg{4}, .port_max = nft::Reg{5}})};
}
Rules redirect_to(unsigned port) {
  return redirect_to(port, port);
}
Rules destination_nat(Bytes address) {
  return {value(std::move(address)),
          expression(nft::Nat{.destination = true, .family = 2, .address_min = nft::Reg{0}})};
}

void own_address(TestRules& rules, const char* text) {
  rules.network.addresses.push_back(
      {.link = 2, .address = ip(text), .subnet = {.address = ip(text), .length = 24}});
}

TEST(Conntrack, BeforeItsPriorityEveryPacketIsInvalid) {
  TestRules rules;
  rules.base("raw", kAtPrerouting, -300);
  rules.rule("raw", state(kCtNew) + drop());
  EXPECT_EQ(rules.end(HookPoint::Prerouting, syn()), End::Accept);
  rules.network.nft.rules.back().expressions = state(kCtInvalid) + drop();
  EXPECT_EQ(rules.end(HookPoint::Prerouting, syn()), End::Drop);
}

TEST(Conntrack, TheFirstPacketIsNewTheAnswerEstablished) {
  TestRules rules;
  rules.base("in", kAtInput, 0).accepts = false;
  rules.base("out", kAtOutput, 0).accepts = false;
  rules.rule("in", state(kCtNew) + accept());
  rules.rule("out", state(kCtEstablished) + accept());
  Packet packet = syn();
  ConntrackView view;
  EXPECT_EQ(rules.run(HookPoint::Prerouting, packet, view).end, End::Accept);
  EXPECT_EQ(rules.run(HookPoint::Input, packet, view).end, End::Accept);
  Packet reply = answer(packet);
  EXPECT_EQ(rules.run(HookPoint::Output, reply, view).end, End::Accept);
  // "new" alone lets the handshake begin, and drops the client's acknowledgement (3.10, 4).
  Packet third = syn();
  third.tcp_flags = kAck;
  EXPECT_EQ(rules.run(HookPoint::Prerouting, third, view).end, End::Accept);
  EXPECT_EQ(rules.run(HookPoint::Input, third, view).end, End::Drop);
}

TEST(Conntrack, NotrackActsBeforeItOnly) {
  TestRules rules;
  rules.base("pre", kAtPrerouting, -300);
  rules.rule("pre", {expression(nft::Notrack{})});
  rules.base("in", kAtInput, 0);
  rules.rule("in", state(kCtUntracked) + drop());
  const auto through = [&rules] {
    Packet packet = syn();
    ConntrackView view;
    EXPECT_EQ(rules.run(HookPoint::Prerouting, packet, view).end, End::Accept);
    return rules.run(HookPoint::Input, packet, view).end;
  };
  EXPECT_EQ(through(), End::Drop);
  rules.network.nft.chains.front().hook->priority = 0;
  EXPECT_EQ(through(), End::Accept);
}

TEST(Conntrack, AnAnswerToAnUntrackedPacketIsInvalid) {
  TestRules rules;
  rules.base("out", kAtOutput, 0);
  rules.rule("out", state(kCtInvalid) + drop());
  Packet packet = syn();
  packet.ct = CtState::Untracked;
  Packet reply = answer(packet);
  ConntrackView view;
  EXPECT_EQ(rules.run(HookPoint::Output, reply, view).end, End::Drop);
}

TEST(Conntrack, AResetOfARuleBelongsToTheRefusedConnection) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  rules.rule("in", {expression(nft::Reject{.type = 1})});
  rules.base("out", kAtOutput, 0).accepts = false;
  rules.rule("out", state(kCtRelated) + accept());
  Packet packet = syn();
  ConntrackView view;
  EXPECT_EQ(rules.run(HookPoint::Prerouting, packet, view).end, End::Accept);
  const HookResult refused = rules.run(HookPoint::Input, packet, view);
  EXPECT_EQ(refused.end, End::Reject);
  EXPECT_TRUE(refused.tcp_reset);
  const World world = rules.world();
  Packet reset = refusal_of(world, packet, {.tcp_reset = true}, Refuser::Rule);
  reset.out = 2;
  EXPECT_EQ(rules.run(HookPoint::Output, reset, view).end, End::Accept);
  // From the start: before conntrack's own priority as well.
  rules.network.nft.chains.back().hook->priority = -225;
  reset = refusal_of(world, packet, {.icmp_type = 3, .icmp_code = 1}, Refuser::Rule);
  EXPECT_EQ(rules.run(HookPoint::Output, reset, view).end, End::Accept);
  // A socket has let go of the connection, which is not in the table yet.
  reset = refusal_of(world, packet, {.icmp_type = 3, .icmp_code = 3}, Refuser::Socket);
  EXPECT_EQ(rules.run(HookPoint::Output, reset, view).end, End::Drop);
}

TEST(Conntrack, KeysButTheStateBreakOffWithoutAConnection) {
  TestRules rules;
  rules.base("raw", kAtPrerouting, -300);
  rules.rule("raw", Rules{load_ct(nft::CtKey::Mark), is(host_number(0))} + drop());
  EXPECT_EQ(rules.end(HookPoint::Prerouting, syn()), End::Accept);
  rules.network.nft.chains.back().hook->priority = 0;
  EXPECT_EQ(rules.end(HookPoint::Prerouting, syn()), End::Drop);
}

TEST(Conntrack, AnEntryThatIsThereDecides) {
  TestRules rules;
  own_address(rules, "10.9.0.1");
  rules.base("nat", kAtPrerouting, -100, "nat");
  rules.rule("nat", redirect_to(8080));
  host::ConntrackEntry entry;
  entry.protocol = kTcp;
  const Packet asked = syn();
  entry.source = entry.reply_destination = asked.tuple.source;
  entry.destination = entry.reply_source = asked.tuple.destination;
  entry.source_port = entry.reply_destination_port = asked.tuple.source_port;
  entry.destination_port = entry.reply_source_port = asked.tuple.destination_port;
  entry.status = kStatusConfirmed;
  entry.tcp_state = 1;
  rules.network.conntrack.push_back(entry);
  Packet packet = syn();
  ConntrackView view;
  EXPECT_EQ(rules.run(HookPoint::Prerouting, packet, view).end, End::Accept);
  EXPECT_EQ(packet.tuple.destination_port, 80);
  // A closed one gives way.
  rules.network.conntrack.front().tcp_state = 7;
  packet = syn();
  view = {};
  EXPECT_EQ(rules.run(HookPoint::Prerouting, packet, view).end, End::Accept);
  EXPECT_EQ(packet.tuple.destination_port, 8080);
}

// NAT: 3.4.

TEST(Nat, ChainsAreInertWithoutConntrack) {
  TestRules rules;
  rules.base("nat", kAtPrerouting, -100, "nat");
  rules.rule("nat", destination_port(80) + drop());
  EXPECT_EQ(rules.end(HookPoint::Prerouting, syn()), End::Accept);
  rules.chain("other");
  rules.rule("other", state(kCtNew) + accept());
  EXPECT_EQ(rules.end(HookPoint::Prerouting, syn()), End::Drop);
}

TEST(Nat, TheRewriteIsAtMinusHundredWhateverTheChainsPriority) {
  TestRules rules;
  own_address(rules, "10.9.0.1");
  rules.base("nat", kAtPrerouting, 10, "nat");
  rules.rule("nat", redirect_to(8080));
  rules.base("seen", kAtPrerouting, -99);
  rules.rule("seen", destination_port(8080) + drop());
  EXPECT_EQ(rules.end(HookPoint::Prerouting, syn()), End::Drop);
  rules.network.nft.chains.back().hook->priority = -101;
  EXPECT_EQ(rules.end(HookPoint::Prerouting, syn()), End::Accept);
}

TEST(Nat, TheFirstMappingEndsTheWalkAnAcceptDoesNot) {
  TestRules rules;
  own_address(rules, "10.9.0.1");
  rules.base("a", kAtPrerouting, -101, "nat");
  rules.base("b", kAtPrerouting, -100, "nat");
  rules.base("c", kAtPrerouting, -99, "nat");
  rules.rule("a", {accept()});
  rules.rule("b", redirect_to(8080));
  rules.rule("c", {drop()});
  Packet packet = syn();
  ConntrackView view;
  EXPECT_EQ(rules.run(HookPoint::Prerouting, packet, view).end, End::Accept);
  EXPECT_EQ(packet.tuple.destination_port, 8080);
}

TEST(Nat, AnAnswerIsTranslatedBack) {
  TestRules rules;
  rules.table("four", nft::TableFamily::Ip);
  rules.base("nat", kAtPrerouting, -100, "nat");
  rules.rule("nat", destination_nat(hex_bytes({10, 9, 0, 3})));
  Packet packet = syn();
  ConntrackView view;
  EXPECT_EQ(rules.run(HookPoint::Prerouting, packet, view).end, End::Accept);
  EXPECT_EQ(packet.tuple.destination, ip("10.9.0.3"));
  ASSERT_TRUE(view.connection);
  EXPECT_EQ(status_bits(*view.connection) & kStatusDestinationNat, kStatusDestinationNat);
  EXPECT_EQ(rules.run(HookPoint::Input, packet, view).end, End::Accept);
  Packet reply = answer(packet);
  EXPECT_EQ(rules.run(HookPoint::Output, reply, view).end, End::Accept);
  EXPECT_EQ(reply.tuple.source, ip("10.9.0.3"));
  EXPECT_EQ(rules.run(HookPoint::Postrouting, reply, view).end, End::Accept);
  EXPECT_EQ(reply.tuple.source, ip("10.9.0.1"));
  EXPECT_EQ(reply.tuple.destination, ip("10.9.0.2"));
}

TEST(Nat, ARedirectWithoutAnAddressDrops) {
  TestRules rules;
  rules.base("nat", kAtPrerouting, -100, "nat");
  rules.rule("nat", redirect_to(8080));
  EXPECT_EQ(rules.end(HookPoint::Prerouting, syn()), End::Drop);
}

TEST(Nat, AMappingIsForItsFamily) {
  TestRules rules;
  rules.base("nat", kAtPrerouting, -100, "nat");
  rules.rule("nat", destination_nat(hex_bytes({10, 9, 0, 3})) + drop());
  rules.rule("nat", state(kCtNew) + accept());
  EXPECT_EQ(rules.end(HookPoint::Prerouting, packet_to(kTcp, "fd00::1", 80)), End::Drop);
  EXPECT_EQ(rules.end(HookPoint::Prerouting, syn()), End::Accept);
}

TEST(Nat, EveryPortOfASmallRangeIsAWay) {
  TestRules rules;
  own_address(rules, "10.9.0.1");
  rules.base("nat", kAtPrerouting, -100, "nat");
  rules.rule("nat", redirect_to(8001, 8003));
  rules.base("seen", kAtPrerouting, 0);
  rules.rule("seen", destination_port(8002) + drop());
  EXPECT_EQ(rules.ends(HookPoint::Prerouting, syn()),
            (std::vector<End>{End::Accept, End::Drop, End::Accept}));
}

}  // namespace
}  // namespace hark::reach
