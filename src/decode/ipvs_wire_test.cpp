#include <gtest/gtest.h>

#include <array>

#include "decode/ipvs.h"

namespace hark::decode {
namespace {

/// As ip_vs_info_seq_show() prints it: no kernel with IPVS was there to ask.
constexpr std::string_view kHeading =
    "IP Virtual Server version 1.2.1 (size=4096)\n"
    "Prot LocalAddress:Port Scheduler Flags\n"
    "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n";

Result<std::vector<IpvsService>> read(std::string_view services) {
  const std::string text = std::string(kHeading) + std::string(services);
  return decode_ipvs(as_bytes(text));
}

IpAddress address(const char* text) {
  return IpAddress::parse(text).value_or(IpAddress{});
}

TEST(Ipvs, ServicesOfEveryForm) {
  const auto services = read(
      "UDP  0A60000A:0035 rr ops \n"
      "  -> 0AF40002:0035      Masq    1      0          2         \n"
      "  -> 0AF40003:0035      Masq    0      0          0         \n"
      "TCP  C0A80001:01BB wlc persistent 90000 FFFFFFFF\n"
      "  -> C0A80005:01BB      Route   3      12         4         \n"
      "  -> C0A80001:01BB      Local   1      0          0         \n"
      "  -> C0A80006:01BB      Tunnel  1      0          0         \n"
      "IP_50  C0A80001:0000 rr  \n"
      "  -> C0A80007:0000      Masq    1      0          0         \n"
      "TCP  [2001:0db8:0000:0000:0000:0000:0000:000a]:0050 sh \n"
      "  -> [fd00:0000:0000:0000:0000:0000:0000:0002]:1F90      Masq    1      0          0\n"
      "FWM  0000000A rr persistent 30000 FFFFFF00\n"
      "  -> 0AF40009:0000      Masq    1      0          0         \n");
  ASSERT_TRUE(services) << services.error().why;
  const IpvsService mail{.protocol = 6,
                         .address = address("192.168.0.1"),
                         .port = 443,
                         .scheduler = "wlc",
                         .persistent = true,
                         .backends = {{address("192.168.0.5"), 443, IpvsMethod::Route, 3},
                                      {address("192.168.0.1"), 443, IpvsMethod::Local, 1},
                                      {address("192.168.0.6"), 443, IpvsMethod::Tunnel, 1}}};
  const IpvsService six{.protocol = 6,
                        .address = address("2001:db8::a"),
                        .port = 80,
                        .scheduler = "sh",
                        .backends = {{address("fd00::2"), 8080, IpvsMethod::Masq, 1}}};
  const IpvsService names{.protocol = 17,
                          .address = address("10.96.0.10"),
                          .port = 53,
                          .scheduler = "rr",
                          .one_packet = true,
                          .backends = {{address("10.244.0.2"), 53, IpvsMethod::Masq, 1},
                                       {address("10.244.0.3"), 53, IpvsMethod::Masq, 0}}};
  const IpvsService marked{.mark = 10,
                           .scheduler = "rr",
                           .persistent = true,
                           .backends = {{address("10.244.0.9"), 0, IpvsMethod::Masq, 1}}};
  EXPECT_EQ(*services, (std::vector<IpvsService>{mail, six, names, marked}));
}

TEST(Ipvs, NoServicesAndNoText) {
  EXPECT_TRUE(read("").value().empty());
  EXPECT_TRUE(decode_ipvs({}).value().empty());
}

TEST(Ipvs, WhatIsNotOfThisFormIsRefused) {
  constexpr std::array<std::string_view, 14> kBad = {
      "TCP  0A60000A:0035 rr ",                                 // cut off
      "TCP  0A60000A:0035\n",                                   // no scheduler
      "TCP  0A60000A rr \n",                                    // no port
      "TCP  0A6000:0035 rr \n",                                 // a short address
      "TCP  0A60000A:35 rr \n",                                 // a short port
      "TCP  0A60000A:00035 rr \n",                              // a long one
      "TCP  [0A60000A]:0035 rr \n",                             // brackets around IPv4
      "TCP  [::1:0035 rr \n",                                   // half of them
      "TCP  0A60000A:0035 rr persistent\n",                     // without its time
      "TCP  0A60000A:0035 rr fast\n",                           // a flag that is none
      "FWM  00000000 rr \n",                                    // no mark
      "FWM  1 rr \n",                                           // a short one
      "  -> 0AF40002:0035      Masq    1      0          2\n",  // of no service
      "TCP  0A60000A:0035 rr \n  -> 0AF40002:0035      Masq    many   0          2\n",
  };
  for (const std::string_view bad : kBad) EXPECT_FALSE(read(bad)) << bad;
  EXPECT_FALSE(decode_ipvs(as_bytes("Prot LocalAddress:Port Scheduler Flags\n")));
}

TEST(Ipvs, AWayOfForwardingThatIsNotKnownIsTold) {
  const auto services = read("TCP  0A60000A:0035 mine \n  -> 0AF40002:0035 Bypass 1 0 0\n");
  ASSERT_TRUE(services && services->size() == 1 && services->front().backends.size() == 1);
  EXPECT_EQ(services->front().backends.front().method, IpvsMethod::Other);
  EXPECT_EQ(name_of(IpvsMethod::Other), "another way");
  EXPECT_EQ(name_of(IpvsMethod::Tunnel), "Tunnel");
}

}  // namespace
}  // namespace hark::decode
