// Packets that are passed on to other namespaces of the host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/netns_parts.h"
#include "host/fake_source.h"
#include "host/networks.h"
#include "reach/nft_test_rules.h"
#include "reach/routing_testing.h"
#include "reach/segment.h"
#include "reach/trace.h"

namespace hark::reach {
namespace {

using testing::ip;
using testing::kEth0;
using testing::net;
using testing::SmallHost;

constexpr host::NetnsId kContainer{1};
constexpr std::uint32_t kBridge = 10, kPort = 11, kInside = 2;
constexpr std::int32_t kNumber = 5;

host::Link link_of(std::uint32_t index, const char* name, const char* kind) {
  host::Link link;
  link.index = index;
  link.name = name;
  link.kind = kind;
  link.flags = fib::kLinkUp;
  link.ipv4 = host::Ipv4Settings{};
  return link;
}

/// A host with 172.18.0.1/24 on br0, at whose only port a container is, with 172.18.0.2 on eth0.
struct World2 : SmallHost {
  host::Network container;
  host::FakeSource source;
  std::vector<kernel::NetnsRef> ways = {{.inode = 1, .paths = {}}, {.inode = 2, .paths = {"/c"}}};

  World2() {
    host.namespaces.push_back({.inode = 1, .name = "host", .own = true, .entered = true});
    host.namespaces.push_back({.inode = 2, .name = "web", .own = false, .entered = true});
    network.netns = host::NetnsId{0};
    network.settings.ipv4_all.forwarding = 1;
    for (host::Link& link : network.links) link.ipv4->forwarding = 1;
    host::Link bridge = link_of(kBridge, "br0", "bridge");
    bridge.ipv4->forwarding = 1;
    network.links.push_back(bridge);
    host::Link port = link_of(kPort, "veth0", "veth");
    port.master = kBridge;
    port.slave_kind = "bridge";
    port.peer = kInside;
    port.peer_netns = kNumber;
    network.links.push_back(port);
    add_address(kBridge, "172.18.0.1", "172.18.0.0/24");

    SmallHost inside;
    container = inside.network;
    container.netns = kContainer;
    container.addresses.clear();
    container.routes.clear();
    container.links = {container.links[0], link_of(kInside, "eth0", "veth")};
    container.links[1].peer = kPort;
    container.links[1].peer_netns = 0;
    std::swap(network, container);
    add_address(1, "127.0.0.1", "127.0.0.0/8", fib::kScopeHost);
    add_address(kInside, "172.18.0.2", "172.18.0.0/24");
    route("0.0.0.0/0", kInside).hops[0].gateway = ip("172.18.0.1");
    std::swap(network, container);
    number(1, {{.inode = 2, .number = kNumber}});
  }

  void number(std::uint64_t in, const std::vector<NetnsNumber>& numbers) {
    Bytes bytes;
    for (const NetnsNumber& one : numbers) append_value(bytes, one);
    source.netns_numbers(in, std::move(bytes));
  }

  host::Listener& listen(host::NetnsId netns, const char* address, std::uint16_t port) {
    host::Listener listener;
    listener.address = ip(address);
    listener.port = port;
    listener.netns = netns;
    listener.socket.inode = static_cast<std::uint32_t>(100 + host.listeners.size());
    return host.listeners.emplace_back(listener);
  }

