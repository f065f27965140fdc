#include <gtest/gtest.h>
#include <linux/fib_rules.h>
#include <linux/icmpv6.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>

#include "decode/netlink_attributes.h"
#include "decode/route_messages.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

/// What the tests of all kinds do: every beginning of an answer is refused or ends between records.
template <typename Decode>
void expect_beginnings_refused(const char* file, const Decode& decode) {
  const auto count = [](const auto& records) { return records.size(); };
  const Bytes whole = testdata(file);
  const auto all = decode(ByteView(whole));
  ASSERT_TRUE(all) << file;
  EXPECT_EQ(accepted_beginnings(whole, decode, count), all->size()) << file;
}

std::string words(const AddressRecord& record) {
  return std::to_string(record.link) + " " + record.address.text() + " " + record.subnet.text() +
         (record.broadcast ? " brd " + record.broadcast->text() : "");
}

TEST(Addresses, OfADump) {
  const auto all = decode_addresses(testdata("addresses.bin"));
  ASSERT_TRUE(all) << all.error().why;
  std::vector<std::string> lines;
  for (const AddressRecord& record : *all) lines.push_back(words(record));
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "1 127.0.0.1 127.0.0.0/8",
                       "3 10.1.0.1 10.1.0.0/24 brd 10.1.0.255",
                       "3 10.9.0.1 10.9.0.2/32",
                       "3 10.1.0.9 10.1.0.0/24",
                       "1 ::1 ::1/128",
                       "2 fe80::ff:fe00:2 fe80::/64",
                       "3 2001:db8:1::1 2001:db8:1::/64",
                       "3 2001:db8::1 2001:db8::/64",
                       "3 fe80::ff:fe00:1 fe80::/64",
                   }));
  EXPECT_EQ(all->at(0).scope, RT_SCOPE_HOST);
  EXPECT_EQ(all->at(1).flags, unsigned{IFA_F_PERMANENT});
  EXPECT_EQ(all->at(3).flags, unsigned{IFA_F_PERMANENT | IFA_F_SECONDARY});
  EXPECT_EQ(all->at(5).flags, unsigned{IFA_F_PERMANENT | IFA_F_TENTATIVE});
  EXPECT_EQ(all->at(7).flags, unsigned{IFA_F_PERMANENT | IFA_F_NODAD});
  expect_beginnings_refused("addresses.bin", decode_addresses);
}

std::string words(const NextHop& hop) {
  std::string out = " dev " + std::to_string(hop.link);
  if (hop.gateway) out += " via " + hop.gateway->text();
  if (hop.weight != 1) out += " weight " + std::to_string(hop.weight);
  if ((hop.flags & RTNH_F_ONLINK) != 0) out += " onlink";
  return out;
}

std::string words(const RouteRecord& route) {
  std::string out = std::to_string(route.type) + " " + route.destination.text();
  if (route.source) out += " from " + route.source->text();
  if (route.tos != 0) out += " tos " + std::to_string(route.tos);
  out += " table " + std::to_string(route.table);
  if (route.metric != 0) out += " metric " + std::to_string(route.metric);
  if (route.preferred_source) out += " src " + route.preferred_source->text();
  if (route.mtu != 0) out += " mtu " + std::to_string(route.mtu);
  if (route.nexthop_id != 0) out += " nhid " + std::to_string(route.nexthop_id);
  if (route.error != 0) out += " error " + std::to_string(route.error);
  for (const NextHop& hop : route.hops) out += words(hop);
  return out;
}

std::vector<std::string> lines_of(const std::vector<RouteRecord>& routes) {
  std::vector<std::string> lines;
  for (const RouteRecord& route : routes) lines.push_back(words(route));
  return lines;
}

