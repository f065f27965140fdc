#include "reach/questions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hark::reach {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t kUp = 1;
constexpr std::uint32_t kLo = 1;
constexpr std::uint32_t kEth = 2;
constexpr std::uint32_t kBridge = 3;
constexpr std::uint32_t kPort = 4;
constexpr std::uint32_t kDown = 5;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

/// A host with lo, eth0 (10.0.0.5/24, fe80::5, fd00::5), br0 (172.17.0.1/16) with a port, and one
/// interface that is down. Routes: all IPv4 by eth0, nothing else.
class Questions : public testing::Test {
 protected:
  Questions() {
    host_.namespaces.push_back({.inode = 1, .name = "host", .own = true});
    link(kLo, "lo", kUp | 8);
    link(kEth, "eth0", kUp);
    link(kBridge, "br0", kUp);
    link(kPort, "veth1", kUp).master = kBridge;
    network_.links.back().slave_kind = "bridge";
    link(kDown, "eth9", 0);
    address(kLo, "127.0.0.1", "127.0.0.0/8");
    address(kLo, "::1", "::1/128");
    address(kEth, "10.0.0.5", "10.0.0.0/24");
    address(kEth, "10.0.0.6", "10.0.0.0/24");
    address(kEth, "fe80::5", "fe80::/64");
    address(kEth, "fd00::5", "fd00::/64");
    address(kBridge, "172.17.0.1", "172.17.0.0/16");
    routing_.link_to = [](const IpAddress& to) {
      return to.family == Family::Inet ? std::optional(kEth) : std::nullopt;
    };
    routing_.is_own = [this](const IpAddress& one) {
      return std::ranges::any_of(network_.addresses,
                                 [&](const auto& a) { return a.address == one; });
    };
  }
  host::Link& link(std::uint32_t index, const char* name, std::uint32_t flags) {
    host::Link one;
    one.index = index;
    one.name = name;
    one.flags = flags;
    network_.links.push_back(one);
    return network_.links.back();
  }
  void address(std::uint32_t index, std::string_view text, std::string_view subnet) {
    network_.addresses.push_back(
        {.link = index, .address = ip(text), .subnet = Prefix::parse(subnet).value()});
  }
  void listener(Protocol protocol, std::string_view bound, std::uint16_t port) {
    host::Listener one;
    one.protocol = protocol;
    one.address = ip(bound);
    one.port = port;
    one.unit = "x.service";
    host_.listeners.push_back(one);
  }
  Result<Plan> plan(const std::string& word) {
    const host::Target target = host::parse_target(word).value();
    return plan_questions(host_, network_, target,
                          host::listeners_of(host_, host::NetnsId{0}, target), asked_, routing_);
  }
  /// "tcp 10.0.0.9 2 > 10.0.0.5:80"
  std::vector<std::string> words(const std::string& word) {
    const auto made = plan(word);
    if (!made) return {made.error().what + ": " + made.error().why};
    std::vector<std::string> out;
    for (const Question& q : made->questions) {
      out.push_back(std::string(name_of(q.protocol)) + " " + q.source.text() + " " +
                    std::to_string(q.interface) + " > " + q.destination.text() + ":" +
                    std::to_string(q.port));
    }
    return out;
  }
  /// "tcp 2 > 10.0.0.5:80"
  std::vector<std::string> places(const std::string& word) {
    const auto made = plan(word);
    if (!made) return {made.error().what + ": " + made.error().why};
    std::vector<std::string> out;
    for (const Destination& to : made->destinations) {
      out.push_back(std::string(name_of(to.protocol)) + " " + std::to_string(to.interface) + " > " +
                    to.address.text() + ":" + std::to_string(to.port));
    }
    return out;
  }
  host::Host host_;
  host::Network network_;
  Asked asked_;
  Routing routing_;
};

TEST_F(Questions, a_source_alone_comes_in_by_the_route_to_it_and_asks_the_first_address) {
  asked_.sources = {ip("10.0.0.9")};
  EXPECT_THAT(words("80"), ElementsAre("tcp 10.0.0.9 2 > 10.0.0.5:80"));
  const auto made = plan("80");
  EXPECT_TRUE(made->interface_chosen);
  EXPECT_THAT(made->destinations, IsEmpty());
  EXPECT_THAT(made->notes, ElementsAre(HasSubstr("leaves by eth0")));
}

