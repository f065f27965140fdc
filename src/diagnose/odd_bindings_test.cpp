#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnose/private_services.h"
#include "diagnose/test_facts.h"
#include "diagnose/words.h"

namespace hark::diagnose {
namespace {

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

/// With eth0, which is up and has 10.9.0.1.
class OddBindings : public testing::Test {
 protected:
  OddBindings() {
    host::Link eth0;
    eth0.index = 2;
    eth0.name = "eth0";
    eth0.flags = 1;
    test.network.links.push_back(eth0);
    host::InterfaceAddress own;
    own.link = 2;
    own.address = ip("10.9.0.1");
    own.subnet = Prefix::parse("10.9.0.0/24").value();
    own.broadcast = ip("10.9.0.255");
    test.network.addresses.push_back(own);
  }
  TestFacts test;
};

TEST_F(OddBindings, OnlyIpv6WhereNobodyServesIpv4) {
  test.listener().address = ip("::");
  test.listener().v6only = true;
  EXPECT_EQ(test.told(), "notice v6only\n");
  test.listener().port = 40000;  // chosen by the kernel
  EXPECT_EQ(test.told(), "");
  test.listener().port = 80;
  test.listener().v6only = false;
  EXPECT_EQ(test.told(), "");
  test.listener().v6only = true;
  test.listen(Protocol::Tcp, "10.9.0.1", 80);
  EXPECT_EQ(test.told(), "");
}

TEST_F(OddBindings, OnlyIpv6OnANetworkOfIpv6) {
  test.network.addresses.clear();
  test.listener().address = ip("::");
  test.listener().v6only = true;
  EXPECT_EQ(test.told(), "");
}

TEST_F(OddBindings, AddressesThatNoInterfaceHas) {
  test.listener().address = ip("10.9.0.7");
  EXPECT_EQ(test.told(), "risk addr-absent\n");
  for (const char* own : {"10.9.0.1", "10.9.0.255", "127.5.0.1", "224.0.0.251", "0.0.0.0"}) {
    test.listener().address = ip(own);
    EXPECT_EQ(test.told(), "") << own;
  }
}

TEST_F(OddBindings, AddressesOfALocalRoute) {
  host::Route route;
  route.type = 2;  // RTN_LOCAL
  route.destination = Prefix::parse("10.77.0.0/16").value();
  test.network.routes.push_back(route);
  test.listener().address = ip("10.77.1.1");
  EXPECT_EQ(test.told(), "");
}

TEST_F(OddBindings, WhatCouldNotBeReadIsNotTold) {
  test.listener().address = ip("10.9.0.7");
  test.network.unread.emplace_back(host::NetworkFact::Addresses, host::Gap{});
  EXPECT_EQ(test.told(), "");
}

TEST_F(OddBindings, WhoWaitsForAnAddressSaysSo) {
  test.listener().address = ip("10.9.0.7");
  host::SocketFacts socket;
  socket.inode = 100;
  socket.options.emplace();
  test.network.services.sockets.push_back(socket);
  EXPECT_EQ(test.told(), "risk addr-absent\n");
  test.network.services.sockets[0].options->values[static_cast<std::size_t>(OptionPart::FreeBind)] =
      1;
  EXPECT_EQ(test.told(), "");
}

TEST_F(OddBindings, DeviceDownOrGone) {
  test.listener().interface_index = 2;
  test.listener().interface = "eth0";
  EXPECT_EQ(test.told(), "");
  test.network.links[0].flags = 0;
  EXPECT_EQ(test.told(), "risk link-down\n");
  test.listener().interface_index = 9;
  EXPECT_EQ(test.told(), "risk link-down\n");
}

TEST(PrivateServices, NamesAreWholeUnlessTheyEndInAStar) {
  const auto service = [](std::string_view name) {
    for (const PrivateService& one : private_services()) {
      if (one.name == name) return one;
    }
    return PrivateService{};
  };
  EXPECT_TRUE(is_named(service("PostgreSQL"), "postgres"));
  EXPECT_FALSE(is_named(service("PostgreSQL"), "postgrest"));
  EXPECT_TRUE(is_named(service("Redis"), "redis-server"));
  EXPECT_TRUE(is_named(service("Kafka"), "kafka.Kafka"));
  EXPECT_TRUE(is_gatekeeper("nginx"));
  EXPECT_FALSE(is_gatekeeper("redis-server"));
}

TEST(PrivateServices, EveryRowCanBeTold) {
  for (const PrivateService& one : private_services()) {
    const bool by_port = one.told_by == ToldBy::Port || one.told_by == ToldBy::ProgramAtPort;
    EXPECT_EQ(by_port, one.ports[0] != 0) << one.name;
    EXPECT_FALSE(one.programs.empty()) << one.name;
    EXPECT_FALSE(words_of(one.kind).code.empty()) << one.name;
  }
}

}  // namespace
}  // namespace hark::diagnose
