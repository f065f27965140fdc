#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnose/test_facts.h"

namespace hark::diagnose {
namespace {

using host::DeclaredPort;
using testing::HasSubstr;

struct DeclaredFacts : TestFacts {
  /// Declared by process 10, which has run for 90 seconds.
  std::vector<Finding> find(DeclaredPort one) {
    one.program = one.pid == 0 ? one.program : "web";
    one.started_at_ms = host().taken_at_ms - age_ms;
    Facts all = facts();
    all.declared = {std::move(one)};
    return diagnose(all);
  }
  std::string told(DeclaredPort one) {
    std::string out;
    for (const Finding& finding : find(std::move(one))) {
      out += std::string(name_of(finding.severity)) + " " + finding.code;
    }
    return out;
  }
  std::int64_t age_ms = 90'000;
};

DeclaredPort at(std::uint16_t port, const char* address = nullptr) {
  DeclaredPort out{.port = port, .protocol = Protocol::Tcp, .pid = 10, .words = "--port"};
  if (address != nullptr) out.address = IpAddress::parse(address);
  return out;
}

TEST(DeclaredPorts, NobodyListens) {
  DeclaredFacts test;
  EXPECT_EQ(test.told(at(80)), "");
  EXPECT_EQ(test.told(at(8080)), "broken declared-port-missing");
  const auto findings = test.find(at(8080));
  EXPECT_EQ(findings[0].text,
            "web (10): nobody listens on tcp 8080, which its command line declares; it listens on "
            "tcp 0.0.0.0:80");
  EXPECT_EQ(findings[0].port, 8080);
  EXPECT_EQ(findings[0].subject, "tcp 8080");
  ASSERT_EQ(findings[0].evidence.size(), 3U);
  EXPECT_EQ(findings[0].evidence[0].verify, "tr '\\0' ' ' < /proc/10/cmdline");
  EXPECT_EQ(findings[0].evidence[1].verify, "ss -Htln sport = :8080");
}

TEST(DeclaredPorts, WhoHasJustStartedMayNotBeReady) {
  DeclaredFacts test;
  test.age_ms = 29'000;
  EXPECT_EQ(test.told(at(8080)), "notice declared-port-missing");
  EXPECT_THAT(test.find(at(8080))[0].text, HasSubstr("started 29 seconds ago"));
  test.age_ms = 30'000;
  EXPECT_EQ(test.told(at(8080)), "broken declared-port-missing");
}

TEST(DeclaredPorts, AVariableIsAWeakWord) {
  DeclaredFacts test;
  DeclaredPort one = at(8080);
  one.by = DeclaredPort::By::Environment;
  EXPECT_EQ(test.told(one), "risk declared-port-missing");
}

TEST(DeclaredPorts, TheOtherProtocolIsANearMiss) {
  DeclaredFacts test;
  test.own(test.listen(Protocol::Udp, "0.0.0.0", 53), host::ProcessId{0});
  EXPECT_THAT(test.find(at(53))[0].text, HasSubstr("but web (10) on udp 53"));
  DeclaredPort either = at(53);
  either.protocol.reset();
  EXPECT_EQ(test.told(either), "");
}

TEST(DeclaredPorts, OnlyThisHostReachesIt) {
  DeclaredFacts test;
  const std::size_t i = test.listen(Protocol::Tcp, "127.0.0.1", 81);
  test.listener(i).scope = host::Scope::Loopback;
  test.own(i, host::ProcessId{0});
  EXPECT_EQ(test.told(at(81)), "");
  EXPECT_EQ(test.told(at(81, "127.0.0.1")), "");
  EXPECT_EQ(test.told(at(81, "0.0.0.0")), "broken declared-wider");
  EXPECT_EQ(test.told(at(81, "10.0.0.1")), "broken declared-wider");
  EXPECT_EQ(test.told(at(81, "127.0.0.2")), "risk declared-address-missing");
  DeclaredPort all = at(81);
  all.everywhere = true;
  EXPECT_EQ(test.told(all), "broken declared-wider");
  EXPECT_EQ(test.find(all)[0].listener, i);
  test.own(test.listen(Protocol::Tcp, "10.0.0.1", 81), host::ProcessId{0});
  EXPECT_EQ(test.told(all), "");
}

TEST(DeclaredPorts, EachFamilyForItself) {
  DeclaredFacts test;
  host::InterfaceAddress loopback;
  loopback.address = IpAddress::parse("::1").value();
  test.network.addresses.push_back(loopback);
  EXPECT_EQ(test.told(at(80, "0.0.0.0")), "");
  EXPECT_EQ(test.told(at(80, "10.0.0.1")), "");
  EXPECT_EQ(test.told(at(80, "::")), "risk declared-address-missing");
  test.network.addresses.clear();
  EXPECT_EQ(test.told(at(80, "::")), "");
  test.listener().address = IpAddress::parse("::").value();
  test.listener().v6only = false;
  EXPECT_EQ(test.told(at(80, "0.0.0.0")), "");
  test.listener().v6only = true;
  EXPECT_EQ(test.told(at(80, "0.0.0.0")), "risk declared-address-missing");
}

TEST(DeclaredPorts, BoundAndNotListening) {
  DeclaredFacts test;
  test.network.services.bound.push_back(
      {.address = IpAddress::parse("0.0.0.0").value(), .port = 8080});
  EXPECT_THAT(test.find(at(8080))[0].text, HasSubstr("listen() was never called"));
}

TEST(DeclaredPorts, WhatWasNotListedIsNotMissed) {
  DeclaredFacts test;
  test.host().gaps = {host::Gap{"sockets-not-read", "raw sockets of this namespace: no", "", ""},
                      host::Gap{"sockets-not-read", "TCP sockets of namespace web: no", "", ""}};
  EXPECT_EQ(test.told(at(8080)), "broken declared-port-missing");
  test.host().gaps = {host::Gap{"sockets-not-read", "TCP sockets of this namespace: no", "", ""}};
  EXPECT_EQ(test.told(at(8080)), "");
}

TEST(DeclaredPorts, ItsOwnListenerInAnotherNamespace) {
  DeclaredFacts test;
  test.host().namespaces.push_back({.inode = 2, .name = "web", .entered = true});
  const std::size_t i = test.listen(Protocol::Tcp, "0.0.0.0", 81);
  test.listener(i).netns = host::NetnsId{1};
  EXPECT_EQ(test.told(at(81)), "broken declared-port-missing");
  test.own(i, host::ProcessId{0});
  EXPECT_EQ(test.told(at(81)), "");
}

TEST(DeclaredPorts, UnitsThatFailedAreNotOurs) {
  DeclaredFacts test;
  DeclaredPort unit{.by = DeclaredPort::By::SocketUnit,
                    .port = 9090,
                    .protocol = Protocol::Tcp,
                    .program = "a.socket",
                    .words = "ListenStream=9090",
                    .file = "/usr/lib/systemd/system/a.socket",
                    .state = "inactive"};
  EXPECT_EQ(test.told(unit), "risk declared-port-missing");
  EXPECT_THAT(test.find(unit)[0].text, HasSubstr("the unit is enabled and inactive"));
  unit.state = "failed";
  EXPECT_EQ(test.told(unit), "");
}

TEST(DeclaredPorts, ATargetFindsIt) {
  DeclaredFacts test;
  Facts facts = test.facts();
  facts.declared = {at(8080)};
  facts.listeners = {};
  const auto meant = host::parse_target("8080").value();
  facts.target = &meant;
  EXPECT_EQ(diagnose(facts).size(), 1U);
  const auto other = host::parse_target("8081").value();
  facts.target = &other;
  EXPECT_TRUE(diagnose(facts).empty());
}

}  // namespace
}  // namespace hark::diagnose