  [[nodiscard]] Answer ask(const char* from, const char* to, std::uint16_t port) {
    host::Networks networks(source, host, ways);
    networks.know(network);
    networks.know(container);
    return Tracer(host, network, &networks)
        .trace({.source = ip(from),
                .destination = ip(to),
                .source_port = 40000,
                .port = port,
                .interface = kEth0});
  }
};

TEST(Forwarding, OtherEndsAreFoundByTheNumbersOfNamespaces) {
  World2 world;
  host::Networks networks(world.source, world.host, world.ways);
  const host::Link& port = world.network.links.back();
  EXPECT_EQ(networks.other_end(world.network, port), (host::LinkEnd{kContainer, kInside}));
  // The container does not say what it calls the host: it is known from the other side.
  EXPECT_EQ(networks.other_end(world.container, world.container.links[1]),
            (host::LinkEnd{host::NetnsId{0}, kPort}));
  host::Link here = port;
  here.peer_netns.reset();
  here.peer = kEth0;
  EXPECT_EQ(networks.other_end(world.network, here), (host::LinkEnd{host::NetnsId{0}, kEth0}));
  host::Link unknown = port;
  unknown.index = 99;
  unknown.peer_netns = kNumber + 1;
  EXPECT_EQ(networks.other_end(world.network, unknown), std::nullopt);
  EXPECT_EQ(networks.command_prefix(kContainer), "nsenter --net=/c ");
  EXPECT_EQ(networks.command_prefix(host::NetnsId{0}), "");
}

TEST(Forwarding, SegmentsHaveWhoIsAtThePortsOfABridge) {
  World2 world;
  host::Networks networks(world.source, world.host, world.ways);
  networks.know(world.network);
  networks.know(world.container);
  const auto behind = [&](std::uint32_t link) {
    Spaces spaces(world.host, world.network, &networks);
    return segment_behind(spaces, world.network, link);
  };
  Segment segment = behind(kBridge);
  ASSERT_EQ(segment.stations.size(), 1U);
  EXPECT_EQ(segment.stations[0].at, (host::LinkEnd{kContainer, kInside}));
  EXPECT_EQ(segment.owners_of(ip("172.18.0.2")).size(), 1U);
  EXPECT_FALSE(segment.open);
  EXPECT_TRUE(behind(kEth0).open);
  EXPECT_TRUE(behind(kEth0).unread.empty());
  world.network.links.back().carrier = false;
  EXPECT_TRUE(behind(kBridge).stations.empty());
  world.network.links.back().carrier = true;
  world.number(1, {});
  host::Networks blind(world.source, world.host, world.ways);
  Spaces spaces(world.host, world.network, &blind);
  segment = segment_behind(spaces, world.network, kBridge);
  EXPECT_TRUE(segment.stations.empty());
  EXPECT_EQ(segment.unread, "the other end of veth0");
}

TEST(Forwarding, ListenersOfContainersAnswer) {
  World2 world;
  world.listen(kContainer, "0.0.0.0", 80);
  world.listen(kContainer, "127.0.0.1", 81);
  const Answer answered = world.ask("192.0.2.1", "172.18.0.2", 80);
  EXPECT_EQ(answered.outcome, Outcome::Answered);
  EXPECT_EQ(answered.delivers_to, 0U);
  EXPECT_EQ(answered.certainty, Certainty::Exact);
  EXPECT_TRUE(std::ranges::any_of(answered.path,
                                  [](const Step& step) { return step.netns == kContainer; }));
  const Answer loopback = world.ask("192.0.2.1", "172.18.0.2", 81);
  EXPECT_EQ(loopback.outcome, Outcome::Refused);
  EXPECT_EQ(loopback.cause.code, "bound-other-addr");
  EXPECT_THAT(loopback.cause.text, ::testing::StartsWith("in web: "));
  EXPECT_THAT(loopback.cause.evidence.front().verify, ::testing::StartsWith("nsenter --net=/c "));
  const Answer closed = world.ask("192.0.2.1", "172.18.0.2", 82);
  EXPECT_EQ(closed.cause.code, "no-socket");
  EXPECT_THAT(closed.cause.text, ::testing::HasSubstr("; there is tcp 80"));
}

TEST(Forwarding, WhoeverCannotBeReadIsNotGuessed) {
  World2 world;
  world.listen(kContainer, "0.0.0.0", 80);
  world.number(1, {});
  const Answer unread = world.ask("192.0.2.1", "172.18.0.2", 80);
  EXPECT_EQ(unread.outcome, Outcome::Unknown);
  EXPECT_EQ(unread.certainty, Certainty::Unknown);
  EXPECT_EQ(unread.cause.code, "forwarded");
  EXPECT_THAT(unread.cause.text, ::testing::HasSubstr("veth0, whose namespace cannot be read"));
  world.number(1, {{.inode = 2, .number = kNumber}});
  EXPECT_EQ(world.ask("192.0.2.1", "172.18.0.9", 80).cause.code, "neigh-failed");
}

TEST(Forwarding, AnswersThatDoNotComeBack) {
  World2 world;
  world.listen(kContainer, "0.0.0.0", 80);
  std::erase_if(world.container.routes,
                [](const host::Route& route) { return route.destination.length == 0; });
  const Answer lost = world.ask("192.0.2.1", "172.18.0.2", 80);
  EXPECT_EQ(lost.outcome, Outcome::Silent);
  EXPECT_EQ(lost.cause.code, "no-route-back");
  EXPECT_THAT(lost.cause.text, ::testing::StartsWith("in web: "));
}

}  // namespace
}  // namespace hark::reach
