#include <gtest/gtest.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>

#include "decode/link_facts.h"
#include "decode/netlink_attributes.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

class LinkFactsOfADump : public testing::Test {
 protected:
  void SetUp() override {
    auto all = decode_link_facts(testdata("link-facts.bin"));
    ASSERT_TRUE(all) << all.error().why;
    links = std::move(*all);
    ASSERT_EQ(links.size(), 6U);
  }
  [[nodiscard]] const LinkFacts& link(std::string_view name) const {
    for (const LinkFacts& one : links) {
      if (one.name == name) return one;
    }
    ADD_FAILURE() << "no link " << name;
    return links.front();
  }
  std::vector<LinkFacts> links;
};

TEST_F(LinkFactsOfADump, Identity) {
  const LinkFacts& lo = link("lo");
  EXPECT_EQ(lo.index, 1U);
  EXPECT_EQ(lo.type, ARPHRD_LOOPBACK);
  EXPECT_EQ(lo.mtu, 65536U);
  EXPECT_EQ(lo.kind, "");
  EXPECT_EQ(lo.flags & (IFF_UP | IFF_LOOPBACK), unsigned{IFF_UP | IFF_LOOPBACK});
  const LinkFacts& v0 = link("v0");
  EXPECT_EQ(v0.index, 3U);
  EXPECT_EQ(v0.type, ARPHRD_ETHER);
  EXPECT_EQ(v0.kind, "veth");
  EXPECT_EQ(v0.mtu, 1400U);
  EXPECT_EQ(v0.group, 7U);
  EXPECT_EQ(v0.mac, from_hex("020000000001"));
  EXPECT_TRUE(v0.carrier);
  EXPECT_EQ(v0.operstate, 6);  // IF_OPER_UP
  EXPECT_EQ(v0.peer, 2U);
  EXPECT_FALSE(v0.peer_netns);
  EXPECT_EQ(link("mv0").kind, "macvlan");
  EXPECT_EQ(link("mv0").peer, 3U);
  EXPECT_FALSE(link("mv0").flags & IFF_UP);
  EXPECT_EQ(link("ifb0").operstate, 2);  // IF_OPER_DOWN
}

TEST_F(LinkFactsOfADump, PartsOfABridge) {
  const LinkFacts& v1 = link("v1");
  EXPECT_EQ(v1.master, 4U);
  EXPECT_EQ(v1.slave_kind, "bridge");
  EXPECT_EQ(v1.port_state, 3);  // BR_STATE_FORWARDING
  EXPECT_EQ(link("br0").kind, "bridge");
  EXPECT_EQ(link("br0").bridge, BridgeFacts{});
  EXPECT_FALSE(link("v0").port_state);
  EXPECT_EQ(v1.port.hairpin, false);
  EXPECT_FALSE(v1.port.isolated);
  EXPECT_EQ(link("v0").port, BridgePortFacts{});
  EXPECT_EQ(link("mv0").stacked.mode, unsigned{MACVLAN_MODE_BRIDGE});
}

TEST_F(LinkFactsOfADump, Settings) {
  const LinkFacts& v0 = link("v0");
  ASSERT_GE(v0.ipv4_settings.size(), std::size_t{IPV4_DEVCONF_BC_FORWARDING});
  const auto four = [&](const char* name, int number) {
    return std::pair(name, v0.ipv4_settings.at(static_cast<std::size_t>(number - 1)));
  };
  EXPECT_EQ(four("rp_filter", IPV4_DEVCONF_RP_FILTER).second, 2);
  EXPECT_EQ(four("arp_ignore", IPV4_DEVCONF_ARP_IGNORE).second, 8);
  for (const int number :
       {IPV4_DEVCONF_FORWARDING, IPV4_DEVCONF_ACCEPT_LOCAL, IPV4_DEVCONF_ROUTE_LOCALNET,
        IPV4_DEVCONF_ARPFILTER, IPV4_DEVCONF_SRC_VMARK, IPV4_DEVCONF_PROXY_ARP,
        IPV4_DEVCONF_PROXY_ARP_PVLAN, IPV4_DEVCONF_BC_FORWARDING,
        IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN, IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST,
        IPV4_DEVCONF_ARP_ACCEPT}) {
    EXPECT_EQ(four("", number).second, 1) << number;
    EXPECT_EQ(link("lo").ipv4_settings.at(static_cast<std::size_t>(number - 1)), 0) << number;
  }
  constexpr std::size_t kForceForwarding = 59;  // DEVCONF_FORCE_FORWARDING of Linux 6.17
  for (const std::size_t number : {std::size_t{DEVCONF_FORWARDING}, std::size_t{DEVCONF_PROXY_NDP},
                                   std::size_t{DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN},
                                   std::size_t{DEVCONF_DROP_UNSOLICITED_NA}, kForceForwarding}) {
    EXPECT_EQ(v0.ipv6_settings.at(number), 1) << number;
    EXPECT_EQ(link("lo").ipv6_settings.at(number), 0) << number;
  }
  EXPECT_EQ(link("br0").ipv6_settings.at(DEVCONF_DISABLE_IPV6), 1);
  EXPECT_EQ(v0.ipv6_settings.at(DEVCONF_DISABLE_IPV6), 0);
}

