// Expressions and sets: traps of reachability.md 3.5, 3.6 and 3.9.
#include "reach/nft_machine.h"

#include <gtest/gtest.h>

#include "reach/jhash.h"
#include "reach/nft_test_rules.h"

namespace hark::reach {
namespace {

using End = HookResult::End;
constexpr std::uint32_t kInterval = 0x4;  // NFT_SET_INTERVAL
constexpr std::uint32_t kMap = 0x8;       // NFT_SET_MAP

Packet syn(unsigned port = 80) {
  return packet_to(kTcp, "10.9.0.1", static_cast<std::uint16_t>(port));
}

/// Does a rule with these expressions match?
bool matches(const Rules& expressions, const Packet& packet) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  rules.rule("in", expressions + drop());
  return rules.end(HookPoint::Input, packet) == End::Drop;
}

nft::Expression lookup(std::string set, bool inverted = false) {
  return expression(nft::Lookup{.set = std::move(set), .inverted = inverted});
}

TEST(NftMachine, NumbersOfTheKernelAreInHostOrderThoseOfHeadersAreNot) {
  Packet packet = syn(0x1234);
  packet.mark = 0x1234;
  EXPECT_TRUE(matches({load_meta(nft::MetaKey::Mark), is(host_number(0x1234))}, packet));
  EXPECT_TRUE(matches({load_transport(2, 2), is(hex_bytes({0x12, 0x34}))}, packet));
  // A range of marks is compared after a conversion: 0x0100 lies below 0x0200 only then.
  packet.mark = 0x0100;
  const auto swap = expression(nft::Byteorder{.length = 4, .size = 4});
  EXPECT_TRUE(matches(
      {load_meta(nft::MetaKey::Mark), swap, is(hex_bytes({0, 0, 2, 0}), nft::CmpOp::Lt)}, packet));
}

TEST(NftMachine, AShortCompareOfANameIsItsBeginning) {
  EXPECT_TRUE(matches({load_meta(nft::MetaKey::Iifname), is(to_bytes("eth"))}, syn()));
  EXPECT_TRUE(matches({load_meta(nft::MetaKey::Iifname), is(name_bytes("eth0"))}, syn()));
  EXPECT_FALSE(matches({load_meta(nft::MetaKey::Iifname), is(name_bytes("eth"))}, syn()));
}

TEST(NftMachine, OnInputThereIsNoOutgoingLink) {
  EXPECT_TRUE(matches({load_meta(nft::MetaKey::Oif), is(host_number(0))}, syn()));
  EXPECT_TRUE(matches({load_meta(nft::MetaKey::Oifname), is(name_bytes(""))}, syn()));
  EXPECT_FALSE(matches({load_meta(nft::MetaKey::Oifgroup)}, syn()));
}

TEST(NftMachine, ALoadBeyondThePacketBreaksOff) {
  EXPECT_TRUE(matches({load_transport(0, 4)}, syn()));
  EXPECT_FALSE(matches({load_transport(38, 4)}, syn()));
}

TEST(NftMachine, WithoutALinkLayerHeaderItsBytesBreakOff) {
  Packet packet = syn();
  packet.source_mac = hex_bytes({2, 0, 0, 0, 0, 1});
  EXPECT_TRUE(matches({load_link(6, 6), is(hex_bytes({2, 0, 0, 0, 0, 1}))}, packet));
  packet.has_mac = false;
  EXPECT_FALSE(matches({load_link(6, 6)}, packet));
}

TEST(NftMachine, WhatIsNotKnownIsAskedOnlyWhereItDecides) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  rules.rule("in", Rules{load_link(6, 6), is(hex_bytes({2, 0, 0, 0, 0, 1}))} + drop());
  EXPECT_EQ(rules.ends(HookPoint::Input, syn()), (std::vector<End>{End::Drop, End::Accept}));
  // Of an IP header the identification is open; masked away it is not asked for.
  rules.network.nft.rules.back().expressions =
      Rules{load_network(4, 4),
            expression(nft::Bitwise{.length = 4,
                                    .mask = hex_bytes({0, 0, 0x1f, 0xff}),
                                    .xored = hex_bytes({0, 0, 0, 0})}),
            is(hex_bytes({0, 0, 0, 0}), nft::CmpOp::Neq)} +
      drop();
  EXPECT_EQ(rules.ends(HookPoint::Input, syn()), std::vector<End>{End::Accept});
}

