#include <gtest/gtest.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>

#include <algorithm>

#include "decode/conntrack.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

ConntrackQuery tcp_query() {
  return {.protocol = 6,
          .source = address("127.0.0.1"),
          .destination = address("127.0.0.1"),
          .source_port = {},
          .destination_port = 8080};
}

TEST(Conntrack, OfADump) {
  const auto all = decode_conntrack(testdata("conntrack.bin"));
  ASSERT_TRUE(all) << all.error().why;
  ASSERT_EQ(all->size(), 4U);
  const auto six = std::find_if(all->begin(), all->end(), [](const ConntrackRecord& one) {
    return one.source.family == Family::Inet6;
  });
  ASSERT_NE(six, all->end());
  EXPECT_EQ(six->source, address("::1"));
  EXPECT_EQ(six->source_port, 40006);
  EXPECT_EQ(six->destination_port, 8080);
  EXPECT_EQ(six->reply_source_port, 8080);
  EXPECT_EQ(six->reply_destination_port, 40006);
  EXPECT_EQ(six->tcp_state, TCP_CONNTRACK_ESTABLISHED);
  EXPECT_EQ(six->status & (IPS_SEEN_REPLY | IPS_ASSURED), unsigned{IPS_SEEN_REPLY | IPS_ASSURED});
  EXPECT_EQ(six->zone, 0);
  const auto count = [](const auto& records) { return records.size(); };
  const auto decode = [](ByteView bytes) { return decode_conntrack(bytes); };
  EXPECT_EQ(accepted_beginnings(testdata("conntrack.bin"), decode, count), 4U);
}

/// A kernel that filters and one that does not give the same.
TEST(Conntrack, OfOneQuestion) {
  auto by_kernel = decode_conntrack(testdata("conntrack-filter.bin"));
  const auto by_hark = decode_conntrack(testdata("conntrack.bin"), tcp_query());
  ASSERT_TRUE(by_kernel && by_hark);
  ASSERT_EQ(by_kernel->size(), 2U);
  const auto port = [](const ConntrackRecord& one) { return one.source_port; };
  auto sorted = *by_hark;
  std::ranges::sort(sorted, {}, port);
  std::ranges::sort(*by_kernel, {}, port);
  EXPECT_EQ(sorted, *by_kernel);
  ConntrackQuery one = tcp_query();
  one.source_port = 40002;
  EXPECT_EQ(decode_conntrack(testdata("conntrack.bin"), one)->size(), 1U);
  EXPECT_EQ(decode_conntrack(testdata("conntrack-filter-udp.bin"), one)->size(), 0U);
  const auto udp = decode_conntrack(testdata("conntrack-filter-udp.bin"));
  ASSERT_EQ(udp->size(), 1U);
  EXPECT_EQ(udp->at(0).destination_port, 53);
  EXPECT_EQ(udp->at(0).tcp_state, 0);
}

/// The very bytes to which the kernel gave conntrack-filter.bin.
TEST(Conntrack, ARequestHasTheQuestion) {
  EXPECT_EQ(
      conntrack_request(tcp_query()),
      from_hex("4c000000010101030000000000000000020000002c00018014000180080001007f00000108000200"
               "7f000001140002800500010006000000060003001f9000000c001980080001002b000000"));
}

}  // namespace
}  // namespace hark::decode
