// Packets made here, tables and rules, source addresses, neighbours.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "reach/routing_index.h"
#include "reach/routing_testing.h"

namespace hark::reach {
namespace {

using testing::ip;
using testing::kEth0;
using testing::kEth1;
using testing::net;
using testing::SmallHost;

TEST(OutputRoute, SourceGatewayAndLinkOfARoute) {
  SmallHost host;
  const RouteOut got = host.out("10.9.0.2");
  ASSERT_TRUE(got.ok);
  EXPECT_EQ(got.fib.link, kEth0);
  EXPECT_EQ(got.fib.gateway, ip("10.1.0.254"));
  EXPECT_EQ(got.source, ip("10.1.0.1"));
  EXPECT_EQ(host.out("10.2.0.9").source, ip("10.2.0.1"));
}

TEST(OutputRoute, ToItself) {
  SmallHost host;
  const RouteOut got = host.out("10.2.0.1");
  ASSERT_TRUE(got.ok);
  EXPECT_EQ(got.fib.link, 1U);
  EXPECT_EQ(got.source, ip("10.2.0.1"));
}

TEST(OutputRoute, RefusalsGiveTheirErrno) {
  for (const auto& [type, error] :
       {std::pair{fib::kUnreachable, EHOSTUNREACH}, std::pair{fib::kProhibit, EACCES},
        std::pair{fib::kBlackhole, EINVAL}}) {
    SmallHost host;
    host.route("10.7.0.0/16", 0, fib::kTableMain, type);
    const RouteOut got = host.out("10.7.0.1");
    EXPECT_FALSE(got.ok);
    EXPECT_EQ(got.error, error);
    EXPECT_EQ(got.cause.code, "no-route-back");
    EXPECT_FALSE(got.cause.evidence.empty());
  }
  SmallHost host;
  host.rule(10, fib::kRuleUnreachable);
  EXPECT_EQ(host.out("10.9.0.2").error, ENETUNREACH);
}

TEST(OutputRoute, NoRoute) {
  SmallHost host;
  std::erase_if(host.network.routes,
                [](const host::Route& route) { return route.destination.length == 0; });
  EXPECT_EQ(host.out("10.9.0.2").error, ENETUNREACH);
  // With a link asked for, anything is on it.
  const RouteOut bound = host.out("10.9.0.2", "", kEth1);
  ASSERT_TRUE(bound.ok);
  EXPECT_EQ(bound.fib.link, kEth1);
  EXPECT_EQ(bound.source, ip("10.2.0.1"));
}

TEST(OutputRoute, ForeignSourceIsRefused) {
  SmallHost host;
  EXPECT_EQ(host.out("10.9.0.2", "10.9.0.9").error, ENETUNREACH);
  EXPECT_EQ(host.out("10.9.0.2", "224.0.0.1").error, EINVAL);
  EXPECT_EQ(host.out("10.9.0.2", "127.0.0.1").error, EINVAL);
  EXPECT_TRUE(host.out("10.9.0.2", "10.2.0.1").ok);
  Flow flow = SmallHost::flow("10.9.0.9", "10.9.0.2", 0);
  flow.transparent = true;
  World world = host.world();
  EXPECT_TRUE(route_output(world, flow).ok);
}

TEST(OutputRoute, LocalRoutesOutliveTheirLink) {
  SmallHost host;
  host.eth1().flags &= ~fib::kLinkUp;
  EXPECT_EQ(host.in("10.9.0.2", "10.2.0.1").to, RouteIn::To::Local);
  EXPECT_EQ(host.out("10.2.0.1").fib.link, 1U);
}

TEST(OutputRoute, UntilARuleIsAddedMainHidesLocalSourcesToo) {
  SmallHost host;
  host.route("10.8.0.0/16", 1, fib::kTableLocal, fib::kLocal);
  EXPECT_TRUE(host.out("10.9.0.2", "10.8.1.1").ok);
  host.route("10.8.1.0/24", kEth1);
  EXPECT_EQ(host.out("10.9.0.2", "10.8.1.1").error, ENETUNREACH);
  host.rule(10, fib::kNop);
  host.choices = {};
  EXPECT_TRUE(host.out("10.9.0.2", "10.8.1.1").ok);
}

TEST(OutputRoute, AGroupWithoutAnAddressOnItsLinkTakesTheRoutesSource) {
  SmallHost host;
  host.network.addresses.clear();
  host.add_address(kEth1, "10.2.0.1", "10.2.0.0/24", fib::kScopeLink);
  host.route("239.0.0.0/8", kEth1, fib::kTableMain, fib::kMulticast).scope = fib::kScopeLink;
  EXPECT_EQ(host.out("239.1.2.3", "", kEth1).source, ip("10.2.0.1"));
}

TEST(OutputRoute, RulesOfUserMarkAndPorts) {
  SmallHost host;
  host.route("0.0.0.0/0", kEth1, 7);
  host::PolicyRule& rule = host.rule(10, fib::kToTable, 7);
  Flow flow = SmallHost::flow("10.1.0.1", "10.9.0.2", 0);
  const auto link = [&] {
    World world = host.world();
    return route_output(world, flow).fib.link;
  };
  rule.first_uid = 1000;
  rule.last_uid = 1001;
  EXPECT_EQ(link(), kEth0);
  flow.uid = 1001;
  EXPECT_EQ(link(), kEth1);
  rule.mark = 0x10;
  rule.mask = 0xf0;
  EXPECT_EQ(link(), kEth0);
  flow.mark = 0x13;
  EXPECT_EQ(link(), kEth1);
  rule.source_ports = decode::PortRange{1, 100};
  EXPECT_EQ(link(), kEth0);
  rule.inverted = true;
  EXPECT_EQ(link(), kEth1);
}

TEST(PolicyRules, GotoNopAndSuppress) {
  SmallHost host;
  host.route("0.0.0.0/0", kEth1, 7);
  host.rule(10, fib::kNop);
  host.rule(20, fib::kGoto).goto_priority = 40;
  host.rule(30, fib::kRuleProhibit);
  host.rule(40, fib::kToTable, 7).suppress_prefix_length = 0;
  EXPECT_EQ(host.out("10.9.0.2").fib.link, kEth0);
  host.rule(50, fib::kToTable, 7).suppress_group = 0;
  EXPECT_EQ(host.out("10.9.0.2").fib.link, kEth0);
  host.rule(60, fib::kToTable, 7);
  EXPECT_EQ(host.out("10.9.0.2").fib.link, kEth1);
}

TEST(PolicyRules, AGotoThatLeadsNowhereDoesNothing) {
  SmallHost host;
  host.rule(20, fib::kGoto).goto_priority = 40;
  EXPECT_TRUE(host.out("10.9.0.2").ok);
}

TEST(PolicyRules, UntilOneIsAddedTheLongestPrefixOfLocalAndMainCounts) {
  SmallHost host;
  host.route("127.5.0.0/16", kEth1);
  const RouteOut never = host.out("127.5.0.1");
  EXPECT_EQ(never.fib.link, kEth1);
  ASSERT_TRUE(host.choices.next());
  EXPECT_EQ(host.out("127.5.0.1").fib.link, 1U);
  host.rule(10, fib::kNop);
  host.choices = {};
  EXPECT_EQ(host.out("127.5.0.1").fib.link, 1U);
  EXPECT_TRUE(host.choices.taken().empty());
}

TEST(PolicyRules, OfIpv6TheChosenHopsGroupCounts) {
  SmallHost host;
  host.eth0().group = 1;
  host.route("fd77::/64", kEth0, 7).hops = {{.link = kEth0, .gateway = ip("fd01::f")},
                                            {.link = kEth1, .gateway = ip("fd02::f")}};
  host.route("::/0", kEth0).metric = 9;
  host.rule(10, fib::kToTable, 7, Family::Inet6).suppress_group = 1;
  const RouteOut first = host.out("fd77::1", "fd01::1");
  EXPECT_EQ(first.fib.route->destination.length, 0);
  ASSERT_TRUE(host.choices.next());
  const RouteOut second = host.out("fd77::1", "fd01::1");
  EXPECT_EQ(second.fib.link, kEth1);
  EXPECT_FALSE(host.choices.next());
}

TEST(Tables, TosAndMetric) {
  SmallHost host;
  host.route("10.7.0.0/16", kEth1).metric = 5;
  host.route("10.7.0.0/16", kEth0).metric = 9;
  host.route("10.7.0.0/16", kEth0).tos = 0x10;
  EXPECT_EQ(host.out("10.7.0.1").fib.link, kEth1);
  Flow flow = SmallHost::flow("10.1.0.1", "10.7.0.1", 0);
  flow.tos = 0x10;
  World world = host.world();
  EXPECT_EQ(route_output(world, flow).fib.link, kEth0);
}

TEST(Tables, IndexAndScanAgree) {
  SmallHost host;
  for (unsigned i = 0; i < 256; ++i) {
    for (const int length : {8, 12, 20, 24, 32}) {
      const std::string text = std::to_string(i) + "." + std::to_string(i * 7 % 256) + ".3.9/";
      host.route(text + std::to_string(length), i % 2 == 0 ? kEth0 : kEth1, 250 + i % 6);
    }
    host.route("fd00:" + std::to_string(i) + "::/" + std::to_string(i % 100), kEth0, 250 + i % 6);
  }
  const RoutingIndex index(host.network);
  for (unsigned i = 0; i < 256; ++i) {
    const std::string v4 = std::to_string(i) + "." + std::to_string(i * 7 % 256) + ".3.9";
    for (const IpAddress& address : {ip(v4), ip("fd00:" + std::to_string(i) + "::1")}) {
      for (std::uint32_t table = 250; table < 256; ++table) {
        EXPECT_EQ(index.matching(table, address),
                  matching_routes(host.network, nullptr, table, address));
      }
    }
  }
}

TEST(Tables6, SourceSpecificRoutes) {
  SmallHost host;
  host.route("::/0", kEth0).hops[0].gateway = ip("fd01::f");
  host::Route& special = host.route("::/0", kEth1);
  special.source = net("fd02::/64");
  EXPECT_EQ(host.out("fd77::1", "fd01::1").fib.link, kEth0);
  EXPECT_EQ(host.out("fd77::1", "fd02::1").fib.link, kEth1);
}

TEST(Tables6, GatewayThatFailedIsAvoidedByHostsAlone) {
  SmallHost host;
  host.route("::/0", kEth0).hops[0].gateway = ip("fd01::f");
  host.route("::/0", kEth1).hops[0].gateway = ip("fd02::f");
  host.network.neighbours.push_back(
      {.link = kEth0, .address = ip("fd01::f"), .state = fib::kNeighbourFailed});
  EXPECT_EQ(host.out("fd77::1", "fd01::1").fib.link, kEth1);
  host.network.settings.ipv6_all.forwarding = 1;
  EXPECT_EQ(host.out("fd77::1", "fd01::1").fib.link, kEth0);
}

TEST(OutputRoute6, RefusalsAndSources) {
  SmallHost host;
  EXPECT_EQ(host.out("fd77::1").error, ENETUNREACH);
  host.route("fd07::/16", 1, fib::kTableMain, fib::kProhibit);
  EXPECT_EQ(host.out("fd07::1").error, EACCES);
  EXPECT_EQ(host.out("fd02::9").source, ip("fd02::1"));
  EXPECT_EQ(host.out("fd02::1").fib.link, 1U);
  host.route("fe80::/64", kEth1);
  EXPECT_TRUE(host.out("fe80::9", "fd02::1", kEth1).ok);
  EXPECT_FALSE(host.out("fe80::9", "fd02::1", kEth0).ok);
}

TEST(OutputRoute6, AnAnycastRouteOfAUsersIsALinksOwn) {
  SmallHost host;
  host::Route& route = host.route("fd05::/64", kEth1, fib::kTableMain, fib::kAnycast);
  EXPECT_EQ(host.out("fd05::1").fib.link, kEth1);
  route.protocol = fib::kProtocolKernel;
  EXPECT_EQ(host.out("fd05::1").fib.link, 1U);
}

TEST(OutputRoute6, WithoutALinkAnyHopServesALinkLocalAddress) {
  SmallHost host;
  host.route("fe80::/10", kEth0).hops = {{.link = kEth0, .gateway = ip("fd01::f")},
                                         {.link = kEth1, .gateway = ip("fd02::f")}};
  EXPECT_EQ(host.out("fe80::9", "fd01::1").fib.link, kEth0);
  ASSERT_TRUE(host.choices.next());
  EXPECT_EQ(host.out("fe80::9", "fd01::1").fib.link, kEth1);
}

TEST(SourceAddress6, FollowsTheRules) {
  SmallHost host;
  const auto chosen = [&host](const char* to, std::uint32_t link) {
    return fib::select_source6(host.network, link, ip(to))->text();
  };
  EXPECT_EQ(chosen("fd01::1", kEth1), "fd01::1");  // the same address
  EXPECT_EQ(chosen("fd77::1", kEth1), "fd02::1");  // of the link
  host.add_address(kEth1, "2001:db8::1", "2001:db8::/64");
  EXPECT_EQ(chosen("2001:db8:9::1", kEth1), "2001:db8::1");  // label, prefix
  EXPECT_EQ(chosen("fd77::1", kEth1), "fd02::1");
  host.network.addresses.back().flags = fib::kAddressDeprecated;
  EXPECT_EQ(chosen("2001:db8:9::1", kEth1), "fd02::1");
  host.add_address(kEth1, "fe80::5", "fe80::/64", fib::kScopeLink);
  EXPECT_EQ(chosen("fe80::9", kEth1), "fe80::5");
  EXPECT_EQ(chosen("ff02::1", kEth1), "fe80::5");
}

TEST(AddressType, AsTheLocalTableSays) {
  const SmallHost host;
  EXPECT_EQ(address_type(host.network, ip("10.1.0.1")), fib::kLocal);
  EXPECT_EQ(address_type(host.network, ip("10.1.0.1"), kEth0), fib::kLocal);
  EXPECT_EQ(address_type(host.network, ip("10.1.0.1"), kEth1), fib::kUnicast);
  EXPECT_EQ(address_type(host.network, ip("10.1.0.255")), fib::kBroadcast);
  EXPECT_EQ(address_type(host.network, ip("10.9.0.1")), fib::kUnicast);
  EXPECT_EQ(address_type(host.network, ip("224.0.0.1")), fib::kMulticast);
  EXPECT_EQ(address_type(host.network, ip("0.0.0.0")), fib::kBroadcast);
  EXPECT_TRUE(is_own_address(host.network, ip("127.9.9.9")));
  EXPECT_TRUE(is_own_address(host.network, ip("fd01::1")));
  EXPECT_FALSE(is_own_address(host.network, ip("fd01::2")));
  EXPECT_TRUE(on_link(host.network, kEth0, ip("10.1.0.77")));
  EXPECT_FALSE(on_link(host.network, kEth0, ip("10.2.0.77")));
}

struct Neighbours : ::testing::Test {
  SmallHost host;
  std::string code(const char* asker, const char* target, std::uint32_t link = kEth0) {
    World world = host.world();
    const auto cause = answers_neighbour(world, link, ip(asker), ip(target));
    return cause ? cause->code : "answers";
  }
};

TEST_F(Neighbours, OwnAddressesOfAnyLinkAreAnswered) {
  EXPECT_EQ(code("10.1.0.9", "10.1.0.1"), "answers");
  EXPECT_EQ(code("10.1.0.9", "10.2.0.1"), "answers");
  EXPECT_EQ(code("0.0.0.0", "10.1.0.1"), "answers");
  EXPECT_EQ(code("10.1.0.9", "10.1.0.5"), "addr-absent");
  EXPECT_EQ(code("0.0.0.0", "10.1.0.5"), "addr-absent");
}

TEST_F(Neighbours, ArpIgnore) {
  host.network.settings.ipv4_all.arp_ignore = 1;
  EXPECT_EQ(code("10.1.0.9", "10.1.0.1"), "answers");
  EXPECT_EQ(code("10.1.0.9", "10.2.0.1"), "arp-suppressed");
  host.eth0().ipv4->arp_ignore = 2;
  EXPECT_EQ(code("10.1.0.9", "10.1.0.1"), "answers");
  EXPECT_EQ(code("10.9.0.9", "10.1.0.1"), "arp-suppressed");
  host.eth0().ipv4->arp_ignore = 8;
  EXPECT_EQ(code("10.1.0.9", "10.1.0.1"), "arp-suppressed");
  host.waived = {"arp-suppressed"};
  EXPECT_EQ(code("10.1.0.9", "10.1.0.1"), "answers");
}

TEST_F(Neighbours, ArpFilterAndNoArp) {
  host.eth1().ipv4->arp_filter = 1;
  EXPECT_EQ(code("10.2.0.9", "10.2.0.1", kEth1), "answers");
  EXPECT_EQ(code("10.1.0.9", "10.2.0.1", kEth1), "arp-suppressed");
  host.eth1().flags |= fib::kLinkNoArp;
  EXPECT_EQ(code("10.2.0.9", "10.2.0.1", kEth1), "arp-suppressed");
}

TEST_F(Neighbours, WhateverDropsThePacketsDropsTheQuestion) {
  host.eth1().ipv4->rp_filter = 1;
  EXPECT_EQ(code("10.1.0.9", "10.2.0.1", kEth1), "rp-filter-strict");
  host.rule(0, fib::kRuleProhibit).source = net("10.1.0.9/32");
  EXPECT_EQ(code("10.1.0.9", "10.1.0.1"), "rule-prohibit");
}

TEST_F(Neighbours, ProxyArp) {
  host.eth0().ipv4->forwarding = 1;
  EXPECT_EQ(code("10.1.0.9", "10.2.0.5"), "addr-absent");
  host.network.neighbours.push_back(
      {.link = kEth0, .address = ip("10.2.0.5"), .flags = fib::kNeighbourProxy});
  EXPECT_EQ(code("10.1.0.9", "10.2.0.5"), "answers");
  EXPECT_EQ(code("10.1.0.9", "10.2.0.6"), "addr-absent");
  host.eth0().ipv4->proxy_arp = 1;
  EXPECT_EQ(code("10.1.0.9", "10.2.0.6"), "answers");
  EXPECT_EQ(code("10.1.0.9", "10.1.0.6"), "addr-absent");
}

TEST_F(Neighbours, Solicitations) {
  EXPECT_EQ(code("fd01::9", "fd01::1"), "answers");
  EXPECT_EQ(code("fd01::9", "fd02::1"), "addr-absent");
  host.network.addresses[4].flags = fib::kAddressTentative;
  EXPECT_EQ(code("fd01::9", "fd01::1"), "v6-tentative");
  host.network.addresses[4].flags = fib::kAddressTentative | fib::kAddressOptimistic;
  EXPECT_EQ(code("fd01::9", "fd01::1"), "answers");
  host.rule(0, fib::kRuleProhibit, 0, Family::Inet6);
  EXPECT_EQ(code("fd01::9", "fd01::1"), "rule-prohibit");
  host.eth0().ipv6->disable_ipv6 = 1;
  EXPECT_EQ(code("fd01::9", "fd01::1"), "v6-disabled");
}

}  // namespace
}  // namespace hark::reach
