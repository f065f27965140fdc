#include "diagnose/bind.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "diagnose/bind_address.h"

namespace hark::diagnose {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t kLo = 1;
constexpr std::uint32_t kEth0 = 2;
constexpr std::uint32_t kVrf = 3;
constexpr std::uint32_t kInVrf = 4;
constexpr std::uint32_t kTable = 9;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value_or(IpAddress{});
}

host::Route local_route(const char* address, std::uint32_t table = 255) {
  host::Route out;
  out.table = table;
  out.type = 2;  // RTN_LOCAL
  out.destination = *Prefix::parse(address);
  out.hops.push_back({.link = kLo});
  return out;
}

class BindOutcome : public ::testing::Test {
 protected:
  BindOutcome() {
    network_.links = {link(kLo, "lo"), link(kEth0, "eth0"), link(kVrf, "blue"),
                      link(kInVrf, "eth9")};
    network_.links[2].kind = "vrf";
    network_.links[2].vrf_table = kTable;
    network_.links[3].slave_kind = "vrf";
    network_.links[3].master = kVrf;
    network_.routes = {local_route("127.0.0.0/8"), local_route("10.0.0.1/32"),
                       local_route("10.9.0.1/32", kTable)};
    network_.addresses = {address(kLo, "::1", 254), address(kEth0, "fd00::1", 0),
                          address(kEth0, "fe80::1", 253), address(kInVrf, "fd09::1", 0)};
    facts_.exact = true;
    facts_.settings.first_free = 1024;
    facts_.settings.l3mdev_accept = false;
    facts_.settings.v6only = false;
    facts_.settings.has_ipv6 = true;
    facts_.user = {.uid = 1000, .name = "ada", .low_ports = false};
  }

  static host::Link link(std::uint32_t index, const char* name) {
    host::Link out;
    out.index = index;
    out.name = name;
    return out;
  }
  static host::InterfaceAddress address(std::uint32_t link, const char* text, std::uint8_t scope) {
    host::InterfaceAddress out;
    out.link = link;
    out.address = ip(text);
    out.scope = scope;
    return out;
  }

  void listener(const char* address, std::uint16_t port) {
    host::PortSocket one;
    one.bound.socket.local = ip(address);
    one.bound.socket.local_port = port;
    one.bound.socket.state = kTcpListen;
    if (one.bound.socket.local.family == Family::Inet6) one.bound.socket.v6only = false;
    one.bound.reuse = true;
    one.bound.reuseport = false;
    facts_.sockets.push_back(std::move(one));
  }

  static BindQuestion question(const char* address, std::uint16_t port = 8080) {
    BindQuestion out;
    out.address = ip(address);
    out.port = port;
    out.reuseaddr = true;
    return out;
  }

  [[nodiscard]] BindAnswer ask(const BindQuestion& asked) const {
    return bind_outcome({host_, network_, facts_}, asked);
  }

  host::Host host_;
  host::Network network_;
  host::BindFacts facts_;
};

TEST_F(BindOutcome, AFreePort) {
  const BindAnswer answer = ask(question("0.0.0.0"));
  EXPECT_EQ(answer.error, 0);
  EXPECT_EQ(answer.cause.code, "port-free");
  EXPECT_THAT(answer.notes, IsEmpty());
  EXPECT_THAT(ask(question("0.0.0.0", 40000)).notes, ElementsAre(HasSubstr("gives to clients")));
}

TEST_F(BindOutcome, ATakenPortAndTheNearestFree) {
  listener("10.0.0.1", 8080);
  listener("0.0.0.0", 8081);
  listener("127.0.0.1", 8079);
  const BindAnswer answer = ask(question("10.0.0.1"));
  EXPECT_EQ(answer.error, EADDRINUSE);
  EXPECT_EQ(answer.call, BindCall::Bind);
  EXPECT_EQ(answer.cause.code, "port-in-use");
  EXPECT_THAT(answer.conflicts, ElementsAre(0U));
  EXPECT_EQ(answer.nearest_free, 8079);
}

TEST_F(BindOutcome, ADualStackHolder) {
  listener("::", 8080);
  EXPECT_EQ(ask(question("10.0.0.1")).cause.code, "dual-stack-holder");
  EXPECT_EQ(ask(question("fd00::1")).cause.code, "port-in-use");
}

TEST_F(BindOutcome, HalfOfADualStackSocket) {
  listener("0.0.0.0", 8080);
  EXPECT_THAT(ask(question("::")).notes, ElementsAre(HasSubstr("only IPv4 is taken")));
}

TEST_F(BindOutcome, TheAddressIsLookedAtBeforeTheRightInIpv4) {
  EXPECT_EQ(ask(question("10.0.0.2", 80)).error, EADDRNOTAVAIL);
  EXPECT_EQ(ask(question("10.0.0.1", 80)).error, EACCES);
  EXPECT_EQ(ask(question("fd00::2", 80)).error, EACCES);
  facts_.user.low_ports = true;
  EXPECT_EQ(ask(question("10.0.0.1", 80)).error, 0);
  EXPECT_EQ(ask(question("fd00::2", 80)).error, EADDRNOTAVAIL);
}

