#include "reach/netfilter.h"

#include <gtest/gtest.h>

#include "reach/nft_numbers.h"
#include "reach/nft_test_rules.h"

namespace hark::reach {
namespace {

using End = HookResult::End;

Packet syn(unsigned port = 80) {
  return packet_to(kTcp, "10.9.0.1", static_cast<std::uint16_t>(port));
}

TEST(Netfilter, WithoutRulesPacketsPass) {
  TestRules rules;
  EXPECT_EQ(rules.end(HookPoint::Input, syn()), End::Accept);
}

TEST(Netfilter, ADropIsFinalAndNamesItsRule) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  rules.rule("in", destination_port(22) + accept());
  rules.rule("in", destination_port(80) + drop());
  Packet packet = syn();
  ConntrackView view;
  const HookResult result = rules.run(HookPoint::Input, packet, view);
  EXPECT_EQ(result.end, End::Drop);
  ASSERT_TRUE(result.place);
  EXPECT_EQ(key_of(*result.place), "nft:inet:t:in:3");
  EXPECT_EQ(words_of(*result.place), "inet t in handle 3");
  EXPECT_EQ(command_of(*result.place), "nft -a list chain inet t in");
  EXPECT_EQ(rules.end(HookPoint::Input, syn(22)), End::Accept);
}

TEST(Netfilter, AnAcceptEndsItsChainOnly) {
  TestRules rules;
  rules.base("first", kAtInput, -1);
  rules.base("second", kAtInput, 1);
  rules.rule("first", {accept()});
  rules.rule("second", {drop()});
  EXPECT_EQ(rules.end(HookPoint::Input, syn()), End::Drop);
}

TEST(Netfilter, ThePolicyDecidesWhereNoRuleDoes) {
  TestRules rules;
  rules.base("in", kAtInput, 0).accepts = false;
  rules.rule("in", destination_port(22) + accept());
  EXPECT_EQ(rules.end(HookPoint::Input, syn(22)), End::Accept);
  Packet packet = syn();
  ConntrackView view;
  const HookResult result = rules.run(HookPoint::Input, packet, view);
  EXPECT_EQ(result.end, End::Drop);
  ASSERT_TRUE(result.place);
  EXPECT_TRUE(result.place->policy);
  EXPECT_EQ(words_of(*result.place), "the policy of inet t in");
}

TEST(Netfilter, WhatIsWaivedIsPassedOver) {
  TestRules rules;
  rules.base("in", kAtInput, 0).accepts = false;
  rules.rule("in", {drop()});
  rules.waived = {"nft:inet:t:in:2"};
  Packet packet = syn();
  ConntrackView view;
  EXPECT_TRUE(rules.run(HookPoint::Input, packet, view).place->policy);
  rules.waived.emplace_back("nft:inet:t:in:policy");
  EXPECT_EQ(rules.end(HookPoint::Input, syn()), End::Accept);
}

TEST(Netfilter, ADormantTableDoesNothing) {
  TestRules rules;
  rules.base("in", kAtInput, 0).accepts = false;
  rules.network.nft.tables.front().dormant = true;
  EXPECT_EQ(rules.end(HookPoint::Input, syn()), End::Accept);
}

TEST(Netfilter, TheLastRegisteredOfEqualPriorityRunsFirst) {
  TestRules rules;
  rules.base("older", kAtInput, 0);
  rules.base("newer", kAtInput, 0);
  rules.rule("older", {drop()});
  rules.rule("newer", {expression(nft::Reject{.type = 1})});
  EXPECT_EQ(rules.ends(HookPoint::Input, syn()), std::vector<End>{End::Reject});
}

/// What needs conntrack first brings it: a chain of its priority that was there is behind it.
TEST(Netfilter, ConntrackComesWithTheFirstThatNeedsIt) {
  TestRules rules;
  rules.base("pre", kAtPrerouting, -200);
  rules.rule("pre", state(kCtInvalid) + drop());
  EXPECT_EQ(rules.ends(HookPoint::Prerouting, syn()), std::vector<End>{End::Accept});
  // An older table with such a rule: conntrack was registered before the chain.
  TestRules older;
  older.base("in", kAtInput, 0);
  older.rule("in", state(kCtNew) + accept());
  older.table("u");
  older.base("pre", kAtPrerouting, -200);
  older.rule("pre", state(kCtInvalid) + drop());
  EXPECT_EQ(older.ends(HookPoint::Prerouting, syn()), std::vector<End>{End::Drop});
}

TEST(Netfilter, WhatWasDeletedMayHaveBroughtConntrack) {
  TestRules rules;
  rules.base("pre", kAtPrerouting, -200);
  rules.handle++;  // of a rule that is gone
  rules.rule("pre", state(kCtInvalid) + drop());
  EXPECT_EQ(rules.ends(HookPoint::Prerouting, syn()), (std::vector<End>{End::Accept, End::Drop}));
  // The whole ruleset has been loaded anew.
  TestRules again;
  again.network.nft.tables.front().handle = 2;
  again.base("pre", kAtPrerouting, -200);
  again.rule("pre", state(kCtInvalid) + drop());
  EXPECT_EQ(again.ends(HookPoint::Prerouting, syn()), (std::vector<End>{End::Accept, End::Drop}));
}

TEST(Netfilter, AnOrderThatIsNotKnownIsAskedOnlyWhereItMatters) {
  TestRules rules;
  rules.base("a", kAtInput, 0);
  rules.rule("a", {drop()});
  rules.table("u");
  rules.rule("b", {});  // a handle below the chain's: the chain came later than its table
  rules.base("b", kAtInput, 0);
  rules.rule("b", {drop()});
  EXPECT_EQ(rules.ends(HookPoint::Input, syn()), std::vector<End>{End::Drop});
  rules.network.nft.rules.back().expressions = {expression(nft::Reject{.type = 1})};
  EXPECT_EQ(rules.ends(HookPoint::Input, syn()), (std::vector<End>{End::Reject, End::Drop}));
}

TEST(Netfilter, FamiliesSeeTheirOwnPackets) {
  TestRules rules;
  rules.table("four", nft::TableFamily::Ip);
  rules.base("in", kAtInput, 0).accepts = false;
  EXPECT_EQ(rules.end(HookPoint::Input, syn()), End::Drop);
  EXPECT_EQ(rules.end(HookPoint::Input, packet_to(kTcp, "fd00::1", 80)), End::Accept);
}

TEST(Netfilter, ChainsOfADeviceSeeWhatComesInByIt) {
  TestRules rules;
  rules.table("dev", nft::TableFamily::Netdev);
  nft::Chain& chain = rules.base("in", 0, 0);
  chain.accepts = false;
  chain.hook->devices = {"eth1"};
  EXPECT_EQ(rules.end(HookPoint::Ingress, syn()), End::Accept);
  rules.network.nft.chains.back().hook->devices = {"eth0"};
  EXPECT_EQ(rules.end(HookPoint::Ingress, syn()), End::Drop);
}

TEST(Netfilter, WhatCouldNotBeReadMayPassOrDrop) {
  TestRules rules;
  rules.network.unread.emplace_back(host::NetworkFact::Nftables, host::Gap{});
  EXPECT_EQ(rules.ends(HookPoint::Input, syn()), (std::vector<End>{End::Accept, End::Drop}));
}

// Control flow: 3.2.

TEST(Netfilter, AJumpComesBackAGotoDoesNot) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  rules.chain("sub");
  rules.rule("in", {verdict(nft::Verdict::Jump, "sub")});
  rules.rule("in", {drop()});
  EXPECT_EQ(rules.end(HookPoint::Input, syn()), End::Drop);
  rules.network.nft.rules.front().expressions = {verdict(nft::Verdict::Goto, "sub")};
  EXPECT_EQ(rules.end(HookPoint::Input, syn()), End::Accept);
  rules.network.nft.chains.front().accepts = false;
  EXPECT_EQ(rules.end(HookPoint::Input, syn()), End::Drop);
}

