#include "reach/client_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reach/test_classes.h"

namespace hark::reach {
namespace {

using ::testing::ElementsAre;
using testing::joined;
using testing::kEth0;
using testing::kEth1;
using testing::kLo;
using testing::Place;
using testing::set_of;
using ::testing::SizeIs;
using testing::two_links;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

std::vector<std::string> texts(const std::vector<Prefix>& prefixes) {
  std::vector<std::string> out;
  for (const Prefix& one : prefixes) out.push_back(one.text());
  return out;
}

TEST(client_sources, are_those_that_a_client_could_have) {
  host::Network network = two_links();
  network.addresses[2].broadcast = ip("10.0.0.255");
  network.routes.push_back(
      {.table = 255, .type = 2, .destination = Prefix::parse("10.99.0.0/16").value()});
  const ClientSources sources(network);
  const AddressSet four = sources.of(*network.link(kEth0), ip("10.0.0.5"));
  for (const char* nobody : {"0.1.2.3", "127.0.0.1", "10.0.0.5", "192.168.7.5", "10.0.0.255",
                             "10.0.0.0", "224.0.0.1", "255.255.255.255", "10.99.1.1"}) {
    EXPECT_FALSE(four.contains(ip(nobody))) << nobody;
  }
  for (const char* client : {"1.0.0.0", "10.0.0.4", "10.0.0.6", "240.0.0.1", "223.255.255.255"}) {
    EXPECT_TRUE(four.contains(ip(client))) << client;
  }
  const AddressSet six = sources.of(*network.link(kEth0), ip("fd00::5"));
  for (const char* nobody : {"::", "::1", "ff02::1", "fd00::5", "fd00::", "::ffff:10.0.0.9"}) {
    EXPECT_FALSE(six.contains(ip(nobody))) << nobody;
  }
  EXPECT_TRUE(six.contains(ip("2001:db8::1")));
  EXPECT_TRUE(six.contains(ip("fe80::9")));
}

TEST(client_sources, of_a_link_local_address_are_neighbours) {
  const host::Network network = two_links();
  const AddressSet out = ClientSources(network).of(*network.link(kEth0), ip("fe80::5"));
  EXPECT_TRUE(out.contains(ip("fe80::9")));
  EXPECT_FALSE(out.contains(ip("2001:db8::1")));
}

TEST(client_sources, on_lo_are_this_hosts_own) {
  const host::Network network = two_links();
  const AddressSet out = ClientSources(network).of(*network.link(kLo), ip("127.0.0.1"));
  EXPECT_EQ(out, set_of({"127.0.0.0/8", "10.0.0.5", "192.168.7.5"}).minus(set_of({"127.0.0.0"})));
}

TEST(prefixes_among, are_few_and_no_wider_than_they_must_be) {
  const AddressSet all = all_addresses(Family::Inet).minus(set_of({"0.0.0.0/8", "10.0.0.5"}));
  // 10.0.0.5 is nobody's: the subnet need not be cut up around it.
  EXPECT_THAT(texts(prefixes_among(set_of({"10.0.0.0/24"}).intersect(all), all)),
              ElementsAre("10.0.0.0/24"));
  EXPECT_THAT(texts(prefixes_among(set_of({"1.0.0.0/8"}), all)), ElementsAre("1.0.0.0/8"));
  EXPECT_THAT(texts(prefixes_among(set_of({"10.0.0.4"}), all)), ElementsAre("10.0.0.4/32"));
  EXPECT_THAT(texts(prefixes_among(set_of({"10.0.0.4", "10.0.0.6"}), all)),
              ElementsAre("10.0.0.4/32", "10.0.0.6/32"));
  EXPECT_TRUE(prefixes_among({}, all).empty());
}

TEST(view_of, leaves_out_what_routing_keeps_apart) {
  const host::Network network = two_links();
  Place eth0(kEth0, "10.0.0.5");
  eth0.of(set_of({"192.168.7.0/24"}), Outcome::Silent, "rp-filter-strict");
  eth0.of(set_of({"203.0.113.0/24"}), Outcome::Silent, "input-drop");
  eth0.others(Outcome::Answered, "listener-answers");
  Place eth1(kEth1, "192.168.7.5");
  eth1.of(set_of({"192.168.7.0/24"}), Outcome::Answered, "listener-answers");
  eth1.others(Outcome::Silent, "rp-filter-strict");
  const auto classes = joined({eth0, eth1});
  const ClientView clients = view_of(ClientSources(network), list_of(classes));
  ASSERT_THAT(clients.parts, SizeIs(3));
  EXPECT_EQ(clients.parts[0].addresses, set_of({"203.0.113.0/24"}));
  EXPECT_EQ(clients.parts[2].addresses,
            set_of({"192.168.7.0/24"}).minus(set_of({"192.168.7.0", "192.168.7.5"})));
  EXPECT_EQ(clients.places[1].clients, clients.parts[2].addresses);
}

TEST(view_of, keeps_a_source_that_is_at_home_nowhere) {
  const host::Network network = two_links();
  Place eth0(kEth0, "10.0.0.5");
  eth0.of(set_of({"10.0.0.0/8"}), Outcome::Answered, "listener-answers");
  eth0.others(Outcome::Silent, "rp-filter-loose");
  const auto classes = joined({eth0});
  EXPECT_THAT(view_of(ClientSources(network), list_of(classes)).parts, SizeIs(2));
}

TEST(view_of, classes_of_sources_that_nobody_has_are_no_part) {
  const host::Network network = two_links();
  Place eth0(kEth0, "10.0.0.5");
  eth0.of(set_of({"127.0.0.0/8", "224.0.0.0/4"}), Outcome::Silent, "loopback-src");
  eth0.others(Outcome::Answered, "listener-answers");
  const auto classes = joined({eth0});
  const ClientView clients = view_of(ClientSources(network), list_of(classes));
  ASSERT_THAT(clients.parts, SizeIs(1));
  EXPECT_EQ(clients.parts[0].addresses, clients.places[0].clients);
  EXPECT_TRUE(clients.parts[0].ports.empty());
}

TEST(view_of, ports_are_kept_where_not_every_client_has_them) {
  const host::Network network = two_links();
  Place eth0(kEth0, "10.0.0.5");
  const PortSet high(Interval<std::uint16_t>{1024, 65535});
  eth0.others(Outcome::Answered, "listener-answers").ports = high;
  std::vector<ReachClass> classes = joined({eth0});
  const ClientSources sources(network);
  EXPECT_TRUE(view_of(sources, list_of(classes)).parts[0].ports.empty());
  classes[0].ports = PortSet(Interval<std::uint16_t>{0, 1023});
  EXPECT_EQ(view_of(sources, list_of(classes)).parts[0].ports, classes[0].ports);
  // Nobody is kept away by what happens to ports that hardly anybody has.
  classes[0].answer.outcome = Outcome::Silent;
  EXPECT_TRUE(view_of(sources, list_of(classes)).parts.empty());
}

TEST(client_kinds, joins_equal_fates_and_puts_those_that_get_through_first) {
  const host::Network network = two_links();
  Place eth0(kEth0, "10.0.0.5");
  eth0.of(set_of({"198.51.100.0/24"}), Outcome::Refused, "input-reject");
  eth0.of(set_of({"203.0.113.0/24"}), Outcome::Depends, "rate-limit").answer.possible = {
      Outcome::Answered, Outcome::Silent};
  eth0.of(set_of({"10.0.0.0/8"}), Outcome::Answered, "listener-answers");
  eth0.others(Outcome::Silent, "input-policy-drop");
  Place eth1(kEth1, "192.168.7.5");
  eth1.others(Outcome::Silent, "input-policy-drop");
  const auto classes = joined({eth0, eth1});
  const ClientView clients = view_of(ClientSources(network), list_of(classes));
  const auto groups = client_kinds(clients);
  ASSERT_THAT(groups, SizeIs(4));
  EXPECT_EQ(groups[0].example->answer.outcome, Outcome::Answered);
  EXPECT_EQ(groups[1].example->answer.outcome, Outcome::Depends);
  EXPECT_EQ(groups[2].example->answer.outcome, Outcome::Refused);
  EXPECT_EQ(groups[3].example->answer.outcome, Outcome::Silent);
  EXPECT_THAT(groups[3].parts, SizeIs(2));
}

TEST(client_kinds, who_is_let_in_by_another_rule_is_another_group) {
  const host::Network network = two_links();
  Place eth0(kEth0, "10.0.0.5");
  eth0.of(set_of({"10.0.0.0/8"}), Outcome::Answered, "listener-answers").answer.path = {
      {.stage = Stage::Input, .verdict = "pass", .detail = "accepted by inet f i handle 7"}};
  eth0.others(Outcome::Answered, "listener-answers");
  const auto classes = joined({eth0});
  const ClientView clients = view_of(ClientSources(network), list_of(classes));
  EXPECT_THAT(client_kinds(clients), SizeIs(2));
}

}  // namespace
}  // namespace hark::reach
