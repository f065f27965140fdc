#include "diagnose/from_world.h"

#include <gtest/gtest.h>

namespace hark::diagnose {
namespace {

using reach::Through;

/// eth0 leads to the world, docker0 does not; both are asked over IPv4.
class FromTheWorld : public testing::Test {
 protected:
  FromTheWorld() {
    host::Route route;
    route.type = 1;
    route.destination = Prefix::parse("0.0.0.0/0").value();
    route.hops.push_back({.link = kEth0, .gateway = {}, .flags = 0});
    network.routes.push_back(route);
    for (const std::uint32_t link : {kEth0, kDocker0}) {
      reach::ClientPlace place;
      place.interface = link;
      place.to.address = IpAddress::parse("10.9.0.1").value();
      one.clients.places.push_back(place);
    }
  }
  void part(std::size_t place, const char* prefix, Through through) {
    one.clients.parts.push_back(
        {place, &cls, AddressSet(range_of(Prefix::parse(prefix).value())), {}});
    one.through.push_back(through);
  }
  [[nodiscard]] FromWorld result() const { return from_world(network, one, IpFamily::Inet); }

  static constexpr std::uint32_t kEth0 = 2;
  static constexpr std::uint32_t kDocker0 = 3;
  host::Network network;
  reach::Reachability one;
  reach::ReachClass cls;
};

TEST_F(FromTheWorld, MostOfItGetsThrough) {
  part(0, "0.0.0.0/0", Through::Yes);
  EXPECT_EQ(result().through, Share::Most);
  EXPECT_EQ(result().open, &cls);
  EXPECT_TRUE(result().asked);
}

TEST_F(FromTheWorld, AFewPublicAddressesWereMeant) {
  part(0, "198.51.100.7", Through::Yes);
  EXPECT_EQ(result().through, Share::Few);
  part(0, "8.0.0.0/7", Through::Yes);
  EXPECT_EQ(result().through, Share::Few);
}

TEST_F(FromTheWorld, PrivateAddressesAreNotTheWorld) {
  part(0, "10.0.0.0/8", Through::Yes);
  part(0, "192.168.0.0/16", Through::Yes);
  EXPECT_EQ(result().through, Share::None);
}

TEST_F(FromTheWorld, NobodyComesByAnInterfaceThatLeadsElsewhere) {
  part(1, "0.0.0.0/0", Through::Yes);
  part(0, "0.0.0.0/0", Through::No);
  EXPECT_EQ(result().through, Share::None);
  EXPECT_EQ(result().closed, &cls);
}

TEST_F(FromTheWorld, WhatIsOpenIsNotThrough) {
  part(0, "0.0.0.0/0", Through::Maybe);
  EXPECT_EQ(result().through, Share::None);
}

TEST_F(FromTheWorld, TwoHalvesMakeADefaultRoute) {
  part(0, "0.0.0.0/0", Through::Yes);
  network.routes[0].destination = Prefix::parse("0.0.0.0/1").value();
  EXPECT_EQ(result().through, Share::Most);
  network.routes[0].destination = Prefix::parse("0.0.0.0/2").value();
  EXPECT_FALSE(result().asked);
}

}  // namespace
}  // namespace hark::diagnose
