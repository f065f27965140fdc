#include "host/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "decode/rtnetlink.h"
#include "host/fake_source.h"

namespace hark::host {
namespace {

constexpr int kRoute = 0;  ///< NETLINK_ROUTE

Bytes testdata(const std::string& name) {
  std::ifstream in(std::string(HARK_SOURCE_DIR) + "/src/decode/testdata/" + name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_FALSE(text.empty()) << name;
  return to_bytes(text);
}

IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}

/// The namespace of decode/testdata/ORIGIN.md, as an ordinary user would read it.
class NetworkOfBytes : public testing::Test {
 protected:
  void SetUp() override {
    source.answer(0, kRoute, decode::links_request(), testdata("link-facts.bin"));
    source.answer(0, kRoute, decode::addresses_request(), testdata("addresses.bin"));
    source.answer(0, kRoute, decode::routes_request(Family::Inet), testdata("routes4-compact.bin"));
    source.answer(0, kRoute, decode::routes_request(Family::Inet6), testdata("routes6.bin"));
    source.answer(0, kRoute, decode::policy_rules_request(Family::Inet), testdata("rules4.bin"));
    source.answer(0, kRoute, decode::policy_rules_request(Family::Inet6), testdata("rules6.bin"));
    source.answer(0, kRoute, decode::neighbours_request(), testdata("neighbours.bin"));
    source.answer(0, kRoute, decode::proxy_neighbours_request(), testdata("neighbours-proxy.bin"));
    source.answer(0, kRoute, decode::nexthops_request(), testdata("nexthops.bin"));
    for (const char* name :
         {"forwarding", "rp_filter", "accept_local", "route_localnet", "src_valid_mark",
          "arp_ignore", "arp_filter", "arp_accept", "proxy_arp", "proxy_arp_pvlan", "bc_forwarding",
          "ignore_routes_with_linkdown", "drop_unicast_in_l2_multicast"}) {
      source.net_file(0, std::string("/proc/sys/net/ipv4/conf/all/") + name, "0\n");
    }
    source.net_file(0, "/proc/sys/net/ipv4/conf/all/rp_filter", "2\n");
    source.net_file(0, "/proc/sys/net/ipv6/conf/all/forwarding", "1\n");
    source.net_file(0, "/proc/sys/net/ipv4/tcp_max_syn_backlog", "2048\n");
    source.net_file(0, "/proc/sys/net/ipv4/tcp_fwmark_accept", "1\n");
  }
  [[nodiscard]] Network network() {
    return read_network(source, netns, NetnsId{3}, {.firewalls = false, .programs = false});
  }
  FakeSource source;
  kernel::NetnsRef netns;
};

TEST_F(NetworkOfBytes, HasAllThatAnybodyMayRead) {
  const Network all = network();
  EXPECT_EQ(all.netns, NetnsId{3});
  EXPECT_TRUE(all.unread.empty());
  ASSERT_EQ(all.links.size(), 6U);
  const Link* v0 = all.link("v0");
  ASSERT_NE(v0, nullptr);
  EXPECT_EQ(all.link(3), v0);
  EXPECT_EQ(v0->kind, "veth");
  EXPECT_EQ(v0->ipv4->rp_filter, 2);
  EXPECT_EQ(v0->ipv4->arp_ignore, 8);
  EXPECT_EQ(v0->ipv4->bc_forwarding, 1);
  EXPECT_EQ(v0->ipv6->force_forwarding, 1);
  EXPECT_EQ(v0->ipv6->disable_ipv6, 0);
  EXPECT_EQ(all.link("br0")->ipv6->disable_ipv6, 1);
  EXPECT_EQ(all.link("v1")->port_state, 3);
  EXPECT_EQ(all.addresses.size(), 9U);
  EXPECT_EQ(all.routes.size(), 39U);
  EXPECT_EQ(all.rules.size(), 20U);
  EXPECT_EQ(all.rules.front().family, Family::Inet);
  EXPECT_EQ(all.rules.back().family, Family::Inet6);
  EXPECT_EQ(all.settings.ipv4_all.rp_filter, 2);
  EXPECT_EQ(all.settings.ipv6_all.forwarding, 1);
  EXPECT_EQ(all.settings.fwmark_accept, 1);
}

TEST_F(NetworkOfBytes, WhatDecidesNothingIsNotRead) {
  EXPECT_FALSE(network().settings.max_syn_backlog) << "there may be SYN cookies";
  source.net_file(0, "/proc/sys/net/ipv4/tcp_syncookies", "0\n");
  EXPECT_EQ(network().settings.max_syn_backlog, 2048);
}

TEST_F(NetworkOfBytes, RoutesOfNexthopObjectsHaveTheirHops) {
  const Network all = network();
  const auto route = std::ranges::find(all.routes, 10U, &Route::nexthop_id);
  ASSERT_NE(route, all.routes.end());
  ASSERT_EQ(route->hops.size(), 2U);
  EXPECT_EQ(route->hops[0].gateway, address("10.1.0.251"));
  EXPECT_EQ(route->hops[0].weight, 5U);
}

TEST_F(NetworkOfBytes, FilesThatAKernelLacksAreNoGap) {
  const Network all = network();
  EXPECT_FALSE(all.settings.conntrack_max);
  EXPECT_EQ(all.settings.bridge_call_iptables, 0);
  EXPECT_EQ(all.gap(NetworkFact::Settings), nullptr);
}

TEST_F(NetworkOfBytes, WhatCannotBeReadIsAGap) {
  source.refuse_netns(7, EPERM);
  netns.inode = 7;
  netns.paths = {"/run/netns/blue"};
  const Network none = network();
  for (const NetworkFact fact :
       {NetworkFact::Links, NetworkFact::Addresses, NetworkFact::Routes, NetworkFact::Rules,
        NetworkFact::Neighbours, NetworkFact::Settings}) {
    const Gap* gap = none.gap(fact);
    ASSERT_NE(gap, nullptr) << static_cast<int>(fact);
    EXPECT_NE(gap->what.find("Operation not permitted"), std::string::npos) << gap->what;
    EXPECT_EQ(gap->remedy, "run as root to see them");
    EXPECT_FALSE(gap->hides.empty());
  }
  EXPECT_EQ(none.unread.size(), 6U);
}

TEST_F(NetworkOfBytes, ServicesOfIpvs) {
  const auto read = [&] { return read_network(source, netns, NetnsId{3}, {.programs = false}); };
  // Most kernels have no such file.
  EXPECT_EQ(read().gap(NetworkFact::Ipvs), nullptr);
  const std::string heading = "IP Virtual Server version 1.2.1 (size=4096)\nProt\n  ->\n";
  source.net_file(0, "/proc/net/ip_vs", heading + "TCP  0A60000A:0050 rr  \n");
  ASSERT_EQ(read().ipvs.size(), 1U);
  EXPECT_EQ(read().ipvs.front().address, address("10.96.0.10"));
  source.net_file(0, "/proc/net/ip_vs", "nonsense\n");
  const Network all = read();
  ASSERT_NE(all.gap(NetworkFact::Ipvs), nullptr);
  EXPECT_EQ(all.gap(NetworkFact::Ipvs)->code, "ipvs-not-read");
}

TEST_F(NetworkOfBytes, AMalformedAnswerIsAGap) {
  source.answer(0, kRoute, decode::addresses_request(), testdata("rules4.bin"));
  const Network all = network();
  ASSERT_NE(all.gap(NetworkFact::Addresses), nullptr);
  EXPECT_TRUE(all.addresses.empty());
  EXPECT_EQ(all.unread.size(), 1U);
}

}  // namespace
}  // namespace hark::host
