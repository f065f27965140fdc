#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <sys/socket.h>

#include "decode/netlink_attributes.h"
#include "decode/testing.h"
#include "decode/xfrm_policies.h"

namespace hark::decode {
namespace {

Prefix prefix(std::string_view text) {
  return Prefix::parse(text).value();
}

TEST(XfrmPolicies, OfADump) {
  const auto all = decode_xfrm_policies(testdata("xfrm-policies.bin"));
  ASSERT_TRUE(all) << all.error().why;
  ASSERT_EQ(all->size(), 4U);
  const XfrmPolicyRecord& forward = all->at(0);
  EXPECT_EQ(forward.direction, XFRM_POLICY_FWD);
  EXPECT_EQ(forward.action, XFRM_POLICY_BLOCK);
  EXPECT_FALSE(forward.templates);
  const XfrmPolicyRecord& out = all->at(1);
  EXPECT_EQ(out.family, Family::Inet6);
  EXPECT_EQ(out.source, prefix("2001:db8::/64"));
  EXPECT_EQ(out.destination, prefix("::/0"));
  EXPECT_EQ(out.direction, XFRM_POLICY_OUT);
  const XfrmPolicyRecord& block = all->at(2);
  EXPECT_EQ(block.direction, XFRM_POLICY_IN);
  EXPECT_EQ(block.action, XFRM_POLICY_BLOCK);
  EXPECT_EQ(block.source, prefix("10.3.0.0/24"));
  EXPECT_EQ(block.destination, prefix("10.4.0.0/24"));
  EXPECT_EQ(block.protocol, 6);
  EXPECT_EQ(block.source_ports, (PortRange{1000, 1000}));
  EXPECT_EQ(block.destination_ports, (PortRange{80, 80}));
  EXPECT_EQ(block.link, 3U);
  EXPECT_EQ(block.priority, 7U);
  const XfrmPolicyRecord& protect = all->at(3);
  EXPECT_EQ(protect.action, XFRM_POLICY_ALLOW);
  EXPECT_TRUE(protect.templates);
  EXPECT_EQ(protect.source_ports, PortRange{});
  EXPECT_EQ(protect.link, 0U);
  const auto count = [](const auto& records) { return records.size(); };
  EXPECT_EQ(accepted_beginnings(testdata("xfrm-policies.bin"), decode_xfrm_policies, count), 4U);
}

TEST(XfrmPolicies, Defaults) {
  const auto defaults = decode_xfrm_defaults(testdata("xfrm-default.bin"));
  ASSERT_TRUE(defaults) << defaults.error().why;
  EXPECT_EQ(*defaults, (XfrmDefaults{.blocks_in = true}));
  EXPECT_EQ(xfrm_defaults_request(), from_hex("14000000 2800 0100 00000000 00000000 00000000"));
}

TEST(XfrmPolicies, OnlyProtectionThatIsNotOptionalIsWanted) {
  xfrm_userpolicy_info info{};
  info.sel.family = AF_INET;
  xfrm_user_tmpl one{};
  one.optional = 1;
  Bytes body;
  append_value(body, info);
  append_attribute(body, XFRMA_TMPL, std::as_bytes(std::span(&one, 1)));
  xfrm_mark mark{.v = 5, .m = 0xff};
  append_attribute(body, XFRMA_MARK, std::as_bytes(std::span(&mark, 1)));
  auto all = decode_xfrm_policies(netlink_request(XFRM_MSG_NEWPOLICY, 0, body));
  ASSERT_TRUE(all);
  EXPECT_FALSE(all->at(0).templates);
  EXPECT_EQ(all->at(0).mark, 5U);
  EXPECT_EQ(all->at(0).mask, 0xffU);
  info.dir = 3;  // of one socket
  body.clear();
  append_value(body, info);
  all = decode_xfrm_policies(netlink_request(XFRM_MSG_NEWPOLICY, 0, body));
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->empty());
  info.dir = 0;
  info.sel.prefixlen_s = 33;
  body.clear();
  append_value(body, info);
  EXPECT_FALSE(decode_xfrm_policies(netlink_request(XFRM_MSG_NEWPOLICY, 0, body)));
}

}  // namespace
}  // namespace hark::decode
