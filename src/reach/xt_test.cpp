// Tables and ipsets of the kernel, and what becomes of packets: the bytes are those of
// src/decode/testdata.
#include "reach/xt.h"

#include <gtest/gtest.h>

#include <set>

#include "decode/testing.h"
#include "reach/test_world.h"
#include "reach/xt_prepared.h"

namespace hark::reach {
namespace {

using End = HookResult::End;
constexpr std::size_t kInfo = 84;  // sizeof(ipt_getinfo)

host::LegacyTable table_of(const std::string& name) {
  const Bytes all = decode::testdata("iptables-" + name + ".bin");
  host::LegacyTable out;
  out.name = name;
  out.info = Bytes(all.begin(), all.begin() + kInfo);
  out.entries = Bytes(all.begin() + kInfo, all.end());
  return out;
}

/// The host of testdata: iptables-filter.bin and the sets that were there.
struct XtHost : TestWorld {
  XtHost() {
    for (const char* name : {"filter", "nat"}) network.legacy.push_back(table_of(name));
    const auto headers = decode::decode_ipset_headers(decode::testdata("ipset-headers.bin"));
    for (const auto& header : *headers)
      network.ip_sets.push_back({.name = header.name,
                                 .index = header.index.value_or(0),
                                 .type = header.type,
                                 .messages = decode::testdata("ipset-" + header.name + ".bin")});
  }

  HookResult input(Packet packet) {
    ConntrackView view;
    view.connection.emplace();
    World here = world();
    return run_legacy_table(here, HookPoint::Input, network.legacy[0], packet, view);
  }