TEST_F(Questions, an_own_or_loopback_source_goes_over_lo) {
  asked_.sources = {ip("127.0.0.1")};
  EXPECT_THAT(words("80"), ElementsAre("tcp 127.0.0.1 1 > 127.0.0.1:80"));
  asked_.sources = {ip("::1")};
  EXPECT_THAT(words("80"), ElementsAre("tcp ::1 1 > ::1:80"));
  asked_.sources = {ip("10.0.0.6")};
  EXPECT_THAT(words("80"), ElementsAre("tcp 10.0.0.6 1 > 127.0.0.1:80"));
  EXPECT_THAT(plan("80")->notes, ElementsAre(HasSubstr("own address")));
}

TEST_F(Questions, a_bare_port_is_asked_of_the_protocols_that_listen_there_else_of_tcp) {
  asked_.sources = {ip("10.0.0.9")};
  listener(Protocol::Udp, "0.0.0.0", 53);
  EXPECT_THAT(words("53"), ElementsAre("udp 10.0.0.9 2 > 10.0.0.5:53"));
  listener(Protocol::Tcp, "127.0.0.1", 53);
  EXPECT_THAT(words("53"),
              ElementsAre("tcp 10.0.0.9 2 > 10.0.0.5:53", "udp 10.0.0.9 2 > 10.0.0.5:53"));
  EXPECT_THAT(words("udp/54"), ElementsAre("udp 10.0.0.9 2 > 10.0.0.5:54"));
}

TEST_F(Questions, addresses_that_were_named_are_asked) {
  asked_.sources = {ip("10.0.0.9")};
  EXPECT_THAT(words("10.0.0.6:80"), ElementsAre("tcp 10.0.0.9 2 > 10.0.0.6:80"));
  asked_.destinations = {ip("10.0.0.7"), ip("fd00::7")};
  EXPECT_THAT(words("80"), ElementsAre("tcp 10.0.0.9 2 > 10.0.0.7:80"));
  EXPECT_THAT(words("10.0.0.6:80"), ElementsAre(HasSubstr("--to 10.0.0.7: the target names")));
  asked_.destinations = {ip("10.0.0.6")};
  EXPECT_THAT(words("10.0.0.6:80"), ElementsAre("tcp 10.0.0.9 2 > 10.0.0.6:80"));
}

TEST_F(Questions, families_must_meet) {
  asked_.sources = {ip("10.0.0.9")};
  EXPECT_THAT(words("[fd00::5]:80"), ElementsAre(HasSubstr("IPv4 does not reach [fd00::5]:80")));
  asked_.sources = {ip("fd00::9")};
  asked_.interface = "br0";
  // br0 has no IPv6 address: that of another interface is asked, and it is said.
  EXPECT_THAT(words("80"), ElementsAre("tcp fd00::9 3 > fd00::5:80"));
  EXPECT_THAT(plan("80")->notes, ElementsAre(HasSubstr("br0 has no IPv6 address")));
}

TEST_F(Questions, every_address_of_a_name_is_asked) {
  asked_.sources = {ip("fd00::9"), ip("10.0.0.9"), ip("10.0.0.8")};
  // No route to the first one, and it is left out.
  EXPECT_THAT(words("80"),
              ElementsAre("tcp 10.0.0.9 2 > 10.0.0.5:80", "tcp 10.0.0.8 2 > 10.0.0.5:80"));
}

TEST_F(Questions, a_source_without_a_route_needs_an_interface) {
  asked_.sources = {ip("fd00::9")};
  EXPECT_THAT(words("80"), ElementsAre("--from fd00::9: no route leads there"));
  EXPECT_THAT(plan("80").error().hint, HasSubstr("--in eth0 or --in br0"));
  asked_.interface = "eth0";
  EXPECT_THAT(words("80"), ElementsAre("tcp fd00::9 2 > fd00::5:80"));
  asked_.interface.clear();
  std::erase_if(network_.links, [](const host::Link& one) { return one.index >= kBridge; });
  EXPECT_THAT(words("80"), ElementsAre("tcp fd00::9 2 > fd00::5:80"));
  EXPECT_THAT(plan("80")->notes, ElementsAre(HasSubstr("the only interface")));
}

TEST_F(Questions, a_link_local_source_needs_an_interface_and_asks_link_local) {
  asked_.sources = {ip("fe80::9")};
  EXPECT_THAT(words("80"), ElementsAre(HasSubstr("exists on every interface")));
  asked_.interface = "eth0";
  EXPECT_THAT(words("80"), ElementsAre("tcp fe80::9 2 > fe80::5:80"));
}