const std::vector<std::string> kRoutes4 = {
    "9 10.8.0.0/16 table 300",
    "6 10.5.0.0/16 table 100",
    "1 0.0.0.0/0 table 254 metric 100 dev 3 via 10.1.0.254",
    "1 10.1.0.0/24 table 254 src 10.1.0.1 dev 3",
    "1 10.2.0.0/16 tos 16 table 254 src 10.1.0.9 mtu 1300 dev 3 via 10.1.0.254",
    "1 10.3.0.0/16 table 254 dev 3 via 10.1.0.253 weight 3 dev 3 via 10.1.0.252 onlink",
    "1 10.4.0.0/16 table 254 dev 3 via 2001:db8::99",
    "8 10.6.0.0/16 table 254 metric 5",
    "7 10.7.0.0/16 table 254",
    "1 10.9.0.2/32 table 254 src 10.9.0.1 dev 3",
    "1 10.10.0.0/16 table 254 nhid 1 dev 3 via 10.1.0.251",
    "1 10.11.0.0/16 table 254 nhid 10 dev 3 via 10.1.0.251 weight 5 dev 3 via 10.1.0.250 weight 2",
    "6 10.12.0.0/16 table 254 nhid 3 dev 1",
    "2 10.1.0.1/32 table 255 src 10.1.0.1 dev 3",
    "2 10.1.0.9/32 table 255 src 10.1.0.1 dev 3",
    "3 10.1.0.255/32 table 255 src 10.1.0.1 dev 3",
    "2 10.9.0.1/32 table 255 src 10.9.0.1 dev 3",
    "2 127.0.0.0/8 table 255 src 127.0.0.1 dev 1",
    "2 127.0.0.1/32 table 255 src 127.0.0.1 dev 1",
    "3 127.255.255.255/32 table 255 src 127.0.0.1 dev 1",
};

TEST(Routes, OfIpv4) {
  const auto all = decode_routes(testdata("routes4.bin"));
  ASSERT_TRUE(all) << all.error().why;
  EXPECT_EQ(lines_of(*all), kRoutes4);
  EXPECT_FALSE(needs_nexthops(*all));
  EXPECT_EQ(all->at(4).protocol, RTPROT_STATIC);
  EXPECT_EQ(all->at(13).scope, RT_SCOPE_HOST);
  expect_beginnings_refused("routes4.bin", decode_routes);
}

TEST(Routes, NexthopObjectsGiveTheSameHops) {
  auto compact = decode_routes(testdata("routes4-compact.bin"));
  const auto objects = decode_nexthops(testdata("nexthops.bin"));
  ASSERT_TRUE(compact && objects);
  EXPECT_NE(lines_of(*compact), kRoutes4);
  EXPECT_TRUE(needs_nexthops(*compact));
  resolve_nexthops(*compact, *objects);
  // Of an object that swallows packets the kernel names the loopback link, in compat mode only.
  auto expected = kRoutes4;
  *std::ranges::find(expected, "6 10.12.0.0/16 table 254 nhid 3 dev 1") =
      "6 10.12.0.0/16 table 254 nhid 3";
  EXPECT_EQ(lines_of(*compact), expected);
  ASSERT_EQ(objects->size(), 5U);
  EXPECT_TRUE(objects->at(2).blackhole);
  EXPECT_EQ(objects->at(3).hop.gateway, address("2001:db8::77"));
  expect_beginnings_refused("nexthops.bin", decode_nexthops);
}

TEST(Routes, AnUnknownNexthopObjectLeavesARouteWithoutHops) {
  auto compact = decode_routes(testdata("routes4-compact.bin"));
  ASSERT_TRUE(compact);
  const auto before = *compact;
  resolve_nexthops(*compact, {});
  EXPECT_EQ(*compact, before);
}

TEST(Routes, OfIpv6) {
  const auto all = decode_routes(testdata("routes6.bin"));
  ASSERT_TRUE(all) << all.error().why;
  EXPECT_EQ(lines_of(*all),
            (std::vector<std::string>{
                "1 2001:db8::/64 table 254 metric 256 dev 3",
                "1 2001:db8:1::2/128 table 254 metric 256 dev 3",
                "1 2001:db8:1::/64 table 254 metric 256 dev 3",
                "1 2001:db8:a::/48 table 254 metric 7 dev 3 via 2001:db8::99",
                "1 2001:db8:b::/48 from 2001:db8:c::/48 table 254 metric 1024"
                " dev 3 via 2001:db8::98",
                "1 2001:db8:d::/48 table 254 metric 1024"
                " dev 3 via 2001:db8::1:1 weight 2 dev 3 via 2001:db8::1:2 weight 5",
                "7 2001:db8:e::/48 table 254 metric 1024 dev 1",
                "8 2001:db8:f::/48 table 254 metric 1024 dev 1",
                "6 2001:db8:10::/48 table 254 metric 1024 dev 1",
                "1 2001:db8:11::/48 table 254 metric 1024 nhid 4 dev 3 via 2001:db8::77",
                "1 fe80::/64 table 254 metric 256 dev 2",
                "1 fe80::/64 table 254 metric 256 dev 3",
                "2 ::1/128 table 255 dev 1",
                "4 2001:db8::/128 table 255 dev 3",
                "2 2001:db8::1/128 table 255 dev 3",
                "4 2001:db8:1::/128 table 255 dev 3",
                "2 2001:db8:1::1/128 table 255 dev 3",
                "5 ff00::/8 table 255 metric 256 dev 2",
                "5 ff00::/8 table 255 metric 256 dev 3",
            }));
  EXPECT_EQ(all->at(3).preference, ICMPV6_ROUTER_PREF_HIGH);
  expect_beginnings_refused("routes6.bin", decode_routes);
}

