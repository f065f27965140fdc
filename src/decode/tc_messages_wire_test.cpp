#include <gtest/gtest.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>

#include "decode/link_facts.h"
#include "decode/netlink_attributes.h"
#include "decode/tc_messages.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

std::string words(const TcFilter& filter) {
  std::string out = std::to_string(filter.preference) + " " + filter.kind;
  if (!filter.understood) out += " ?";
  if (filter.direct_action) out += " da";
  if (filter.police) out += " police";
  if (!filter.program_name.empty()) out += " " + filter.program_name;
  for (const TcAction& action : filter.actions) {
    out += " " + action.kind + " verdict " + std::to_string(action.verdict);
    if (action.mirred != 0) out += " mirred " + std::to_string(action.mirred);
  }
  return out;
}

std::vector<std::string> filters_of(const char* file) {
  const auto all = decode_tc_filters(testdata(file));
  EXPECT_TRUE(all) << file;
  std::vector<std::string> lines;
  if (!all) return lines;
  for (const TcFilter& filter : *all) lines.push_back(words(filter));
  return lines;
}

using Lines = std::vector<std::string>;

TEST(Qdiscs, OfADump) {
  const auto all = decode_qdiscs(testdata("qdiscs.bin"));
  ASSERT_TRUE(all) << all.error().why;
  Lines lines;
  for (const TcQdisc& one : *all) {
    lines.push_back(std::to_string(one.link) + " " + one.kind + " " + std::to_string(one.handle));
  }
  EXPECT_EQ(lines, (Lines{"1 noqueue 0", "2 htb 65536", "2 ingress 4294901760", "3 noqueue 0",
                          "3 clsact 4294901760"}));
  EXPECT_EQ(all->at(1).parent, TC_H_ROOT);
  EXPECT_EQ(all->at(2).parent, TC_H_INGRESS);
}

TEST(TcFilters, OfDumps) {
  EXPECT_EQ(filters_of("filters-ingress.bin"),
            (Lines{"1 u32", "2 u32 mirred verdict 4 mirred 1", "3 u32 mirred verdict 3 mirred 2",
                   "6 bpf da facts_bpf.o:[tc]", "7 bpf facts_bpf.o:[classifier]"}));
  EXPECT_EQ(filters_of("filters-egress.bin"), (Lines{"7 bpf facts_bpf.o:[classifier]"}));
  EXPECT_EQ(filters_of("filters-ingress-qdisc.bin"), (Lines{"9 u32 mirred verdict 4 mirred 3"}));
  EXPECT_EQ(filters_of("filters-root.bin"), (Lines{"49152 u32"}));
  const auto all = decode_tc_filters(testdata("filters-ingress.bin"));
  EXPECT_EQ(all->at(0).protocol, 0x0800);
  EXPECT_EQ(all->at(3).protocol, 0x0003);  // ETH_P_ALL
  EXPECT_NE(all->at(3).program, 0U);
  EXPECT_EQ(all->at(1).actions.at(0).link, 4U);
}

TEST(TcFilters, EveryBeginningIsAnErrorOrEndsBetweenMessages) {
  const Bytes whole = testdata("filters-ingress.bin");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto some = decode_tc_filters(cut);
    EXPECT_LE(some ? some->size() : 0U, 5U);
  }
}

Bytes filter_message(std::string_view kind, const Bytes& options) {
  tcmsg header{};
  header.tcm_handle = 1;
  header.tcm_ifindex = 3;
  Bytes body;
  append_value(body, header);
  append_attribute(body, TCA_KIND, as_bytes(kind));
  append_attribute(body, TCA_OPTIONS, options);
  return netlink_request(RTM_NEWTFILTER, 0, body);
}

Bytes gact(std::int32_t verdict) {
  tc_gact parameters{};
  parameters.action = verdict;
  Bytes options;
  append_attribute(options, TCA_GACT_PARMS, std::as_bytes(std::span(&parameters, 1)));
  Bytes action;
  append_attribute(action, TCA_ACT_KIND, as_bytes("gact"));
  append_attribute(action, TCA_ACT_OPTIONS, options);
  Bytes list;
  append_attribute(list, 1, action);
  return list;
}

/// Kinds that the kernel of the other bytes was built without.
TEST(TcFilters, OfOtherKinds) {
  Bytes options;
  append_attribute(options, TCA_FLOWER_ACT, gact(TC_ACT_SHOT));
  auto filters = decode_tc_filters(filter_message("flower", options));
  ASSERT_TRUE(filters);
  EXPECT_EQ(words(filters->at(0)), "0 flower gact verdict 2");
  options.clear();
  append_attribute(options, TCA_BASIC_POLICE, as_bytes("...."));
  EXPECT_EQ(words(decode_tc_filters(filter_message("basic", options))->at(0)), "0 basic police");
  EXPECT_EQ(words(decode_tc_filters(filter_message("newest", options))->at(0)), "0 newest ?");
}

TEST(TcFilters, BadMessagesAreErrors) {
  EXPECT_FALSE(decode_tc_filters(netlink_request(RTM_NEWTFILTER, 0, as_bytes("short"))));
  EXPECT_FALSE(decode_tc_filters(filter_message("", {})));
  EXPECT_FALSE(decode_qdiscs(testdata("filters-ingress.bin")));
}

TEST(LinkFacts, AProgramOfGenericXdp) {
  const auto links = decode_link_facts(testdata("link-xdp.bin"));
  ASSERT_TRUE(links) << links.error().why;
  ASSERT_EQ(links->at(0).xdp.size(), 1U);
  EXPECT_EQ(links->at(0).xdp[0].mode, 2);  // XDP_ATTACHED_SKB
  EXPECT_NE(links->at(0).xdp[0].id, 0U);
}

}  // namespace
}  // namespace hark::decode
