#include "reach/translations.h"

#include <gtest/gtest.h>

#include <optional>

#include "reach/nft_test_rules.h"

namespace hark::reach {
namespace {

using Kind = Translation::Kind;

Rules l4proto(unsigned number) {
  return {load_meta(nft::MetaKey::L4proto), is(hex_bytes({number}))};
}
Rules tcp_port(unsigned port) {
  return l4proto(6) + destination_port(port);
}
IpAddress address(const char* text) {
  return *IpAddress::parse(text);
}
Bytes bytes_of(const char* text) {
  Bytes out;
  for (std::size_t i = 0; i < 4; ++i) out.push_back(static_cast<std::byte>(address(text).bytes[i]));
  return out;
}
/// `dnat to ADDRESS:PORT`
Rules dnat(const char* to, unsigned port) {
  return {
      value(bytes_of(to), 0), value(port_bytes(port), 4),
      expression(nft::Nat{
          .destination = true, .family = 2, .address_min = 0, .address_max = 0, .port_min = 4})};
}

struct Nat : TestRules {
  Nat() {
    table("nat", nft::TableFamily::Ip);
    base("pre", kAtPrerouting, -100, "nat");
  }
  /// They refer to the rules, which stay.
  [[nodiscard]] std::vector<Translation> found() {
    rules_.emplace(network);
    return translations_of(*rules_, network).all;
  }
  std::optional<FirewallRules> rules_ = {};
  void element(nft::Set& set, Bytes key, std::optional<Bytes> data, std::string chain = {}) {
    nft::Element out;
    out.key = std::move(key);
    if (data) out.data = std::move(*data);
    if (!chain.empty()) {
      out.verdict = nft::VerdictTo{.verdict = nft::Verdict::Goto, .chain = std::move(chain)};
    }
    set.elements->push_back(std::move(out));
  }
};

TEST(Translations, ThroughAChain) {
  Nat nat;
  nat.chain("docker");
  nat.rule("pre", {expression(nft::Fib{.dreg = 0, .result = 3, .flags = nft::kFibDestination}),
                   is(host_number(2)), verdict(nft::Verdict::Jump, "docker")});
  nat.rule("docker", tcp_port(8080) + dnat("172.17.0.2", 80));
  const auto found = nat.found();
  ASSERT_EQ(found.size(), 1U);
  const Translation& one = found.front();
  EXPECT_EQ(one.kind, Kind::Dnat);
  EXPECT_TRUE(one.aim.tcp);
  EXPECT_FALSE(one.aim.udp);
  EXPECT_TRUE(one.aim.local);
  EXPECT_FALSE(one.aim.conditional);
  EXPECT_EQ(one.aim.ports, PortSet({8080, 8080}));
  EXPECT_FALSE(one.aim.addresses);
  EXPECT_EQ(one.address, address("172.17.0.2"));
  EXPECT_EQ(one.port, 80);
  EXPECT_EQ(one.chain->name, "docker");
}

TEST(Translations, AVerdictMapOfServices) {
  Nat nat;
  nat.chain("service-X-default/web/tcp/http");
  nft::Set& map = nat.set("ips", nft::kSetMap, 12);
  map.data_type = nft::kDataVerdict;
  Bytes key = bytes_of("10.96.0.10");
  for (const unsigned byte : {6U, 0U, 0U, 0U, 0U, 53U, 0U, 0U}) {
    key.push_back(static_cast<std::byte>(byte));
  }
  nat.element(map, key, std::nullopt, "service-X-default/web/tcp/http");
  nat.rule("pre",
           {load_network(16, 4, 0), load_meta(nft::MetaKey::L4proto, 1), load_transport(2, 2, 2),
            expression(nft::Lookup{.set = "ips", .sreg = 0, .verdict = true})});
  nat.rule("service-X-default/web/tcp/http", dnat("10.244.0.3", 53));
  const auto found = nat.found();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().aim.addresses,
            AddressSet({address("10.96.0.10"), address("10.96.0.10")}));
  EXPECT_EQ(found.front().aim.ports, PortSet({53, 53}));
  EXPECT_FALSE(found.front().aim.udp);
  EXPECT_EQ(found.front().service, "default/web:http");
}

TEST(Translations, AMapAndChance) {
  Nat nat;
  nft::Set& map = nat.set("to", nft::kSetMap, 4);
  nat.element(map, host_number(0), bytes_of("10.0.0.2"));
  nat.element(map, host_number(1), bytes_of("10.0.0.3"));
  nat.rule("pre",
           tcp_port(80) +
               Rules{expression(nft::Numgen{.dreg = 0, .modulus = 2, .random = true}),
                     expression(nft::Lookup{.set = "to", .sreg = 0, .dreg = 0}),
                     expression(nft::Nat{
                         .destination = true, .family = 2, .address_min = 0, .address_max = 0})});
  const auto found = nat.found();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(found[0].aim.chance);
  EXPECT_EQ(found[0].address, address("10.0.0.2"));
  EXPECT_EQ(found[1].address, address("10.0.0.3"));
  EXPECT_EQ(found[1].aim.ports, PortSet({80, 80}));
}

TEST(Translations, AMapOfPorts) {
  Nat nat;
  nft::Set& map = nat.set("ports", nft::kSetMap, 2);
  nat.element(map, port_bytes(8000), bytes_of("10.0.0.2"));
  nat.element(map, port_bytes(8001), bytes_of("10.0.0.3"));
  nat.rule(
      "pre",
      l4proto(6) +
          Rules{load_transport(2, 2), expression(nft::Lookup{.set = "ports", .sreg = 0, .dreg = 4}),
                expression(nft::Nat{
                    .destination = true, .family = 2, .address_min = 4, .address_max = 4})});
  const auto found = nat.found();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].aim.ports, PortSet({8000, 8000}));
  EXPECT_EQ(found[0].address, address("10.0.0.2"));
  EXPECT_EQ(found[1].aim.ports, PortSet({8001, 8001}));
}

