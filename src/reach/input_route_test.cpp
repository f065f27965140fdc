// One test for each row of what can happen to a packet that came in.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "reach/routing_testing.h"

namespace hark::reach {
namespace {

using testing::ip;
using testing::kEth0;
using testing::kEth1;
using testing::net;
using testing::SmallHost;
using To = RouteIn::To;

void expect_drop(const RouteIn& got, const std::string& code) {
  EXPECT_EQ(got.to, To::Drop);
  EXPECT_EQ(got.cause.code, code);
  EXPECT_FALSE(got.cause.text.empty());
  EXPECT_FALSE(got.cause.evidence.empty());
  for (const Evidence& piece : got.cause.evidence) {
    EXPECT_FALSE(piece.fact.empty());
    EXPECT_FALSE(piece.verify.empty());
  }
}

void expect_reject(const RouteIn& got, const std::string& code, int type, int icmp_code) {
  EXPECT_EQ(got.to, To::Reject);
  EXPECT_EQ(got.cause.code, code);
  EXPECT_EQ(got.icmp_type, type);
  EXPECT_EQ(got.icmp_code, icmp_code);
}

/// The same question with the cause waived no longer has it.
void expect_waivable(SmallHost& host, const Flow& flow, To then) {
  const RouteIn before = host.in(flow);
  host.waived = {before.cause.code};
  const RouteIn after = host.in(flow);
  EXPECT_EQ(after.to, then) << before.cause.code << " then " << after.cause.code;
  EXPECT_NE(after.cause.code, before.cause.code);
}

TEST(InputRoute, OwnAddressIsDelivered) {
  SmallHost host;
  const RouteIn got = host.in("10.9.0.2", "10.1.0.1");
  EXPECT_EQ(got.to, To::Local);
  EXPECT_FALSE(got.broadcast);
  EXPECT_EQ(got.fib.type, fib::kLocal);
}

TEST(InputRoute, AnAddressOfAnotherLinkIsDeliveredToo) {
  SmallHost host;
  EXPECT_EQ(host.in("10.9.0.2", "10.2.0.1").to, To::Local);
}

TEST(InputRoute, NoIpv4OnTheLink) {
  SmallHost host;
  host.eth0().ipv4.reset();
  expect_drop(host.in("10.9.0.2", "10.1.0.1"), "no-in-dev");
  expect_waivable(host, SmallHost::flow("10.9.0.2", "10.1.0.1", kEth0), To::Local);
}

TEST(InputRoute, SourceThatIsNoHost) {
  for (const char* source : {"224.0.0.5", "255.255.255.255"}) {
    SmallHost host;
    expect_drop(host.in(source, "10.1.0.1"), "src-mcast-or-bcast");
    expect_waivable(host, SmallHost::flow(source, "10.1.0.1", kEth0), To::Local);
  }
}

TEST(InputRoute, ZeroSourceAndDestination) {
  SmallHost host;
  expect_drop(host.in("0.0.0.0", "10.1.0.1"), "zero-src");
  expect_drop(host.in("10.9.0.2", "0.0.0.0"), "zero-dst");
  EXPECT_EQ(host.in("0.0.0.1", "10.1.0.1").to, To::Local);
  EXPECT_EQ(host.in("240.0.0.1", "10.1.0.1").to, To::Local);
  const RouteIn both = host.in("0.0.0.0", "0.0.0.0");
  EXPECT_EQ(both.to, To::Local);
  EXPECT_TRUE(both.broadcast);
}

TEST(InputRoute, LoopbackFromTheWire) {
  SmallHost host;
  expect_drop(host.in("10.9.0.2", "127.0.0.1"), "loopback-dst");
  expect_drop(host.in("127.0.0.5", "10.1.0.1"), "loopback-src");
  host.eth0().ipv4->route_localnet = 1;
  EXPECT_EQ(host.in("10.9.0.2", "127.0.0.1").to, To::Local);
  host.eth0().ipv4->route_localnet = 0;
  host.network.settings.ipv4_all.route_localnet = 1;
  EXPECT_EQ(host.in("10.9.0.2", "127.0.0.1").to, To::Local);
}

TEST(InputRoute, RuleThatRefusesWithoutForwardingIsSilent) {
  for (const auto& [action, code] : {std::pair{fib::kRuleProhibit, "rule-prohibit"},
                                     std::pair{fib::kRuleUnreachable, "rule-unreachable"},
                                     std::pair{fib::kRuleBlackhole, "rule-blackhole"}}) {
    SmallHost host;
    host.rule(0, action).source = net("10.9.0.0/16");
    expect_drop(host.in("10.9.0.2", "10.1.0.1"), code);
    EXPECT_EQ(host.in("10.8.0.2", "10.1.0.1").to, To::Local);
    expect_waivable(host, SmallHost::flow("10.9.0.2", "10.1.0.1", kEth0), To::Local);
  }
}

TEST(InputRoute, RuleThatRefusesWithForwardingSendsIcmp) {
  SmallHost host;
  host.eth0().ipv4->forwarding = 1;
  host::PolicyRule& rule = host.rule(0, fib::kRuleProhibit);
  expect_reject(host.in("10.9.0.2", "10.1.0.1"), "rule-prohibit", 3, 13);
  rule.action = fib::kRuleUnreachable;
  expect_reject(host.in("10.9.0.2", "10.1.0.1"), "rule-unreachable", 3, 0);
  rule.action = fib::kRuleBlackhole;
  expect_drop(host.in("10.9.0.2", "10.1.0.1"), "rule-blackhole");
}

TEST(InputRoute, RouteThatRefuses) {
  SmallHost host;
  host.eth0().ipv4->forwarding = 1;
  host.route("10.7.0.0/16", 0, fib::kTableMain, fib::kUnreachable);
  host.route("10.6.0.0/16", 0, fib::kTableMain, fib::kProhibit);
  host.route("10.5.0.0/16", 0, fib::kTableMain, fib::kBlackhole);
  expect_reject(host.in("10.9.0.2", "10.7.0.1"), "rule-unreachable", 3, 1);
  expect_reject(host.in("10.9.0.2", "10.6.0.1"), "rule-prohibit", 3, 13);
  expect_drop(host.in("10.9.0.2", "10.5.0.1"), "rule-blackhole");
  // Without it the default route counts.
  expect_waivable(host, SmallHost::flow("10.9.0.2", "10.6.0.1", kEth0), To::Forward);
}

TEST(InputRoute, LocalRouteDeleted) {
  SmallHost host;
  std::erase_if(host.network.routes, [](const host::Route& route) {
    return route.type == fib::kLocal && route.destination == net("10.1.0.1/32");
  });
  expect_drop(host.in("10.9.0.2", "10.1.0.1"), "local-route-missing");
  expect_waivable(host, SmallHost::flow("10.9.0.2", "10.1.0.1", kEth0), To::Local);
}

TEST(InputRoute, LocalRouteHiddenByARule) {
  SmallHost host;
  host.route("0.0.0.0/0", kEth1, 7);
  host.rule(0, fib::kToTable, 7);
  expect_drop(host.in("10.9.0.2", "10.1.0.1"), "local-route-missing");
}

TEST(InputRoute, ThrowGoesOnWithTheNextRule) {
  SmallHost host;
  host.route("10.1.0.0/24", 0, 7, fib::kThrow);
  host.rule(0, fib::kToTable, 7);
  EXPECT_EQ(host.in("10.9.0.2", "10.1.0.1").to, To::Local);
}

TEST(InputRoute, BroadcastIsLocal) {
  SmallHost host;
  for (const char* to : {"10.1.0.255", "255.255.255.255"}) {
    const RouteIn got = host.in("10.1.0.7", to);
    EXPECT_EQ(got.to, To::Local);
    EXPECT_TRUE(got.broadcast);
  }
}

TEST(InputRoute, MulticastDependsOnMembership) {
  SmallHost host;
  EXPECT_TRUE(host.in("10.9.0.2", "224.0.0.1").broadcast);
  EXPECT_TRUE(host.choices.taken().empty());
  EXPECT_EQ(host.in("10.9.0.2", "239.1.1.1").to, To::Local);
  ASSERT_EQ(host.choices.taken().size(), 1U);
  EXPECT_EQ(host.choices.taken()[0].condition.doubt, Doubt::Unread);
}

TEST(InputRoute, StrictReversePathFilter) {
  SmallHost host;
  host.eth1().ipv4->rp_filter = 1;
  expect_drop(host.in("10.9.0.2", "10.1.0.1", kEth1), "rp-filter-strict");
  EXPECT_EQ(host.in("10.2.0.9", "10.1.0.1", kEth1).to, To::Local);
  EXPECT_EQ(host.in("10.9.0.2", "10.1.0.1", kEth0).to, To::Local);
  expect_waivable(host, SmallHost::flow("10.9.0.2", "10.1.0.1", kEth1), To::Local);
}

TEST(InputRoute, TheGreaterOfAllAndLinkCounts) {
  SmallHost host;
  host.network.settings.ipv4_all.rp_filter = 1;
  const RouteIn got = host.in("10.9.0.2", "10.1.0.1", kEth1);
  expect_drop(got, "rp-filter-strict");
  EXPECT_EQ(got.cause.evidence[0].fact, "net.ipv4.conf.all.rp_filter = 1");
  host.eth1().ipv4->rp_filter = 2;
  EXPECT_EQ(host.in("10.9.0.2", "10.1.0.1", kEth1).to, To::Local);
}

TEST(InputRoute, LooseReversePathFilterWantsAnyRoute) {
  SmallHost host;
  host.eth1().ipv4->rp_filter = 2;
  EXPECT_EQ(host.in("10.9.0.2", "10.1.0.1", kEth1).to, To::Local);
  std::erase_if(host.network.routes,
                [](const host::Route& route) { return route.destination.length == 0; });
  expect_drop(host.in("10.9.0.2", "10.1.0.1", kEth1), "rp-filter-loose");
}

TEST(InputRoute, ReverseLookupIsOfPacketsMadeHere) {
  SmallHost host;
  host.eth1().ipv4->rp_filter = 1;
  host.route("0.0.0.0/0", kEth1, 7);
  host.rule(100, fib::kToTable, 7).iif = "lo";
  EXPECT_EQ(host.in("10.9.0.2", "10.1.0.1", kEth1).to, To::Local);
}

TEST(InputRoute, PortsOfTheReverseLookupAreKnownOnlyIfARuleOfPacketsAsks) {
  SmallHost host;
  host.eth1().ipv4->rp_filter = 1;
  host.route("0.0.0.0/0", kEth1, 7);
  host::PolicyRule& rule = host.rule(100, fib::kToTable, 7);
  rule.iif = "lo";
  rule.source_ports = decode::PortRange{80, 80};
  expect_drop(host.in("10.9.0.2", "10.1.0.1", kEth1), "rp-filter-strict");
  host.rule(200, fib::kNop).protocol = kUdp;
  EXPECT_EQ(host.in("10.9.0.2", "10.1.0.1", kEth1).to, To::Local);
}

TEST(InputRoute, MarkCountsInTheReverseLookupIfAsked) {
  SmallHost host;
  host.eth1().ipv4->rp_filter = 1;
  host.route("0.0.0.0/0", kEth1, 7);
  host::PolicyRule& rule = host.rule(100, fib::kToTable, 7);
  rule.mark = 5;
  rule.mask = 0xff;
  Flow flow = SmallHost::flow("10.9.0.2", "10.1.0.1", kEth1);
  flow.mark = 5;
  expect_drop(host.in(flow), "rp-filter-strict");
  host.eth1().ipv4->src_valid_mark = 1;
  EXPECT_EQ(host.in(flow).to, To::Local);
}

TEST(InputRoute, OwnAddressAsSource) {
  SmallHost host;
  expect_drop(host.in("10.2.0.1", "10.1.0.1"), "src-is-local");
  expect_waivable(host, SmallHost::flow("10.2.0.1", "10.1.0.1", kEth0), To::Local);
  host.waived.clear();
  host.eth0().ipv4->accept_local = 1;
  EXPECT_EQ(host.in("10.2.0.1", "10.1.0.1").to, To::Local);
}

TEST(InputRoute, BroadcastAsSourceIsSeenOnlyInTheFullCheck) {
  SmallHost host;
  host.rule(100, fib::kToTable, 7);
  expect_drop(host.in("10.2.0.255", "10.1.0.1"), "src-mcast-or-bcast");
  SmallHost plain;
  EXPECT_EQ(plain.in("10.2.0.255", "10.1.0.1").to, To::Local);
  ASSERT_EQ(plain.choices.taken().size(), 1U);
  EXPECT_EQ(plain.choices.taken()[0].condition.code, "rules-once-changed");
  plain.choices = {};
  plain.network.rules_never_changed = true;
  EXPECT_EQ(plain.in("10.2.0.255", "10.1.0.1").to, To::Local);
  plain.network.rules_never_changed = false;
  expect_drop(plain.in("10.2.0.255", "10.1.0.1"), "src-mcast-or-bcast");
  EXPECT_TRUE(plain.choices.taken().empty());
}

TEST(InputRoute, NotLocal) {
  SmallHost host;
  expect_drop(host.in("10.9.0.2", "10.2.0.77"), "not-local");
  expect_waivable(host, SmallHost::flow("10.9.0.2", "10.2.0.77", kEth0), To::Forward);
  host.waived.clear();
  host.eth0().ipv4->forwarding = 1;
  const RouteIn got = host.in("10.9.0.2", "10.2.0.77");
  EXPECT_EQ(got.to, To::Forward);
  EXPECT_EQ(got.fib.link, kEth1);
}

TEST(InputRoute, ForwardWithoutARoute) {
  SmallHost host;
  host.eth0().ipv4->forwarding = 1;
  std::erase_if(host.network.routes,
                [](const host::Route& route) { return route.destination.length == 0; });
  expect_reject(host.in("10.9.0.2", "10.77.0.1"), "forward-no-route", 3, 0);
  ASSERT_EQ(host.assumptions.size(), 1U);
}

TEST(InputRoute, Multipath) {
  SmallHost host;
  host.eth0().ipv4->forwarding = 1;
  host::Route& route = host.route("10.7.0.0/16", kEth0);
  route.hops = {{.link = kEth0, .gateway = ip("10.1.0.9")},
                {.link = kEth1, .gateway = ip("10.2.0.9")},
                {.link = kEth1, .gateway = ip("10.2.0.8"), .flags = fib::kHopDead}};
  EXPECT_EQ(host.in("10.9.0.2", "10.7.0.1").fib.link, kEth0);
  ASSERT_EQ(host.choices.taken().size(), 1U);
  EXPECT_EQ(host.choices.taken()[0].condition.code, "multipath");
  EXPECT_EQ(host.choices.taken()[0].ways, 2U);
  ASSERT_TRUE(host.choices.next());
  EXPECT_EQ(host.in("10.9.0.2", "10.7.0.1").fib.link, kEth1);
}

TEST(InputRoute, LinkDownRoutesAreUsedUnlessToldOtherwise) {
  SmallHost host;
  host.eth0().ipv4->forwarding = 1;
  host.route("10.7.0.0/16", kEth1).hops[0].flags = fib::kHopLinkDown;
  EXPECT_EQ(host.in("10.9.0.2", "10.7.0.1").fib.link, kEth1);
  host.eth1().ipv4->ignore_routes_with_linkdown = 1;
  EXPECT_EQ(host.in("10.9.0.2", "10.7.0.1").fib.link, kEth0);
}

TEST(InputRoute, VrfPicksTheTable) {
  SmallHost host;
  host::Link vrf = host.eth0();
  vrf.index = 4;
  vrf.name = "red";
  vrf.kind = "vrf";
  vrf.vrf_table = 10;
  host.network.links.push_back(vrf);
  host.eth0().master = 4;
  host.route("10.3.0.1/32", kEth0, 10, fib::kLocal);
  host.rule(1000, fib::kToTable).l3mdev = true;
  EXPECT_EQ(host.in("10.9.0.2", "10.3.0.1", kEth0).to, To::Local);
  EXPECT_EQ(host.in("10.9.0.2", "10.3.0.1", kEth1).to, To::Drop);
}

TEST(InputRoute, WhatWasNotReadIsNotGuessed) {
  SmallHost host;
  host.network.unread.emplace_back(host::NetworkFact::Routes,
                                   host::Gap{"routes", "no routes", "", ""});
  EXPECT_EQ(host.in("10.9.0.2", "10.1.0.1").to, To::Local);
  ASSERT_EQ(host.choices.taken().size(), 1U);
  EXPECT_EQ(host.choices.taken()[0].condition.doubt, Doubt::Unread);
  ASSERT_TRUE(host.choices.next());
  EXPECT_EQ(host.in("10.9.0.2", "10.1.0.1").to, To::Drop);
}

TEST(InputRoute6, OwnAddressIsDelivered) {
  SmallHost host;
  EXPECT_EQ(host.in("fd09::2", "fd01::1").to, To::Local);
  EXPECT_EQ(host.in("::", "fd01::1").to, To::Local);
  EXPECT_EQ(host.in("fd09::2", "fd02::1").to, To::Local);
}

TEST(InputRoute6, SourcesThatAreDropped) {
  SmallHost host;
  expect_drop(host.in("::1", "fd01::1"), "loopback-src");
  expect_drop(host.in("fd09::2", "::1"), "loopback-dst");
  expect_drop(host.in("ff02::5", "fd01::1"), "src-mcast-or-bcast");
  EXPECT_EQ(host.in("::1", "::1", 1).to, To::Local);
}

TEST(InputRoute6, Disabled) {
  SmallHost host;
  host.eth0().ipv6->disable_ipv6 = 1;
  expect_drop(host.in("fd09::2", "fd01::1"), "v6-disabled");
}

TEST(InputRoute6, RefusalsSendIcmpEvenWithoutForwarding) {
  SmallHost host;
  host::PolicyRule& rule = host.rule(0, fib::kRuleProhibit, 0, Family::Inet6);
  expect_reject(host.in("fd09::2", "fd01::1"), "rule-prohibit", 1, 1);
  rule.action = fib::kRuleUnreachable;
  expect_reject(host.in("fd09::2", "fd01::1"), "rule-unreachable", 1, 0);
  expect_drop(host.in("::", "fd01::1"), "rule-unreachable");
  rule.action = fib::kRuleBlackhole;
  expect_drop(host.in("fd09::2", "fd01::1"), "rule-blackhole");
}

TEST(InputRoute6, NotLocalAndNoRoute) {
  SmallHost host;
  expect_drop(host.in("fd09::2", "fd02::7"), "not-local");
  expect_reject(host.in("fd09::2", "fd77::7"), "forward-no-route", 1, 0);
  host.network.settings.ipv6_all.forwarding = 1;
  EXPECT_EQ(host.in("fd09::2", "fd02::7").to, To::Forward);
  expect_reject(host.in("fe80::2", "fd02::7"), "src-link-local", 1, 2);
  host.network.settings.ipv6_all.forwarding = 0;
  host.eth0().ipv6->force_forwarding = 1;
  EXPECT_EQ(host.in("fd09::2", "fd02::7").to, To::Forward);
}

TEST(InputRoute6, TentativeAddressHasNoRoute) {
  SmallHost host;
  host.network.addresses[4].flags = fib::kAddressTentative;
  std::erase_if(host.network.routes, [](const host::Route& route) {
    return route.type == fib::kLocal && route.destination == net("fd01::1/128");
  });
  expect_drop(host.in("fd09::2", "fd01::1"), "v6-tentative");
}

TEST(InputRoute6, LinkLocalAddressesCountOnTheirLink) {
  SmallHost host;
  host.route("fe80::1/128", kEth0, fib::kTableLocal, fib::kLocal);
  EXPECT_EQ(host.in("fe80::2", "fe80::1", kEth0).to, To::Local);
  EXPECT_NE(host.in("fe80::2", "fe80::1", kEth1).to, To::Local);
}

TEST(InputRoute6, GroupsOfTheHostItself) {
  SmallHost host;
  EXPECT_TRUE(host.in("fe80::2", "ff02::1").broadcast);
  EXPECT_TRUE(host.in("fe80::2", "ff02::1:ff00:1").broadcast);
  EXPECT_TRUE(host.choices.taken().empty());
}

}  // namespace
}  // namespace hark::reach
