#include "reach/firewall_rules.h"

#include <gtest/gtest.h>

#include "reach/nft_test_rules.h"

namespace hark::reach {
namespace {

constexpr std::uint32_t kInterval = 0x4;  // NFT_SET_INTERVAL

struct Seen {
  host::Network network = TestWorld().network;
  RuleView of(Rules expressions) {
    nft::Rule rule;
    rule.family = nft::TableFamily::Inet;
    rule.table = "t";
    rule.chain = "in";
    rule.expressions = std::move(expressions);
    return view_of(network, sets_by_name(network.nft), rule);
  }
  void set(const std::string& name, std::uint32_t flags, std::vector<nft::Element> elements) {
    nft::Set set;
    set.family = nft::TableFamily::Inet;
    set.table = "t";
    set.name = name;
    set.flags = flags;
    set.key_length = 2;
    set.elements = std::move(elements);
    network.nft.sets.push_back(std::move(set));
  }
};

nft::Expression accept() {
  return verdict(nft::Verdict::Accept);
}

Rules tcp_port(unsigned port) {
  return {load_meta(nft::MetaKey::L4proto), is(hex_bytes({6})), load_transport(2, 2),
          is(port_bytes(port)), accept()};
}

TEST(FirewallRules, APortThatARuleNames) {
  const RuleView view = Seen().of(tcp_port(8080));
  EXPECT_EQ(view.end, RuleEnd::Accept);
  EXPECT_EQ(view.protocol, Protocol::Tcp);
  ASSERT_EQ(view.named_ports(), 1U);
  EXPECT_EQ(view.ports.front().first, 8080);
  EXPECT_FALSE(view.odd);
  EXPECT_TRUE(view.conditional);
}

TEST(FirewallRules, RangesAndSets) {
  Seen seen;
  const RuleView range =
      seen.of({load_transport(2, 2),
               expression(nft::Range{.from = port_bytes(80), .to = port_bytes(89)}), accept()});
  EXPECT_EQ(range.named_ports(), 10U);
  const RuleView between = seen.of({load_transport(2, 2), is(port_bytes(80), nft::CmpOp::Gte),
                                    is(port_bytes(84), nft::CmpOp::Lte), accept()});
  EXPECT_EQ(between.named_ports(), 5U);
  seen.set("plain", 0, {{.key = port_bytes(22)}, {.key = port_bytes(443)}});
  seen.set("ranges", kInterval,
           {{.key = port_bytes(0), .interval_end = true},
            {.key = port_bytes(22)},
            {.key = port_bytes(24), .interval_end = true}});
  const auto lookup = [](const char* name, bool inverted) {
    return Rules{load_transport(2, 2), expression(nft::Lookup{.set = name, .inverted = inverted}),
                 accept()};
  };
  EXPECT_EQ(seen.of(lookup("plain", false)).named_ports(), 2U);
  EXPECT_EQ(seen.of(lookup("ranges", false)).named_ports(), 2U);
  EXPECT_TRUE(seen.of(lookup("plain", true)).odd);
  EXPECT_TRUE(seen.of(lookup("missing", false)).odd);
}

TEST(FirewallRules, ClientsAndConnectionsAreNotOddButOtherThingsAre) {
  Seen seen;
  // A prefix of eight bits is a load of one byte.
  EXPECT_FALSE(seen.of({load_network(12, 1), is(hex_bytes({10})), accept()}).odd);
  EXPECT_FALSE(seen.of({load_ct(nft::CtKey::State), is(host_number(8)), accept()}).odd);
  EXPECT_TRUE(seen.of({load_network(16, 4), is(hex_bytes({224, 0, 0, 251})), accept()}).odd);
  EXPECT_TRUE(seen.of({load_network(8, 1), is(hex_bytes({255})), accept()}).odd);
  EXPECT_TRUE(seen.of({load_transport(0, 2), is(port_bytes(67)), accept()}).odd);
  EXPECT_TRUE(seen.of({load_meta(nft::MetaKey::Mark), is(host_number(1)), accept()}).odd);
  EXPECT_TRUE(seen.of({load_meta(nft::MetaKey::L4proto), is(hex_bytes({132})), accept()}).odd);
}

TEST(FirewallRules, Loopback) {
  Seen seen;
  host::Link lo;
  lo.index = 1;
  lo.name = "lo";
  lo.flags = 0x9;
  seen.network.links.insert(seen.network.links.begin(), lo);
  using nft::CmpOp;
  EXPECT_TRUE(seen.of({load_meta(nft::MetaKey::Iif), is(host_number(1)), accept()}).from_loopback);
  EXPECT_TRUE(
      seen.of({load_meta(nft::MetaKey::Iifname), is(name_bytes("lo")), accept()}).from_loopback);
  EXPECT_FALSE(seen.of({load_meta(nft::MetaKey::Iif), is(host_number(2)), accept()}).from_loopback);
  EXPECT_FALSE(seen.of({load_meta(nft::MetaKey::Iif), is(host_number(1), CmpOp::Neq), accept()})
                   .from_loopback);
}

TEST(FirewallRules, WithoutAnyCondition) {
  Seen seen;
  EXPECT_FALSE(seen.of({expression(nft::Counter{}), verdict(nft::Verdict::Drop)}).conditional);
  EXPECT_TRUE(seen.of({expression(nft::Limit{}), verdict(nft::Verdict::Drop)}).conditional);
  EXPECT_TRUE(seen.of({expression(nft::Unknown{}), verdict(nft::Verdict::Drop)}).conditional);
  EXPECT_EQ(seen.of({expression(nft::Reject{})}).end, RuleEnd::Reject);
  EXPECT_EQ(seen.of({expression(nft::Nat{.destination = true})}).end, RuleEnd::Dnat);
}

TEST(FirewallRules, ChainsThatAHookLeadsTo) {
  TestWorld world;
  const auto chain = [&](const char* name, std::optional<nft::Hook> hook) {
    nft::Chain out;
    out.family = nft::TableFamily::Inet;
    out.table = "t";
    out.name = name;
    out.hook = std::move(hook);
    if (out.hook) out.type = "filter";
    world.network.nft.chains.push_back(std::move(out));
  };
  const auto rule = [&](const char* name, Rules expressions) {
    nft::Rule out;
    out.family = nft::TableFamily::Inet;
    out.table = "t";
    out.chain = name;
    out.handle = 7;
    out.expressions = std::move(expressions);
    world.network.nft.rules.push_back(std::move(out));
  };
  chain("in", nft::Hook{.number = kHookInput, .devices = {}});
  chain("out", nft::Hook{.number = 3, .devices = {}});
  chain("a", {});
  chain("b", {});
  chain("nobody", {});
  rule("in", {verdict(nft::Verdict::Jump, "a")});
  rule("a", {verdict(nft::Verdict::Goto, "b")});
  rule("b", {verdict(nft::Verdict::Jump, "a")});  // the kernel refuses that; a recording may not
  const FirewallRules rules(world.network);
  std::string names;
  for (const ChainView* one : rules.at_hook(kHookInput, "filter")) names += one->name + " ";
  EXPECT_EQ(names, "in a b ");
  EXPECT_TRUE(rules.at_hook(kHookForward, "filter").empty());
  const ChainView& in = *rules.at_hook(kHookInput, "filter").front();
  EXPECT_EQ(words_of(rules.place(in, 0)), "inet t in handle 7");
}

}  // namespace
}  // namespace hark::reach