TEST(LinkFacts, EveryBeginningIsAnErrorOrEndsBetweenMessages) {
  const auto count = [](const std::vector<LinkFacts>& links) { return links.size(); };
  EXPECT_EQ(accepted_beginnings(testdata("link-facts.bin"), decode_link_facts, count), 6U);
}

Bytes nested(const std::vector<std::pair<std::uint16_t, std::string_view>>& attributes) {
  Bytes out;
  for (const auto& [type, hex] : attributes) append_attribute(out, type, from_hex(hex));
  return out;
}

LinkFacts link_with(std::uint16_t attribute, const Bytes& value) {
  ifinfomsg header{};
  header.ifi_index = 9;
  Bytes body;
  append_value(body, header);
  append_attribute(body, IFLA_IFNAME, as_bytes("x"));
  append_attribute(body, attribute, value);
  const auto links = decode_link_facts(netlink_request(RTM_NEWLINK, 0, body));
  EXPECT_TRUE(links);
  return links ? links->at(0) : LinkFacts{};
}

/// Kinds of links that not every kernel has; their attributes as if_link.h has them.
TEST(LinkFacts, OfOtherKinds) {
  const auto with = [](std::string_view kind, const Bytes& data) {
    Bytes info;
    append_attribute(info, IFLA_INFO_KIND, as_bytes(kind));
    append_attribute(info, IFLA_INFO_DATA, data);
    return link_with(IFLA_LINKINFO, info);
  };
  EXPECT_EQ(with("vrf", nested({{IFLA_VRF_TABLE, "0a000000"}})).vrf_table, 10U);
  const LinkFacts vlan =
      with("vlan", nested({{IFLA_VLAN_ID, "6400"}, {IFLA_VLAN_PROTOCOL, "8100"}}));
  EXPECT_EQ(vlan.vlan_id, 100);
  EXPECT_EQ(vlan.vlan_protocol, 0x8100);
  const LinkFacts bridge =
      with("bridge", nested({{IFLA_BR_VLAN_FILTERING, "01"}, {IFLA_BR_NF_CALL_IPTABLES, "01"}}));
  EXPECT_TRUE(bridge.bridge.vlan_filtering);
  EXPECT_TRUE(bridge.bridge.calls_iptables);
  EXPECT_FALSE(bridge.bridge.calls_ip6tables);
  // The same attributes of another kind mean something else.
  EXPECT_EQ(with("vxlan", nested({{IFLA_VRF_TABLE, "0a000000"}})).vrf_table, 0U);
  const LinkFacts ipvlan =
      with("ipvlan", nested({{IFLA_IPVLAN_MODE, "0200"}, {IFLA_IPVLAN_FLAGS, "0100"}}));
  EXPECT_EQ(ipvlan.stacked.mode, unsigned{IPVLAN_MODE_L3S});
  EXPECT_EQ(ipvlan.stacked.flags, IPVLAN_F_PRIVATE);
  EXPECT_EQ(with("macvtap", nested({{IFLA_MACVLAN_MODE, "08000000"}})).stacked.mode, 8U);
  Bytes port;
  append_attribute(port, IFLA_INFO_SLAVE_KIND, as_bytes("bridge"));
  append_attribute(port, IFLA_INFO_SLAVE_DATA,
                   nested({{IFLA_BRPORT_MODE, "01"}, {IFLA_BRPORT_ISOLATED, "01"}}));
  EXPECT_EQ(link_with(IFLA_LINKINFO, port).port,
            (BridgePortFacts{.hairpin = true, .isolated = true}));
  Bytes slave;
  append_attribute(slave, IFLA_INFO_SLAVE_KIND, as_bytes("bond"));
  append_attribute(slave, IFLA_INFO_SLAVE_DATA, nested({{IFLA_BOND_SLAVE_STATE, "01"}}));
  EXPECT_EQ(link_with(IFLA_LINKINFO, slave).bond_state, 1);
}

TEST(LinkFacts, ProgramsOfXdp) {
  EXPECT_TRUE(link_with(IFLA_XDP, nested({{IFLA_XDP_ATTACHED, "00"}})).xdp.empty());
  // As of a kernel before 4.19, which tells no numbers by mode.
  EXPECT_EQ(
      link_with(IFLA_XDP, nested({{IFLA_XDP_ATTACHED, "02"}, {IFLA_XDP_PROG_ID, "07000000"}})).xdp,
      (std::vector<XdpProgram>{{XDP_ATTACHED_SKB, 7}}));
  EXPECT_EQ(link_with(IFLA_XDP, nested({{IFLA_XDP_ATTACHED, "04"},
                                        {IFLA_XDP_DRV_PROG_ID, "05000000"},
                                        {IFLA_XDP_HW_PROG_ID, "06000000"}}))
                .xdp,
            (std::vector<XdpProgram>{{XDP_ATTACHED_DRV, 5}, {XDP_ATTACHED_HW, 6}}));
}

TEST(LinkFacts, AttributesOfAWrongSizeAreErrors) {
  ifinfomsg header{};
  header.ifi_index = 9;
  Bytes body;
  append_value(body, header);
  append_attribute(body, IFLA_IFNAME, as_bytes("x"));
  append_attribute(body, IFLA_MASTER, from_hex("0100"));
  EXPECT_FALSE(decode_link_facts(netlink_request(RTM_NEWLINK, 0, body)));
}

}  // namespace
}  // namespace hark::decode