TEST(Netfilter, AGotoInsideAJumpReturnsToTheJumpsCaller) {
  TestRules rules;
  rules.base("in", kAtInput, 0).accepts = false;
  rules.chain("middle");
  rules.chain("last");
  rules.rule("in", {verdict(nft::Verdict::Jump, "middle")});
  rules.rule("in", {accept()});
  rules.rule("middle", {verdict(nft::Verdict::Goto, "last")});
  rules.rule("middle", {drop()});
  EXPECT_EQ(rules.end(HookPoint::Input, syn()), End::Accept);
}

TEST(Netfilter, AReturnInTheBaseChainIsThePolicy) {
  TestRules rules;
  rules.base("in", kAtInput, 0).accepts = false;
  rules.rule("in", {verdict(nft::Verdict::Return)});
  rules.rule("in", {accept()});
  EXPECT_EQ(rules.end(HookPoint::Input, syn()), End::Drop);
}

TEST(Netfilter, EffectsBeforeAFailedMatchStay) {
  TestRules rules;
  rules.base("in", kAtInput, 0);
  rules.rule("in", Rules{value(host_number(7)), set_meta(nft::MetaKey::Mark)} +
                       destination_port(1) + accept());
  rules.rule("in", Rules{load_meta(nft::MetaKey::Mark), is(host_number(7))} + drop());
  EXPECT_EQ(rules.end(HookPoint::Input, syn()), End::Drop);
}

}  // namespace
}  // namespace hark::reach
