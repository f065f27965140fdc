#include "base/address.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace hark {
namespace {

IpAddress address(std::string_view text) {
  const auto out = IpAddress::parse(text);
  EXPECT_TRUE(out) << text;
  return out.value_or(IpAddress{});
}

Prefix prefix(std::string_view text) {
  const auto out = Prefix::parse(text);
  EXPECT_TRUE(out) << text;
  return out.value_or(Prefix{});
}

TEST(Address, TextRoundTripsToItsShortForm) {
  struct Case {
    std::string_view in;
    std::string_view out;
  };
  constexpr Case kCases[] = {
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"10.0.0.5", "10.0.0.5"},
      {"::", "::"},
      {"0:0:0:0:0:0:0:1", "::1"},
      {"2001:DB8::00ff", "2001:db8::ff"},
      {"::ffff:10.0.0.5", "::ffff:10.0.0.5"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
  };
  for (const Case& c : kCases) EXPECT_EQ(address(c.in).text(), c.out) << c.in;
}

TEST(Address, OnlyStrictFormsAreRead) {
  for (const std::string_view text :
       {"", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.4 ", " 1.2.3.4", "0x7f.0.0.1", "[::1]",
        "::1%lo", ":::", "1::2::3", "12345::", "localhost", "1.2.3.4/32",
        "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0x", 9)));
  EXPECT_FALSE(IpAddress::parse(std::string_view("::1\0", 4)));
}

TEST(Address, KindsOfAddresses) {
  struct Case {
    std::string_view text;
    bool unspecified, loopback, link_local, multicast, is_private, mapped;
  };
  constexpr Case kCases[] = {
      {"0.0.0.0", true, false, false, false, false, false},
      {"::", true, false, false, false, false, false},
      {"::ffff:0.0.0.0", false, false, false, false, false, true},
      {"127.0.0.1", false, true, false, false, false, false},
      {"127.255.255.254", false, true, false, false, false, false},
      {"126.255.255.255", false, false, false, false, false, false},
      {"128.0.0.0", false, false, false, false, false, false},
      {"::1", false, true, false, false, false, false},
      {"::2", false, false, false, false, false, false},
      {"1::1", false, false, false, false, false, false},
      {"::ffff:127.1.2.3", false, true, false, false, false, true},
      {"::fffe:127.1.2.3", false, false, false, false, false, false},
      {"169.254.0.1", false, false, true, false, false, false},
      {"169.253.0.1", false, false, false, false, false, false},
      {"fe80::1", false, false, true, false, false, false},
      {"febf::1", false, false, true, false, false, false},
      {"fec0::1", false, false, false, false, false, false},
      {"224.0.0.1", false, false, false, true, false, false},
      {"239.255.255.255", false, false, false, true, false, false},
      {"240.0.0.0", false, false, false, false, false, false},
      {"ff02::1", false, false, false, true, false, false},
      {"10.255.255.255", false, false, false, false, true, false},
      {"11.0.0.0", false, false, false, false, false, false},
      {"172.15.255.255", false, false, false, false, false, false},
      {"172.16.0.0", false, false, false, false, true, false},
      {"172.31.255.255", false, false, false, false, true, false},
      {"172.32.0.0", false, false, false, false, false, false},
      {"192.168.3.4", false, false, false, false, true, false},
      {"192.169.0.0", false, false, false, false, false, false},
      {"100.64.0.0", false, false, false, false, true, false},
      {"100.127.255.255", false, false, false, false, true, false},
      {"100.128.0.0", false, false, false, false, false, false},
      {"fc00::1", false, false, false, false, true, false},
      {"fdff::1", false, false, false, false, true, false},
      {"fe00::1", false, false, false, false, false, false},
      {"::ffff:192.168.0.1", false, false, false, false, true, true},
      {"8.8.8.8", false, false, false, false, false, false},
      {"2001:db8::1", false, false, false, false, false, false},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.text);
    const IpAddress a = address(c.text);
    EXPECT_EQ(a.is_unspecified(), c.unspecified);
    EXPECT_EQ(a.is_loopback(), c.loopback);
    EXPECT_EQ(a.is_link_local(), c.link_local);
    EXPECT_EQ(a.is_multicast(), c.multicast);
    EXPECT_EQ(a.is_private(), c.is_private);
    EXPECT_EQ(a.is_v4_mapped(), c.mapped);
  }
}

TEST(Address, UnmappedTakesTheInnerAddressAndLeavesOthers) {
  EXPECT_EQ(address("::ffff:10.0.0.5").unmapped(), address("10.0.0.5"));
  EXPECT_EQ(address("::1").unmapped(), address("::1"));
  EXPECT_EQ(address("10.0.0.5").unmapped(), address("10.0.0.5"));
}

TEST(Address, OrdersFamiliesThenBytes) {
  std::vector<IpAddress> all = {address("::1"), address("10.0.0.1"), address("9.255.0.0"),
                                address("::")};
  std::sort(all.begin(), all.end());
  std::vector<std::string> texts;
  texts.reserve(all.size());
  for (const IpAddress& a : all) texts.push_back(a.text());
  EXPECT_EQ(texts, (std::vector<std::string>{"9.255.0.0", "10.0.0.1", "::", "::1"}));
  EXPECT_NE(address("0.0.0.0"), address("::"));
}

TEST(Prefix, HostBitsAreCleared) {
  struct Case {
    std::string_view in;
    std::string_view out;
  };
  constexpr Case kCases[] = {
      {"10.1.2.3/8", "10.0.0.0/8"},
      {"10.1.2.3/9", "10.0.0.0/9"},
      {"10.129.2.3/9", "10.128.0.0/9"},
      {"10.1.2.3", "10.1.2.3/32"},
      {"10.1.2.3/32", "10.1.2.3/32"},
      {"10.1.2.3/31", "10.1.2.2/31"},
      {"1.2.3.4/0", "0.0.0.0/0"},
      {"::1/0", "::/0"},
      {"2001:db8::1/127", "2001:db8::/127"},
      {"fe80::1", "fe80::1/128"},
  };
  for (const Case& c : kCases) EXPECT_EQ(prefix(c.in).text(), c.out) << c.in;
}

TEST(Prefix, BadOnesAreRejected) {
  for (const std::string_view text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/ 8",
        "10.0.0.0/8/8", "10.0.0.0/8x", "10/8", "10.0.0.0/99999999999"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
}

TEST(Prefix, ContainsItsRangeOfItsFamilyOnly) {
  EXPECT_TRUE(prefix("10.0.0.0/9").contains(address("10.127.255.255")));
  EXPECT_FALSE(prefix("10.0.0.0/9").contains(address("10.128.0.0")));
  EXPECT_TRUE(prefix("0.0.0.0/0").contains(address("255.1.2.3")));
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(address("::1")));
  EXPECT_FALSE(prefix("::/0").contains(address("10.0.0.1")));
  EXPECT_TRUE(prefix("10.0.0.1").contains(address("10.0.0.1")));
  EXPECT_FALSE(prefix("10.0.0.1").contains(address("10.0.0.2")));
  EXPECT_TRUE(prefix("2001:db8::/33").contains(address("2001:db8:7fff::1")));
  EXPECT_FALSE(prefix("2001:db8::/33").contains(address("2001:db8:8000::1")));
}

}  // namespace
}  // namespace hark