std::string words(const std::optional<PortRange>& ports) {
  return std::to_string(ports->first) + "-" + std::to_string(ports->last);
}

std::string words(const PolicyRule& rule) {
  std::string out = std::to_string(rule.priority) + ":" + (rule.inverted ? " not" : "") +
                    " action " + std::to_string(rule.action);
  if (rule.source) out += " from " + rule.source->text();
  if (rule.destination) out += " to " + rule.destination->text();
  if (rule.tos != 0) out += " tos " + std::to_string(rule.tos);
  if (rule.mask != 0) out += " mark " + std::to_string(rule.mark) + "/" + std::to_string(rule.mask);
  if (!rule.iif.empty()) out += " iif " + rule.iif;
  if (!rule.oif.empty()) out += " oif " + rule.oif;
  if (rule.protocol != 0) out += " proto " + std::to_string(rule.protocol);
  if (rule.source_ports) out += " sport " + words(rule.source_ports);
  if (rule.destination_ports) out += " dport " + words(rule.destination_ports);
  if (rule.first_uid) {
    out += " uid " + std::to_string(*rule.first_uid) + "-" + std::to_string(*rule.last_uid);
  }
  if (rule.tunnel_id != 0) out += " tunnel " + std::to_string(rule.tunnel_id);
  if (rule.l3mdev) out += " l3mdev";
  if (rule.table != 0) out += " table " + std::to_string(rule.table);
  if (rule.goto_priority != 0) out += " goto " + std::to_string(rule.goto_priority);
  if (rule.suppress_prefix_length) {
    out += " suppress " + std::to_string(*rule.suppress_prefix_length);
  }
  if (rule.suppress_group) out += " suppress group " + std::to_string(*rule.suppress_group);
  if (rule.not_understood) out += " ?";
  return out;
}

std::vector<std::string> rule_lines(const char* file) {
  const auto all = decode_policy_rules(testdata(file));
  EXPECT_TRUE(all) << file;
  std::vector<std::string> lines;
  if (all)
    std::ranges::transform(*all, std::back_inserter(lines),
                           [](const PolicyRule& rule) { return words(rule); });
  return lines;
}

TEST(Rules, OfIpv4) {
  EXPECT_EQ(rule_lines("rules4.bin"),
            (std::vector<std::string>{
                "0: action 1 table 255",
                "100: action 1 from 10.1.0.0/24 to 10.2.0.0/16 tos 16 iif v0 table 100",
                "101: not action 1 mark 16/240 table 300",
                "102: action 1 proto 6 sport 1000-2000 dport 80-80 table 100",
                "103: action 1 oif v0 uid 1000-2000 table 100",
                "104: action 1 table 254 suppress 0",
                "105: action 1 table 254 suppress group 7",
                "106: action 8 from 192.0.2.0/24",
                "107: action 6 from 192.0.3.0/24",
                "108: action 7 from 192.0.4.0/24",
                "109: action 2 goto 32766",
                "110: action 2 goto 40000",
                "111: action 1 l3mdev",
                "112: action 1 tunnel 7 table 100",
                "32766: action 1 table 254",
                "32767: action 1 table 253",
            }));
  expect_beginnings_refused("rules4.bin", decode_policy_rules);
}

TEST(Rules, OfIpv6) {
  EXPECT_EQ(rule_lines("rules6.bin"),
            (std::vector<std::string>{
                "0: action 1 table 255",
                "200: action 1 from 2001:db8::/64 mark 1/4294967295 table 100",
                "201: action 1 to 2001:db8:1::/48 dport 443-444 table 70000",
                "32766: action 1 table 254",
            }));
}

Bytes rule_message(std::uint16_t attribute, ByteView value) {
  fib_rule_hdr header{};
  header.family = AF_INET6;
  header.action = FR_ACT_TO_TBL;
  Bytes body;
  append_value(body, header);
  append_attribute(body, attribute, value);
  return netlink_request(RTM_NEWRULE, 0, body);
}