TEST_F(Questions, a_port_of_a_bridge_stands_for_the_bridge) {
  asked_.sources = {ip("172.17.0.9")};
  asked_.interface = "veth1";
  EXPECT_THAT(words("80"), ElementsAre("tcp 172.17.0.9 3 > 172.17.0.1:80"));
  EXPECT_THAT(plan("80")->notes, ElementsAre(HasSubstr("IP receives by br0")));
}

TEST_F(Questions, an_interface_that_does_not_exist_is_an_error_with_the_nearest) {
  asked_.interface = "eht0";
  EXPECT_THAT(words("80"), ElementsAre("--in eht0: no such interface"));
  EXPECT_EQ(plan("80").error().hint, "did you mean eth0");
}

TEST_F(Questions, a_name_means_its_listeners) {
  listener(Protocol::Tcp, "127.0.0.1", 5432);
  listener(Protocol::Tcp, "::1", 5432);
  listener(Protocol::Tcp, "10.0.0.6", 5433);
  listener(Protocol::Udp, "::", 5434);
  asked_.sources = {ip("10.0.0.9")};
  // Not 127.0.0.1: no packet from outside is ever sent there.
  EXPECT_THAT(words("x.service"),
              ElementsAre("tcp 10.0.0.9 2 > 10.0.0.5:5432", "tcp 10.0.0.9 2 > 10.0.0.6:5433",
                          "udp 10.0.0.9 2 > 10.0.0.5:5434"));
  asked_.sources = {ip("127.0.0.1")};
  EXPECT_THAT(words("x.service"),
              ElementsAre("tcp 127.0.0.1 1 > 127.0.0.1:5432", "tcp 127.0.0.1 1 > 10.0.0.6:5433",
                          "udp 127.0.0.1 1 > 127.0.0.1:5434"));
  EXPECT_THAT(words("nobody"), IsEmpty());
  EXPECT_TRUE(plan("nobody"));
}

TEST_F(Questions, without_a_source_every_interface_that_is_up_is_asked_for_all) {
  EXPECT_THAT(places("80"),
              ElementsAre("tcp 1 > 127.0.0.1:80", "tcp 1 > ::1:80", "tcp 2 > 10.0.0.5:80",
                          "tcp 2 > fd00::5:80", "tcp 3 > 172.17.0.1:80", "tcp 3 > fd00::5:80"));
  EXPECT_THAT(plan("80")->questions, IsEmpty());
  EXPECT_THAT(plan("80")->notes, ElementsAre("br0 has no IPv6 address: fd00::5 of eth0 is asked"));
  asked_.interface = "eth0";
  EXPECT_THAT(places("80"), ElementsAre("tcp 2 > 10.0.0.5:80", "tcp 2 > fd00::5:80"));
  EXPECT_THAT(places("0.0.0.0:80"), ElementsAre("tcp 2 > 10.0.0.5:80"));
  EXPECT_THAT(places("10.0.0.6:80"), ElementsAre("tcp 2 > 10.0.0.6:80"));
  asked_.destinations = {ip("10.0.0.6")};
  EXPECT_THAT(places("80"), ElementsAre("tcp 2 > 10.0.0.6:80"));
}

TEST_F(Questions, of_a_name_the_families_that_its_listeners_serve_are_asked) {
  asked_.interface = "eth0";
  listener(Protocol::Tcp, "0.0.0.0", 80);
  EXPECT_THAT(places("x.service"), ElementsAre("tcp 2 > 10.0.0.5:80"));
  listener(Protocol::Udp, "::", 53);
  EXPECT_THAT(places("x.service"),
              ElementsAre("tcp 2 > 10.0.0.5:80", "udp 2 > 10.0.0.5:53", "udp 2 > fd00::5:53"));
}

TEST_F(Questions, nowhere_to_ask_is_an_error) {
  network_.addresses.clear();
  EXPECT_THAT(places("80"), ElementsAre("80: no interface that is up has an address to ask"));
}

TEST_F(Questions, a_source_port_is_kept) {
  asked_.sources = {ip("10.0.0.9")};
  asked_.source_port = 1024;
  EXPECT_EQ(plan("80")->questions.front().source_port, 1024);
}

}  // namespace
}  // namespace hark::reach