TEST(NftMachine, ALimitGoesBothWaysButNotBehindAFailedMatch) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  const auto limit = expression(nft::Limit{.rate = 5, .unit_s = 1, .burst = 5});
  rules.rule("in", destination_port(80) + limit + drop());
  EXPECT_EQ(rules.ends(HookPoint::Input, syn(80)), (std::vector<End>{End::Drop, End::Accept}));
  EXPECT_EQ(rules.ends(HookPoint::Input, syn(81)), std::vector<End>{End::Accept});
}

TEST(NftMachine, AnUnknownExpressionIsTold) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  rules.rule("in", Rules{expression(nft::Unknown{.why = "expression foo"})} + drop());
  EXPECT_EQ(rules.ends(HookPoint::Input, syn()), (std::vector<End>{End::Drop, End::Accept}));
}

TEST(NftMachine, RejectAnswersInTheFamilyOfThePacket) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  rules.rule("in", {expression(nft::Reject{.type = 2, .icmp_code = 3})});
  ConntrackView view;
  Packet packet = syn();
  HookResult result = rules.run(HookPoint::Input, packet, view);
  EXPECT_EQ(result.end, End::Reject);
  EXPECT_EQ(result.icmp_type, 3);
  EXPECT_EQ(result.icmp_code, 13);
  packet = packet_to(kTcp, "fd00::1", 80);
  result = rules.run(HookPoint::Input, packet, view);
  EXPECT_EQ(result.icmp_type, 1);
  EXPECT_EQ(result.icmp_code, 1);
  // A reset answers TCP alone.
  rules.network.nft.rules.back().expressions = {expression(nft::Reject{.type = 1})};
  EXPECT_EQ(rules.end(HookPoint::Input, packet_to(kUdp, "10.9.0.1", 53)), End::Drop);
}

TEST(NftMachine, ATcpOptionOfAnotherProtocolIsNotThere) {
  const auto option = expression(
      nft::Exthdr{.dreg = nft::Reg{0}, .type = 4, .length = 1, .op = 1, .present = true});
  EXPECT_TRUE(matches({option, is(hex_bytes({1}))}, syn()));
  EXPECT_TRUE(matches({option, is(hex_bytes({0}))}, packet_to(kUdp, "10.9.0.1", 53)));
}

TEST(NftMachine, AHashWithASeedIsExact) {
  // What Linux 6.18 gave for 10.9.0.2 . 10.9.0.1: a rule for each number, counted.
  constexpr std::uint32_t kFromKernel = 2;
  EXPECT_EQ(reciprocal_scale(jhash(hex_bytes({10, 9, 0, 2, 10, 9, 0, 1}), 7), 10), kFromKernel);
  const Rules load = {
      load_network(12, 4, 0), load_network(16, 4, 1),
      expression(nft::Hash{.sreg = 0, .dreg = 4, .length = 8, .modulus = 10, .seed = 7U})};
  EXPECT_TRUE(matches(load + is(host_number(kFromKernel), nft::CmpOp::Eq, 4), syn()));
}

// Sets: 3.5.

TEST(NftSets, IntervalsAreHalfOpen) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  nft::Set& set = rules.set("ports", kInterval, 2);
  set.elements->push_back({.key = port_bytes(80)});
  set.elements->push_back({.key = port_bytes(90), .interval_end = true});
  set.elements->push_back({.key = port_bytes(90)});
  set.elements->push_back({.key = port_bytes(95), .interval_end = true});
  set.elements->push_back({.key = port_bytes(65000)});
  rules.rule("in", Rules{load_transport(2, 2), lookup("ports")} + drop());
  for (const unsigned inside : {80U, 89U, 90U, 94U, 65000U, 65535U}) {
    EXPECT_EQ(rules.end(HookPoint::Input, syn(inside)), End::Drop) << inside;
  }
  for (const unsigned outside : {1U, 79U, 95U, 64999U}) {
    EXPECT_EQ(rules.end(HookPoint::Input, syn(outside)), End::Accept) << outside;
  }
}

