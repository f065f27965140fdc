// Ports that answer though nobody listens there. IPVS: which service takes a packet, where it
// stands among the rules, what is published; no kernel with IPVS was there to compare with.
// Programs of type sk_lookup: what is left open; a real one is in tests/netns/sk_lookup_test.cpp.
#include "reach/ipvs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reach/nft_test_rules.h"
#include "reach/published.h"
#include "reach/reach_table.h"
#include "reach/routing_testing.h"
#include "reach/trace.h"

namespace hark::reach {
namespace {

using decode::IpvsBackend;
using decode::IpvsMethod;
using host::IpvsService;
using ::testing::HasSubstr;
using testing::ip;
using testing::kEth0;
using testing::SmallHost;

constexpr auto kVip = "10.1.0.1";

IpvsService service(std::uint8_t protocol, const char* address, std::uint16_t port,
                    std::vector<IpvsBackend> backends = {}) {
  return {.protocol = protocol,
          .address = ip(address),
          .port = port,
          .scheduler = "rr",
          .backends = std::move(backends)};
}
IpvsBackend server(const char* address, IpvsMethod method = IpvsMethod::Masq,
                   std::int64_t weight = 1) {
  return {ip(address), 8080, method, weight};
}

struct Served : SmallHost {
  Served() {
    host.namespaces.push_back({.inode = 1, .name = "host", .own = true, .entered = true});
    rule(0);
  }
  Answer ask(const char* from = "10.1.0.9", std::uint16_t port = 80,
             Protocol protocol = Protocol::Tcp) const {
    return trace(host, network,
                 {.protocol = protocol,
                  .source = ip(from),
                  .destination = ip(kVip),
                  .source_port = 40000,
                  .port = port,
                  .interface = std::string_view(from) == kVip ? 1U : kEth0});
  }
  void rules(const TestRules& some) { network.nft = some.network.nft; }
};

TEST(Ipvs, ASentOnPacketIsNeverRefusedForWantOfAListener) {
  Served world;
  world.network.ipvs = {service(kTcp, kVip, 80, {server("10.2.0.7"), server("10.2.0.8")})};
  for (const char* from : {"10.1.0.9", kVip}) {
    const Answer answer = world.ask(from);
    EXPECT_EQ(answer.outcome, Outcome::Unknown) << from;
    EXPECT_EQ(answer.certainty, Certainty::Unknown);
    EXPECT_EQ(answer.cause.code, "ipvs");
    EXPECT_THAT(answer.cause.text, HasSubstr("IPVS service tcp 10.1.0.1:80: to 10.2.0.7:8080 or "
                                             "10.2.0.8:8080, and not followed further"));
    EXPECT_EQ(answer.cause.evidence.front().verify, "ipvsadm -L -n");
  }
  // Another port, another protocol.
  EXPECT_EQ(world.ask("10.1.0.9", 81).cause.code, "no-socket");
  EXPECT_EQ(world.ask("10.1.0.9", 80, Protocol::Udp).cause.code, "no-socket");
}

TEST(Ipvs, StandsBehindTheInputChain) {
  Served world;
  world.network.ipvs = {service(kTcp, kVip, 80, {server("10.2.0.7")})};
  TestRules rules;
  rules.table("filter", nft::TableFamily::Ip);
  rules.base("in", kAtInput, 0, "filter");
  rules.rule("in", destination_port(80) + Rules{verdict(nft::Verdict::Drop)});
  world.rules(rules);
  EXPECT_EQ(world.ask().cause.code, "input-drop");
  EXPECT_EQ(world.ask().outcome, Outcome::Silent);
  // What stands behind it is not asked.
  TestRules late;
  late.table("filter", nft::TableFamily::Ip);
  late.base("in", kAtInput, 100, "filter");
  late.rule("in", destination_port(80) + Rules{verdict(nft::Verdict::Drop)});
  world.rules(late);
  EXPECT_EQ(world.ask().cause.code, "ipvs");
}

TEST(Ipvs, WithoutAServerIcmpSaysSo) {
  Served world;
  world.network.ipvs = {service(kTcp, kVip, 80, {server("10.2.0.7", IpvsMethod::Masq, 0)})};
  const Answer answer = world.ask();
  EXPECT_EQ(answer.outcome, Outcome::Refused);
  EXPECT_EQ(answer.icmp, "port-unreachable");
  EXPECT_EQ(answer.cause.code, "ipvs-no-server");
  EXPECT_THAT(answer.cause.text, HasSubstr("it has no server that takes new clients"));
  // Of a scheduler that is not the kernel's own nobody knows what it makes of weights.
  world.network.ipvs.front().scheduler = "mine";
  EXPECT_EQ(world.ask().outcome, Outcome::Unknown);
}

TEST(Ipvs, ItsLocalServerIsWhoeverListensHere) {
  Served world;
  world.network.ipvs = {service(kTcp, kVip, 80, {server(kVip, IpvsMethod::Local)})};
  EXPECT_EQ(world.ask().cause.code, "no-socket");
  host::Listener listener;
  listener.address = ip("0.0.0.0");
  listener.port = 80;
  world.host.listeners.push_back(listener);
  EXPECT_EQ(world.ask().outcome, Outcome::Answered);
}

TEST(Ipvs, WhichServiceTakesIt) {
  Served world;
  IpvsService ftp = service(kTcp, "10.1.0.2", 21);
  IpvsService every = service(kTcp, "10.1.0.3", 0);
  IpvsService marked{.mark = 7, .scheduler = "rr", .backends = {server("10.2.0.7")}};
  world.network.ipvs = {service(kTcp, kVip, 80), ftp, every, marked};
  const auto port = [&](const char* to, std::uint16_t at, std::uint32_t mark = 0,
                        std::uint8_t flags = kSyn) -> int {
    Packet packet;
    packet.family = ip(to).family;
    packet.tuple.destination = ip(to);
    packet.tuple.destination_port = at;
    packet.tcp_flags = flags;
    packet.mark = mark;
    const IpvsService* found = ipvs_service(world.network, packet);
    return found == nullptr ? -1 : found->mark != 0 ? 100000 : found->port;
  };
  EXPECT_EQ(port(kVip, 80), 80);
  EXPECT_EQ(port(kVip, 80, 0, kAck), -1) << "no first packet";
  EXPECT_EQ(port(kVip, 80, 0, kSyn | kAck), -1);
  EXPECT_EQ(port(kVip, 80, 7), 100000) << "a mark goes first";
  EXPECT_EQ(port(kVip, 80, 8), 80);
  EXPECT_EQ(port("fd01::1", 80, 7), -1) << "its servers are of the other family";
  EXPECT_EQ(port("10.1.0.2", 2000), -1) << "FTP's other connections are let through";
  world.network.ipvs[1].persistent = true;
  EXPECT_EQ(port("10.1.0.2", 2000), 21);
  EXPECT_EQ(port("10.1.0.2", 22), -1);
  EXPECT_EQ(port("10.1.0.3", 4711), 0);
}

TEST(Ipvs, ServicesArePublishedWithTheirServers) {
  Served world;
  world.network.ipvs = {
      service(kTcp, kVip, 80,
              {server("10.2.0.1"), server("10.2.0.8"), server("10.2.0.9", IpvsMethod::Masq, 0)})};
  host::Listener listener;
  listener.address = ip("0.0.0.0");
  listener.port = 8080;
  world.host.listeners.push_back(listener);
  host::Link kube;
  kube.index = 9;
  kube.name = "kube-ipvs0";
  world.network.links.push_back(kube);
  ReachTable table(world.host);
  table.add(world.network, {}, reach_all);
  table.find_published();
  ASSERT_EQ(table.published().size(), 1U);
  const PublishedPort& port = table.published().front();
  EXPECT_EQ(port.first_port(), 80);
  EXPECT_EQ(port.rules.front().told, "IPVS service tcp 10.1.0.1:80");
  EXPECT_TRUE(port.chance && port.certain && port.kube_proxy);
  EXPECT_FALSE(port.bypasses_input);
  ASSERT_EQ(port.leads_to.size(), 3U);
  EXPECT_EQ(port.leads_to[0].listener, 0U);
  EXPECT_EQ(port.leads_to[0].somebody_listens, true);
  EXPECT_EQ(port.leads_to[1].somebody_listens, std::nullopt);
  EXPECT_EQ(port.leads_to[2].server->weight, 0);
  EXPECT_EQ(port.reach.openness, Openness::Unknown);
  EXPECT_EQ(as_far_as(port.reach, "ipvs").openness, Openness::Anywhere);
}

TEST(Ipvs, WhatGoesByMarkIsAGap) {
  Served world;
  world.network.ipvs = {{.mark = 7, .scheduler = "rr"}};
  ReachTable table(world.host);
  table.add(world.network, {}, reach_all);
  table.find_published();
  EXPECT_TRUE(table.published().empty());
  ASSERT_EQ(table.published_gaps().size(), 1U);
  EXPECT_EQ(table.published_gaps().front().code, "ipvs-mark-not-listed");
}

TEST(SkLookup, HandsToItsSocketsOrDropsOrLeavesAlone) {
  using enum Outcome;
  Served world;
  host::Listener listener;
  listener.address = ip("127.0.0.1");
  listener.port = 7070;
  listener.socket.inode = 77;
  world.host.listeners.push_back(listener);
  host::AttachedProgram program;
  program.where = "sk-lookup";
  program.id = 12;
  program.name = "steer";
  program.sockets = {{.cookie = 5, .inode = 77}};
  struct Case {
    std::optional<std::vector<host::SteeredSocket>> sockets;
    Protocol protocol;
    std::vector<Outcome> possible;
  };
  const std::vector<Case> cases = {
      {{{{.cookie = 5, .inode = 77}}}, Protocol::Tcp, {Answered, Refused}},
      // One of TCP can take no datagram, and an empty map nothing at all.
      {{{{.cookie = 5, .inode = 77}}}, Protocol::Udp, {}},
      {std::vector<host::SteeredSocket>(), Protocol::Tcp, {}},
      {std::nullopt, Protocol::Tcp, {Refused, Unknown}},
      {{{{.cookie = 6}}}, Protocol::Tcp, {Refused, Unknown}},
  };
  for (const Case& one : cases) {
    program.sockets = one.sockets;
    world.network.programs = {program};
    const Answer answer = world.ask("10.1.0.9", 80, one.protocol);
    EXPECT_EQ(answer.possible, one.possible);
    EXPECT_EQ(answer.outcome, one.possible.empty() ? Refused : Depends);
    if (one.possible.empty()) continue;
    EXPECT_EQ(answer.cause.code, "sk-lookup");
    EXPECT_THAT(answer.cause.text, HasSubstr("BPF program 12 \"steer\" (sk_lookup)"));
  }
}

}  // namespace
}  // namespace hark::reach