/// fib_rules.h of Linux 6.18
TEST(Rules, ConditionsOfLaterKernels) {
  const auto one = [](std::uint16_t attribute, std::string_view hex) {
    const auto rules = decode_policy_rules(rule_message(attribute, from_hex(hex)));
    EXPECT_TRUE(rules) << attribute;
    return rules ? rules->at(0) : PolicyRule{};
  };
  EXPECT_EQ(one(25, "2e").dscp, 0x2e);
  EXPECT_EQ(one(26, "00012345").flow_label, 0x12345U);
  EXPECT_EQ(one(27, "000fffff").flow_label_mask, 0xfffffU);
  EXPECT_EQ(one(28, "f0ff").source_port_mask, 0xfff0U);
  EXPECT_EQ(one(29, "0fff").destination_port_mask, 0xff0fU);
  EXPECT_EQ(one(30, "30").dscp_mask, 0x30);
  EXPECT_FALSE(one(30, "30").not_understood);
  EXPECT_TRUE(one(31, "00").not_understood);
  EXPECT_FALSE(decode_policy_rules(rule_message(25, from_hex("0000"))));
}

TEST(Neighbours, OfADump) {
  const auto all = decode_neighbours(testdata("neighbours.bin"));
  ASSERT_TRUE(all) << all.error().why;
  const NeighbourRecord permanent{.link = 3,
                                  .address = address("10.1.0.77"),
                                  .state = NUD_PERMANENT,
                                  .flags = 0,
                                  .mac = from_hex("020000000077")};
  const NeighbourRecord stale{.link = 3,
                              .address = address("2001:db8::99"),
                              .state = NUD_STALE,
                              .flags = 0,
                              .mac = from_hex("020000000099")};
  EXPECT_TRUE(std::ranges::count(*all, permanent) == 1);
  EXPECT_TRUE(std::ranges::count(*all, stale) == 1);
  expect_beginnings_refused("neighbours.bin", decode_neighbours);
}

TEST(Neighbours, OfProxies) {
  const auto all = decode_neighbours(testdata("neighbours-proxy.bin"));
  ASSERT_TRUE(all) << all.error().why;
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ(all->at(0).address, address("10.1.0.88"));
  EXPECT_EQ(all->at(0).flags, NTF_PROXY);
  EXPECT_EQ(all->at(1).address, address("2001:db8::88"));
}

TEST(RouteMessages, OfOtherFamiliesArePassedOver) {
  // AF_MPLS, which has no rules of this kind; ipmr's routes and bridges' neighbours exist.
  rtmsg route{};
  route.rtm_family = RTNL_FAMILY_IPMR;
  Bytes body;
  append_value(body, route);
  const auto routes = decode_routes(netlink_request(RTM_NEWROUTE, 0, body));
  ASSERT_TRUE(routes);
  EXPECT_TRUE(routes->empty());
  ndmsg neighbour{};
  neighbour.ndm_family = AF_BRIDGE;
  body.clear();
  append_value(body, neighbour);
  const auto neighbours = decode_neighbours(netlink_request(RTM_NEWNEIGH, 0, body));
  ASSERT_TRUE(neighbours);
  EXPECT_TRUE(neighbours->empty());
}

TEST(RouteMessages, ClonesOfRoutesArePassedOver) {
  rtmsg route{};
  route.rtm_family = AF_INET;
  route.rtm_flags = RTM_F_CLONED;
  Bytes body;
  append_value(body, route);
  const auto routes = decode_routes(netlink_request(RTM_NEWROUTE, 0, body));
  ASSERT_TRUE(routes);
  EXPECT_TRUE(routes->empty());
}

TEST(RouteMessages, ImpossibleLengthsAreErrors) {
  rtmsg route{};
  route.rtm_family = AF_INET;
  route.rtm_dst_len = 33;
  Bytes body;
  append_value(body, route);
  EXPECT_FALSE(decode_routes(netlink_request(RTM_NEWROUTE, 0, body)));
  route.rtm_dst_len = 0;
  body.clear();
  append_value(body, route);
  Bytes hops = from_hex("0700 0000 01000000");  // rtnh_len below the header's size
  append_attribute(body, RTA_MULTIPATH, hops);
  EXPECT_FALSE(decode_routes(netlink_request(RTM_NEWROUTE, 0, body)));
  EXPECT_FALSE(decode_addresses(netlink_request(RTM_NEWADDR, 0, as_bytes("x"))));
  EXPECT_FALSE(decode_nexthops(netlink_request(RTM_NEWNEXTHOP, 0, as_bytes("12345678"))));
}

}  // namespace
}  // namespace hark::decode