TEST(NftSets, TheIndexFindsWhatTheWalkFinds) {
  nft::Set set;
  set.flags = kInterval;
  set.key_length = 2;
  set.elements.emplace();
  for (unsigned port = 0; port < 2000; port += 10) {
    set.elements->push_back({.key = port_bytes(port)});
    set.elements->push_back({.key = port_bytes(port + 5), .interval_end = true});
  }
  const PreparedSet ready(set);
  for (unsigned port = 0; port < 2000; ++port) {
    EXPECT_EQ(ready.find(port_bytes(port)) != nullptr, port % 10 < 5) << port;
  }
}

TEST(NftSets, OfRangesThatOverlapTheFirstInsertedWins) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  nft::Set& set = rules.set("both", kInterval | kMap, 8);
  set.fields = {4, 2};
  set.elements->push_back({.key = hex_bytes({10, 9, 0, 2, 0, 80, 0, 0}),
                           .key_end = hex_bytes({10, 9, 0, 2, 0, 80, 0, 0}),
                           .verdict = nft::VerdictTo{.verdict = nft::Verdict::Accept}});
  set.elements->push_back({.key = hex_bytes({10, 9, 0, 0, 0, 70, 0, 0}),
                           .key_end = hex_bytes({10, 9, 0, 255, 0, 90, 0, 0}),
                           .verdict = nft::VerdictTo{.verdict = nft::Verdict::Drop}});
  rules.rule("in", {load_network(12, 4, 0), load_transport(2, 2, 1),
                    expression(nft::Lookup{.set = "both", .verdict = true})});
  EXPECT_EQ(rules.end(HookPoint::Input, syn(80)), End::Accept);
  EXPECT_EQ(rules.end(HookPoint::Input, syn(81)), End::Drop);
  EXPECT_EQ(rules.end(HookPoint::Input, syn(91)), End::Accept);
}

TEST(NftSets, AHitInAVerdictMapEndsTheRuleAMissGoesOnBehindIt) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  nft::Set& set = rules.set("map", kMap, 2);
  set.elements->push_back(
      {.key = port_bytes(80), .verdict = nft::VerdictTo{.verdict = nft::Verdict::Accept}});
  rules.rule("in", {load_transport(2, 2), expression(nft::Lookup{.set = "map", .verdict = true})});
  rules.rule("in", {drop()});
  EXPECT_EQ(rules.end(HookPoint::Input, syn(80)), End::Accept);
  EXPECT_EQ(rules.end(HookPoint::Input, syn(81)), End::Drop);
  // The catch-all only after a miss.
  set.elements->push_back(
      {.key = {}, .catch_all = true, .verdict = nft::VerdictTo{.verdict = nft::Verdict::Accept}});
  EXPECT_EQ(rules.end(HookPoint::Input, syn(81)), End::Accept);
}

TEST(NftSets, LaterRulesSeeWhatTheSamePacketAdded) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  rules.set("seen", 0, 4).size = 10;
  rules.rule("in",
             {load_network(12, 4), expression(nft::Dynset{.set = "seen", .expressions = {}})});
  rules.rule("in", Rules{load_network(12, 4), lookup("seen")} + drop());
  EXPECT_EQ(rules.end(HookPoint::Input, syn()), End::Drop);
}

TEST(NftSets, InvertedIsAMiss) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  rules.set("ports", 0, 2).elements->push_back({.key = port_bytes(80)});
  rules.rule("in", Rules{load_transport(2, 2), lookup("ports", true)} + drop());
  EXPECT_EQ(rules.end(HookPoint::Input, syn(80)), End::Accept);
  EXPECT_EQ(rules.end(HookPoint::Input, syn(81)), End::Drop);
}

TEST(NftSets, ASetThatWasNotReadIsAsked) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  rules.set("big", 0, 4).elements.reset();
  rules.rule("in", Rules{load_network(12, 4), lookup("big")} + drop());
  EXPECT_EQ(rules.ends(HookPoint::Input, syn()), (std::vector<End>{End::Drop, End::Accept}));
}

TEST(NftSets, AKeyThatTheKernelWasAskedForIsKnown) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  auto& big = rules.set("big", 0, 2);
  big.elements.reset();
  big.asked = {{port_bytes(80), decode::nft::Element{.key = port_bytes(80)}},
               {port_bytes(81), std::nullopt}};
  rules.rule("in", Rules{load_transport(2, 2), lookup("big")} + drop());
  EXPECT_EQ(rules.end(HookPoint::Input, syn(80)), End::Drop);
  EXPECT_EQ(rules.end(HookPoint::Input, syn(81)), End::Accept);
}

}  // namespace
}  // namespace hark::reach
