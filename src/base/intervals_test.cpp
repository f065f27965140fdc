#include "base/intervals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace hark {
namespace {

AddressRange range(const char* first, const char* last) {
  return {*IpAddress::parse(first), *IpAddress::parse(last)};
}

PortSet ports(std::vector<Interval<std::uint16_t>> ranges) {
  return PortSet(std::move(ranges));
}

std::string words(const AddressSet& set) {
  std::string out;
  for (const Prefix& prefix : prefixes_of(set)) out += (out.empty() ? "" : " ") + prefix.text();
  return out;
}

TEST(Intervals, JoinsWhatOverlapsAndTouches) {
  EXPECT_EQ(ports({{5, 9}, {1, 2}, {10, 12}, {7, 8}, {3, 3}, {4, 1}}).ranges(),
            (std::vector<Interval<std::uint16_t>>{{1, 3}, {5, 12}}));
  EXPECT_EQ(ports({{0, 65535}, {65535, 65535}, {3, 9}}), all_ports());
}

TEST(Intervals, KnowsTheEndsOfTheRange) {
  EXPECT_TRUE(all_ports().minus(all_ports()).empty());
  EXPECT_EQ(all_ports().minus(ports({{0, 0}, {65535, 65535}})), ports({{1, 65534}}));
  const AddressSet all = all_addresses(Family::Inet6);
  EXPECT_TRUE(all.minus(all).empty());
  EXPECT_EQ(words(all), "::/0");
  EXPECT_EQ(words(all_addresses(Family::Inet)), "0.0.0.0/0");
}

TEST(Intervals, FewestPrefixes) {
  EXPECT_EQ(words(AddressSet(range("10.0.0.0", "10.255.255.255"))), "10.0.0.0/8");
  EXPECT_EQ(words(AddressSet(range("10.0.0.1", "10.0.0.6"))),
            "10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32");
  EXPECT_EQ(words(AddressSet(range("255.255.255.254", "255.255.255.255"))), "255.255.255.254/31");
  EXPECT_EQ(words(AddressSet(range("::", "::2"))), "::/127 ::2/128");
  EXPECT_EQ(
      words(all_addresses(Family::Inet).minus(AddressSet(range("0.0.0.0", "127.255.255.255")))),
      "128.0.0.0/1");
}

/// Every range that crosses two bytes: each block is the largest that fits, and none is missing.
TEST(Intervals, PrefixesOfEveryRange) {
  const auto address = [](unsigned number) {
    return IpAddress{.family = Family::Inet,
                     .bytes = {10, 0, static_cast<std::uint8_t>(number >> 8U),
                               static_cast<std::uint8_t>(number)}};
  };
  const unsigned least = 256 - 40;
  const unsigned most = 256 + 40;
  for (unsigned first = least; first < most; ++first) {
    for (unsigned last = first; last < most; ++last) {
      unsigned next = first;
      for (const Prefix& prefix : prefixes_of(AddressSet({address(first), address(last)}))) {
        unsigned size = 1;
        while (next % (size * 2) == 0 && next + size * 2 - 1 <= last) size *= 2;
        ASSERT_EQ(prefix.address, address(next)) << first << "-" << last;
        ASSERT_EQ(range_of(prefix).last, address(next + size - 1)) << first << "-" << last;
        next += size;
      }
      ASSERT_EQ(next, last + 1);
    }
  }
}

/// The same by counting each value.
TEST(Intervals, OperationsAsOnSingleValues) {
  std::mt19937 engine(7);
  const auto dice = [&engine](unsigned most) { return static_cast<unsigned>(engine() % most); };
  const auto any = [&dice] {
    std::vector<Interval<std::uint16_t>> out;
    for (unsigned i = dice(6); i > 0; --i) {
      const auto first = static_cast<std::uint16_t>(65'500 + dice(36));
      out.push_back({first, static_cast<std::uint16_t>(std::min(65'535U, first + dice(9)))});
    }
    return ports(std::move(out));
  };
  for (unsigned turn = 0; turn < 2000; ++turn) {
    const PortSet a = any();
    const PortSet b = any();
    const PortSet both = a.intersect(b);
    const PortSet rest = a.minus(b);
    const PortSet either = a.unite(b);
    for (unsigned value = 65'490; value <= 65'535; ++value) {
      const auto port = static_cast<std::uint16_t>(value);
      ASSERT_EQ(both.contains(port), a.contains(port) && b.contains(port));
      ASSERT_EQ(rest.contains(port), a.contains(port) && !b.contains(port));
      ASSERT_EQ(either.contains(port), a.contains(port) || b.contains(port));
    }
    ASSERT_EQ(rest.unite(both), a);
  }
}

}  // namespace
}  // namespace hark
