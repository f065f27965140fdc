#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "decode/netlink_attributes.h"
#include "decode/rtnetlink.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

Bytes link_message(int index, std::string_view name) {
  ifinfomsg link{};
  link.ifi_index = index;
  Bytes body;
  append_value(body, link);
  append_attribute(body, 999, as_bytes("of a later kernel"));
  append_attribute(body, IFLA_IFNAME, as_bytes(name));
  return netlink_request(RTM_NEWLINK, 0, body);
}

TEST(Links, ARequestNamesTheIndex) {
  EXPECT_EQ(link_request(0x0102),
            from_hex("28000000 1200 0100 00000000 00000000 00 00 0000 02010000 00000000 00000000"
                     "0800 1d00 08000000"));
}

TEST(Links, OfADump) {
  const auto links = decode_links(testdata("links.bin"));
  ASSERT_TRUE(links) << links.error().why;
  ASSERT_EQ(links->size(), 3U);
  EXPECT_EQ(links->at(0).index, 1U);
  EXPECT_EQ(links->at(0).name, "lo");
  EXPECT_EQ(links->at(0).flags & (IFF_UP | IFF_LOOPBACK), unsigned{IFF_UP | IFF_LOOPBACK});
  EXPECT_EQ(links->at(1).name, "fifteen-letters");
  EXPECT_EQ(links->at(1).flags & (IFF_UP | IFF_LOOPBACK), 0U);
  EXPECT_EQ(links->at(2).name, "we\x1b[1m\xffrd");
}

TEST(Links, EveryBeginningIsAnErrorOrEndsBetweenMessages) {
  const auto count = [](const std::vector<LinkRecord>& links) { return links.size(); };
  EXPECT_EQ(accepted_beginnings(testdata("links.bin"), decode_links, count), 3U);
}

TEST(Links, NamesThatTheKernelNeverGivesAreErrors) {
  for (const std::string_view name :
       {"", "a/b", "a b", "a\tb", "a\nb", ".", "..", "../x", "sixteen-letters-"}) {
    EXPECT_FALSE(decode_links(link_message(1, name))) << name;
  }
  for (const std::string_view name : {"a", "...", "eth0.5", "a:b"}) {
    const auto links = decode_links(link_message(7, name));
    ASSERT_TRUE(links) << name;
    EXPECT_EQ(links->at(0).name, name);
    EXPECT_EQ(links->at(0).index, 7U);
  }
}

TEST(Links, BadMessagesAreErrors) {
  EXPECT_FALSE(decode_links(link_message(0, "lo")));
  EXPECT_FALSE(decode_links(link_message(-1, "lo")));
  EXPECT_FALSE(decode_links(netlink_request(RTM_NEWLINK, 0, as_bytes("short"))));
  EXPECT_FALSE(decode_links(netlink_request(RTM_NEWADDR, 0, {})));
  EXPECT_FALSE(decode_links(testdata("sock_diag-tcp4-root.bin")));
}

}  // namespace
}  // namespace hark::decode