TEST(Translations, WhatIsNotFollowedIsOpen) {
  Nat nat;
  nat.rule("pre",
           tcp_port(80) +
               Rules{load_network(16, 4),
                     expression(nft::Nat{
                         .destination = true, .family = 2, .address_min = 0, .address_max = 0})});
  nat.rule("pre", tcp_port(81) + Rules{load_meta(nft::MetaKey::Iifname), is(name_bytes("eth0")),
                                       expression(nft::Redirect{})});
  const auto found = nat.found();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(found[0].open);
  EXPECT_FALSE(found[0].address);
  EXPECT_EQ(found[1].kind, Kind::Redirect);
  EXPECT_TRUE(found[1].aim.conditional);
  EXPECT_FALSE(found[1].port);
}

TEST(Translations, OtherProtocolsAndHooksAreNone) {
  Nat nat;
  nat.base("post", kAtPostrouting, 100, "nat");
  nat.rule("pre", l4proto(132) + destination_port(80) + dnat("10.0.0.2", 80));
  nat.rule("post", tcp_port(80) + dnat("10.0.0.2", 80));
  nat.rule("pre", tcp_port(80) + destination_port(81) + dnat("10.0.0.2", 80));
  EXPECT_TRUE(nat.found().empty());
}

TEST(Translations, ServicesOfKubernetes) {
  EXPECT_EQ(kubernetes_service("KUBE-SEP-A", "default/web:http"), "default/web:http");
  EXPECT_EQ(kubernetes_service("KUBE-SVC-A", "default/web:http cluster IP"), "default/web:http");
  EXPECT_EQ(kubernetes_service("KUBE-MARK-MASQ", "masquerade"), "");
  EXPECT_EQ(kubernetes_service("endpoint-5OJB-ns1/svc1/tcp/p80__10.1.0.1/80", ""), "ns1/svc1:p80");
  EXPECT_EQ(kubernetes_service("service-42-ns4/svc4/tcp/", ""), "ns4/svc4");
  EXPECT_EQ(kubernetes_service("service-x", "a/b"), "");
  EXPECT_EQ(kubernetes_service("DOCKER", "a/b"), "");
}

}  // namespace
}  // namespace hark::reach