TEST_F(BindOutcome, RightsThatAreNotKnownLeaveItOpen) {
  facts_.user.low_ports.reset();
  const BindAnswer answer = ask(question("0.0.0.0", 80));
  EXPECT_EQ(answer.error, std::nullopt);
  ASSERT_EQ(answer.gaps.size(), 1U);
  EXPECT_EQ(answer.gaps[0].code, "right-not-known");
  facts_.settings.first_free = 80;
  EXPECT_EQ(ask(question("0.0.0.0", 80)).error, 0);
}

TEST_F(BindOutcome, ForeignAddresses) {
  EXPECT_EQ(ask(question("224.0.0.1")).error, 0);
  EXPECT_EQ(ask(question("255.255.255.255")).error, 0);
  EXPECT_EQ(ask(question("127.9.9.9")).error, 0);
  EXPECT_EQ(ask(question("198.51.100.7")).cause.code, "address-not-local");
  facts_.settings.nonlocal4 = true;
  EXPECT_EQ(ask(question("198.51.100.7")).error, 0);
  EXPECT_EQ(ask(question("fd00::2")).error, EADDRNOTAVAIL);
  facts_.settings.nonlocal6 = true;
  EXPECT_EQ(ask(question("fd00::2")).error, 0);
}

TEST_F(BindOutcome, LinkLocalAddressesNeedTheirInterface) {
  BindQuestion asked = question("fe80::1");
  EXPECT_EQ(ask(asked).error, EINVAL);
  asked.zone = "eth0";
  EXPECT_EQ(ask(asked).error, 0);
  asked.zone = "lo";
  EXPECT_EQ(ask(asked).error, EADDRNOTAVAIL);
  asked.zone = "eth7";
  EXPECT_EQ(ask(asked).error, ENODEV);
  EXPECT_EQ(ask(asked).call, BindCall::Bind);
}

TEST_F(BindOutcome, Devices) {
  BindQuestion asked = question("0.0.0.0");
  asked.device = "eth7";
  EXPECT_EQ(ask(asked).error, ENODEV);
  EXPECT_EQ(ask(asked).call, BindCall::SetSockOpt);
  asked = question("::1");
  asked.device = "eth0";
  EXPECT_EQ(ask(asked).error, EADDRNOTAVAIL);
  asked = question("fd00::1");
  asked.device = "lo";
  EXPECT_EQ(ask(asked).error, 0);
}

TEST_F(BindOutcome, AVrfHasItsOwnAddressesAndPorts) {
  BindQuestion asked = question("10.9.0.1");
  EXPECT_EQ(ask(asked).error, EADDRNOTAVAIL);
  asked.device = "eth9";
  EXPECT_EQ(ask(asked).error, 0);
  asked.address = ip("10.0.0.1");
  EXPECT_EQ(ask(asked).error, EADDRNOTAVAIL);
  asked.address = ip("fd09::1");
  EXPECT_EQ(ask(asked).error, 0);
  EXPECT_EQ(ask(question("fd09::1")).error, EADDRNOTAVAIL);
  listener("::", 8080);
  facts_.sockets.back().bound.l3mdev = 0;
  EXPECT_EQ(ask(asked).error, 0);
  facts_.settings.l3mdev_accept = true;
  EXPECT_EQ(ask(asked).error, EADDRINUSE);
}

TEST_F(BindOutcome, WhatIpv6RefusesByItself) {
  EXPECT_EQ(ask(question("ff05::1")).cause.code, "multicast-of-tcp");
  BindQuestion asked = question("ff05::1");
  asked.protocol = Protocol::Udp;
  EXPECT_EQ(ask(asked).error, 0);
  asked = question("::ffff:10.0.0.1");
  EXPECT_EQ(ask(asked).error, 0);
  asked.v6only = true;
  EXPECT_EQ(ask(asked).error, EINVAL);
  facts_.settings.has_ipv6 = false;
  EXPECT_EQ(ask(question("::")).error, EAFNOSUPPORT);
  EXPECT_EQ(ask(question("::")).call, BindCall::Socket);
}

TEST_F(BindOutcome, SocketsThatCouldNotBeReadLeaveItOpen) {
  facts_.sockets_error = kernel_error(EPERM, "netlink request");
  const BindAnswer answer = ask(question("0.0.0.0"));
  EXPECT_EQ(answer.error, std::nullopt);
  EXPECT_EQ(answer.cause.code, "sockets-not-read");
  // Nothing of them is asked where the address decides.
  EXPECT_EQ(ask(question("198.51.100.7")).error, EADDRNOTAVAIL);
}

TEST_F(BindOutcome, TimeWaitHasItsOwnCause) {
  listener("10.0.0.1", 8080);
  decode::BoundRecord& one = facts_.sockets.back().bound;
  one.time_wait = true;
  one.socket.state = 6;
  one.socket.remote_port = 40000;
  BindQuestion asked = question("0.0.0.0");
  EXPECT_EQ(ask(asked).error, 0);
  asked.reuseaddr = false;
  EXPECT_EQ(ask(asked).cause.code, "time-wait");
  one.reuse.reset();
  facts_.exact = false;
  const BindAnswer open = ask(question("0.0.0.0"));
  EXPECT_EQ(open.error, std::nullopt);
  EXPECT_EQ(open.gaps.at(0).code, "socket-flags-not-read");
}

}  // namespace
}  // namespace hark::diagnose