  /// Does a rule with `-m set` match?
  XtMatched in_set(std::uint16_t index, std::uint8_t dimensions, std::uint8_t flags,
                   const Packet& packet) {
    Bytes info;  // struct xt_set_info_match_v4
    append_value(info, index);
    append_value(info, dimensions);
    append_value(info, flags);
    info.resize(48);
    const ConntrackView view;
    World here = world();
    return xt_match(here, {HookPoint::Input, Family::Inet, "here"}, {"set", 4, info}, packet, view);
  }
  std::uint16_t index(const char* name) const {
    for (const auto& set : network.ip_sets)
      if (set.name == name) return set.index;
    ADD_FAILURE() << name;
    return 0;
  }
};

Packet from(const char* source, std::uint16_t port, std::uint8_t protocol = kTcp) {
  Packet packet = packet_to(protocol, "10.9.0.1", port);
  packet.tuple.source = ip(source);
  packet.ct = CtState::New;
  return packet;
}

TEST(XtRunTable, FollowsJumpsAndReturns) {
  XtHost host;
  const HookResult accepted = host.input(from("10.9.0.2", 22));
  EXPECT_EQ(accepted.end, End::Accept);
  ASSERT_TRUE(accepted.place);
  EXPECT_EQ(accepted.place->chain, "ssh");
  EXPECT_EQ(accepted.place->number, 1U);
  EXPECT_EQ(accepted.place->rule, "-A ssh -s 10.9.0.0/16 -j ACCEPT");
  EXPECT_EQ(accepted.place->tool, "iptables");
  // RETURN comes back to INPUT, where nothing but the policy is left.
  const HookResult returned = host.input(from("10.8.0.2", 22));
  EXPECT_EQ(returned.end, End::Drop);
  ASSERT_TRUE(returned.place);
  EXPECT_TRUE(returned.place->policy);
  EXPECT_EQ(returned.place->chain, "INPUT");
  EXPECT_TRUE(host.choices.taken().empty());
}

TEST(XtRunTable, AGotoDoesNotComeBack) {
  XtHost host;
  const HookResult result = host.input(from("10.8.0.2", 99));
  EXPECT_EQ(result.end, End::Drop);
  ASSERT_TRUE(result.place);
  EXPECT_TRUE(result.place->policy);
}

TEST(XtRunTable, ALimitMayMatchOrNot) {
  XtHost host;
  std::set<End> ends;
  ASSERT_TRUE(explore([&](Choices& choices) {
    XtHost one;
    World world{.host = one.host,
                .network = one.network,
                .choices = choices,
                .path = one.path,
                .assumptions = one.assumptions,
                .waived = one.waived};
    Packet packet = from("10.7.0.2", 22);
    ConntrackView view;
    view.connection.emplace();
    ends.insert(run_legacy_table(world, HookPoint::Input, one.network.legacy[0], packet, view).end);
    ASSERT_EQ(choices.taken().size(), 1U);
    const Condition& condition = choices.taken()[0].condition;
    EXPECT_EQ(condition.code, "rate-limit");
    EXPECT_EQ(condition.text, "-m limit --limit 3/min of iptables filter ssh rule 3");
  }));
  EXPECT_EQ(ends, (std::set<End>{End::Accept, End::Drop}));
}

TEST(XtRunTable, RejectsInItsOwnWay) {
  XtHost host;
  const HookResult error = host.input(from("11.0.0.1", 53, kUdp));
  EXPECT_EQ(error.end, End::Reject);
  EXPECT_FALSE(error.tcp_reset);
  EXPECT_EQ(error.icmp_type, 3);
  EXPECT_EQ(error.icmp_code, 3);
  EXPECT_TRUE(host.input(from("10.7.0.1", 53, kUdp)).place->policy);
  EXPECT_TRUE(host.input(from("10.7.0.1", 113)).tcp_reset);
}

TEST(XtRunTable, SaysWhatStandsInAComment) {
  XtHost host;
  const HookResult result = host.input(from("10.7.0.1", 8050));
  EXPECT_EQ(result.end, End::Accept);
  EXPECT_EQ(result.place->comment, "the web");
  EXPECT_EQ(host.input(from("10.7.0.1", 8101)).end, End::Drop);
}

TEST(XtRunTable, StateAndDevicesCount) {
  XtHost host;
  Packet established = from("10.7.0.1", 4000);
  established.ct = CtState::Established;
  EXPECT_EQ(host.input(established).place->number, 2U);
  host::Link lo;
  lo.index = 1;
  lo.name = "lo";
  host.network.links.insert(host.network.links.begin(), lo);
  Packet local = from("10.7.0.1", 4000);
  local.in = 1;
  EXPECT_EQ(host.input(local).place->number, 1U);
}

TEST(XtRunTable, AWaivedRuleIsPassedOver) {
  XtHost host;
  const Packet packet = from("10.0.0.1", 4000);
  const HookResult first = host.input(packet);
  ASSERT_TRUE(first.place);
  EXPECT_EQ(first.place->rule, "-A INPUT -m set --match-set blocked src -j DROP");
  host.waived.push_back(key_of(*first.place));
  const HookResult second = host.input(packet);
  EXPECT_TRUE(second.place->policy);
  host.waived.push_back(key_of(*second.place));
  EXPECT_EQ(host.input(packet).end, End::Accept);
}

TEST(XtRunTable, HasTheSameAnswerWhenPrepared) {
  XtHost host;
  const PreparedXt prepared(host.network);
  World world = host.world();
  world.xt = &prepared;
  Packet packet = from("10.0.0.1", 4000);
  ConntrackView view;
  EXPECT_EQ(
      run_legacy_table(world, HookPoint::Input, host.network.legacy[0], packet, view).place->number,
      5U);
}

TEST(XtRunTable, NatSetsTheMapping) {
  XtHost host;
  Packet packet = from("10.9.0.2", 81);
  ConntrackView view;
  Connection connection;
  connection.protocol = kTcp;
  connection.original = packet.tuple;
  connection.reply = {.source = packet.tuple.destination,
                      .destination = packet.tuple.source,
                      .source_port = packet.tuple.destination_port,
                      .destination_port = packet.tuple.source_port};
  view.connection = connection;
  World world = host.world();
  const HookResult result =
      run_legacy_table(world, HookPoint::Prerouting, host.network.legacy[1], packet, view);
  EXPECT_EQ(result.end, End::Accept);
  EXPECT_EQ(result.place->number, 2U);
  EXPECT_TRUE(view.connection->destination_nat);
  EXPECT_EQ(view.connection->reply.source_port, 80);
}

TEST(XtRunTable, ATableThatIsNotUnderstoodMayDoAnything) {
  XtHost host;
  host.network.legacy[0].entries.resize(100);
  EXPECT_EQ(host.input(from("10.0.0.1", 1)).end, End::Accept);
  ASSERT_EQ(host.choices.taken().size(), 1U);
  EXPECT_EQ(host.choices.taken()[0].condition.doubt, Doubt::Opaque);
}

constexpr std::uint8_t kSrc = 2, kSrcDst = 2, kInvert = 1;

TEST(XtSet, LongestNetworkDecides) {
  XtHost host;
  const std::uint16_t nets = host.index("nets");
  EXPECT_EQ(host.in_set(nets, 1, kSrc, from("10.5.0.1", 1)), XtMatched::Yes);
  EXPECT_EQ(host.in_set(nets, 1, kSrc, from("10.1.5.1", 1)), XtMatched::No);
  EXPECT_EQ(host.in_set(nets, 1, kSrc, from("10.1.2.1", 1)), XtMatched::Yes);
  EXPECT_EQ(host.in_set(nets, 1, kSrc, from("11.0.0.1", 1)), XtMatched::No);
  EXPECT_EQ(host.in_set(nets, 1, kSrc | kInvert, from("11.0.0.1", 1)), XtMatched::Yes);
  EXPECT_EQ(host.in_set(nets, 1, 0, from("11.0.0.1", 1)), XtMatched::Yes);
}

TEST(XtSet, EveryDimensionHasItsDirection) {
  XtHost host;
  Packet packet = from("10.2.3.4", 22);
  // netports: 10.2.0.0/16,tcp:22 as source, destination port.
  EXPECT_EQ(host.in_set(host.index("netports"), 2, kSrcDst, packet), XtMatched::Yes);
  EXPECT_EQ(host.in_set(host.index("netports"), 2, kSrc | 4, packet), XtMatched::No);
  packet.protocol = kUdp;
  EXPECT_EQ(host.in_set(host.index("netports"), 2, kSrcDst, packet), XtMatched::No);
  // A rule that names fewer directions than the set has never matches.
  EXPECT_EQ(host.in_set(host.index("netports"), 1, kSrc, from("10.2.3.4", 22)), XtMatched::No);
}

TEST(XtSet, NetmasksBitmapsAndLists) {
  XtHost host;
  EXPECT_EQ(host.in_set(host.index("subnets"), 1, kSrc, from("192.168.7.200", 1)), XtMatched::Yes);
  EXPECT_EQ(host.in_set(host.index("subnets"), 1, kSrc, from("192.168.8.9", 1)), XtMatched::No);
  EXPECT_EQ(host.in_set(host.index("ports"), 1, 0, from("1.1.1.1", 81)), XtMatched::Yes);
  EXPECT_EQ(host.in_set(host.index("ports"), 1, 0, from("1.1.1.1", 82)), XtMatched::No);
  EXPECT_EQ(host.in_set(host.index("all"), 1, kSrc, from("10.0.0.2", 1)), XtMatched::Yes);
  EXPECT_EQ(host.in_set(host.index("all"), 1, kSrc, from("12.0.0.2", 1)), XtMatched::No);
  EXPECT_TRUE(host.choices.taken().empty());
}

TEST(XtSet, AnUnreadSetLeavesItOpen) {
  XtHost host;
  EXPECT_EQ(host.in_set(77, 1, kSrc, from("10.0.0.2", 1)), XtMatched::Yes);
  ASSERT_EQ(host.choices.taken().size(), 1U);
  EXPECT_EQ(host.choices.taken()[0].condition.doubt, Doubt::Unread);
}

XtMatched ask(TestWorld& host, const decode::nft::XtMatch& match, const Packet& packet,
              const ConntrackView& view = {}) {
  World world = host.world();
  return xt_match(world, {HookPoint::Input, packet.family, "here"}, match, packet, view);
}

TEST(XtMatch, WhatIsNotKnownIsOpaque) {
  TestWorld host;
  EXPECT_EQ(ask(host, {"fancy", 0, Bytes(8)}, from("10.0.0.1", 1)), XtMatched::Yes);
  ASSERT_EQ(host.choices.taken().size(), 1U);
  EXPECT_EQ(host.choices.taken()[0].condition.code, "xt-match");
  EXPECT_EQ(host.choices.taken()[0].condition.text, "-m fancy [revision 0] of here");
}

TEST(XtMatch, AnOwnerIsOnlyOfPacketsWithASocket) {
  TestWorld host;
  Bytes info;  // struct xt_owner_match_info
  for (const std::uint32_t number : {1000U, 1000U, 0U, 0U}) append_value(info, number);
  append_value(info, std::uint16_t{1});
  info.resize(24);
  Packet packet = from("10.0.0.1", 1);
  EXPECT_EQ(ask(host, {"owner", 1, info}, packet), XtMatched::No);
  packet.from_socket = true;
  packet.socket_uid = 1000;
  EXPECT_EQ(ask(host, {"owner", 1, info}, packet), XtMatched::Yes);
  info[17] = std::byte{1};  // inverted
  EXPECT_EQ(ask(host, {"owner", 1, info}, packet), XtMatched::No);
  packet.from_socket = false;
  EXPECT_EQ(ask(host, {"owner", 1, info}, packet), XtMatched::Yes);
  EXPECT_TRUE(host.choices.taken().empty());
}

TEST(XtMatch, AFirstPacketHasNoTextToMatch) {
  TestWorld host;
  Bytes info(2 * sizeof(std::uint16_t));  // struct xt_string_info
  info[2] = info[3] = std::byte{0xff};
  info.resize(4 + 16);
  append(info, std::string_view("GET /"));
  info.resize(4 + 16 + 128);
  append_value(info, std::uint8_t{5});
  info.resize(160);
  EXPECT_EQ(ask(host, {"string", 1, info}, from("10.0.0.1", 80)), XtMatched::No);
  EXPECT_TRUE(host.choices.taken().empty());
  EXPECT_EQ(ask(host, {"string", 1, info}, from("10.0.0.1", 80, kUdp)), XtMatched::Yes);
  EXPECT_EQ(host.choices.taken().size(), 1U);
}

}  // namespace
}  // namespace hark::reach
