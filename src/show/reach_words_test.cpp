#include "show/reach_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reach/test_classes.h"
#include "show/test_host.h"

namespace hark::show {
namespace {

using reach::Openness;
using reach::Outcome;
using reach::ReachClass;
using reach::testing::joined;
using reach::testing::kEth0;
using reach::testing::kEth1;
using reach::testing::kLo;
using reach::testing::Place;
using reach::testing::set_of;
using reach::testing::two_links;
using ::testing::ElementsAre;
using testing::HostBuilder;

constexpr const char* kPolicy = "dropped by the policy of inet filter input";

TEST(addresses_words, say_it_the_shorter_way) {
  const AddressSet all = all_addresses(Family::Inet).minus(set_of({"0.0.0.0/8", "224.0.0.0/4"}));
  const auto words = [&](std::initializer_list<const char*> some) {
    return addresses_words(set_of(some), all, 2);
  };
  EXPECT_EQ(addresses_words(all, all, 2), "anywhere");
  EXPECT_EQ(words({"10.0.0.0/8"}), "10.0.0.0/8");
  EXPECT_EQ(words({"10.0.0.9"}), "10.0.0.9");
  EXPECT_EQ(words({"10.0.0.0/8", "192.168.0.0/16"}), "10.0.0.0/8, 192.168.0.0/16");
  EXPECT_EQ(words({"10.0.0.0/8", "192.168.0.0/16", "1.2.3.4", "5.6.7.8"}),
            "1.2.3.4, 5.6.7.8 and 2 more");
  EXPECT_EQ(words({"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}), "private addresses");
  EXPECT_EQ(words({"169.254.0.0/16"}), "link-local addresses");
  EXPECT_EQ(addresses_words(all.minus(set_of({"203.0.113.0/24"})), all, 2),
            "anywhere but 203.0.113.0/24");
}

/// nginx (901) on port 80 of every IPv4 address.
class ReachWords : public ::testing::Test {
 protected:
  ReachWords() : eth0_(kEth0, "10.0.0.5"), eth1_(kEth1, "192.168.7.5"), lo_(kLo, "127.0.0.1") {
    const auto nginx = builder_.process(901, "nginx");
    builder_.owned(Protocol::Tcp, "0.0.0.0", 80, {nginx});
    network_.netns = host::NetnsId{0};
  }

  ReachClass& yes(Place& place, const AddressSet& some) {
    ReachClass& one = place.of(some, Outcome::Answered, "listener-answers");
    one.answer.delivers_to = 0;
    return one;
  }
  ReachClass& yes(Place& place) {
    ReachClass& one = place.others(Outcome::Answered, "listener-answers");
    one.answer.delivers_to = 0;
    return one;
  }

  [[nodiscard]] reach::ReachTable table() const {
    reach::ReachTable out(builder_.host());
    out.add(network_, {0},
            [this](const host::Host&, const host::Network&,
                   const std::vector<reach::Destination>& to, host::Networks*) {
              std::vector<std::vector<ReachClass>> classes;
              for (const reach::Destination& one : to) {
                const Place& place = one.interface == kLo     ? lo_
                                     : one.interface == kEth0 ? eth0_
                                                              : eth1_;
                classes.push_back(place.classes());
              }
              return classes;
            });
    return out;
  }
  [[nodiscard]] std::string words() const { return reach_words(table(), {0}); }
  [[nodiscard]] Openness openness() const { return openness_of(table(), {0}); }

  HostBuilder builder_;
  host::Network network_ = two_links();
  Place eth0_, eth1_, lo_;
};

TEST_F(ReachWords, anywhere) {
  // Sources that nobody has do not count.
  eth0_.of(set_of({"127.0.0.0/8", "224.0.0.0/4"}), Outcome::Silent, "loopback-src");
  yes(eth0_);
  yes(eth1_);
  yes(lo_);
  EXPECT_EQ(words(), "anywhere");
  EXPECT_EQ(openness(), Openness::Anywhere);
}

TEST_F(ReachWords, anywhere_but_not_this_host) {
  yes(eth0_);
  yes(eth1_);
  lo_.others(Outcome::Silent, "input-drop");
  EXPECT_EQ(words(), "anywhere, but not this host");
}

TEST_F(ReachWords, some_by_one_interface) {
  yes(eth0_, set_of({"10.0.0.0/8"}));
  eth0_.others(Outcome::Silent, "input-policy-drop", kPolicy);
  eth1_.others(Outcome::Silent, "input-policy-drop", kPolicy);
  yes(lo_);
  EXPECT_EQ(words(), "10.0.0.0/8 via eth0; others dropped");
  EXPECT_EQ(openness(), Openness::Some);
}

TEST_F(ReachWords, a_whole_interface) {
  yes(eth0_);
  eth1_.others(Outcome::Refused, "bound-other-dev");
  yes(lo_);
  EXPECT_EQ(words(), "anywhere via eth0; others refused");
}

TEST_F(ReachWords, all_but_some) {
  for (Place* place : {&eth0_, &eth1_}) {
    place->of(set_of({"203.0.113.0/24"}), Outcome::Silent, "input-drop", "dropped");
    yes(*place);
  }
  yes(lo_);
  EXPECT_EQ(words(), "anywhere but 203.0.113.0/24");
}

TEST_F(ReachWords, nobody_and_why) {
  for (Place* place : {&eth0_, &eth1_, &lo_}) {
    auto& cause = place
                      ->others(Outcome::Silent, "input-drop",
                               "dropped by inet filter input handle 7: tcp dport 80 drop")
                      .answer.cause;
    cause.evidence = {
        {.fact = "tcp dport 80 drop", .where = "inet filter input handle 7", .verify = ""}};
  }
  EXPECT_EQ(words(), "nobody: dropped by inet filter input handle 7");
  EXPECT_EQ(openness(), Openness::Nobody);
}

TEST_F(ReachWords, this_host_only_and_why) {
  eth0_.others(Outcome::Silent, "input-policy-drop", kPolicy);
  eth1_.others(Outcome::Silent, "input-policy-drop", kPolicy);
  yes(lo_);
  EXPECT_EQ(words(), std::string("this host only; others ") + kPolicy);
  builder_.host().listeners[0].scope = host::Scope::Loopback;
  EXPECT_EQ(words(), "this host only");
  EXPECT_EQ(openness(), Openness::ThisHost);
}

TEST_F(ReachWords, who_is_answered_by_another_socket_does_not_reach_this_one) {
  builder_.owned(Protocol::Tcp, "10.0.0.5", 80, {});
  eth0_.others(Outcome::Answered, "listener-answers").answer.delivers_to = 1;
  yes(eth1_);
  yes(lo_);
  EXPECT_EQ(words(), "anywhere via eth1; others not answered");
}

TEST_F(ReachWords, rules_that_were_not_read) {
  network_.unread = {{host::NetworkFact::Nftables,
                      {"nftables-not-read", "nftables: not permitted", "", "run as root"}}};
  for (Place* place : {&eth0_, &eth1_, &lo_}) {
    place->others(Outcome::Unknown, "nftables-not-read").answer.possible = {Outcome::Answered,
                                                                            Outcome::Silent};
  }
  EXPECT_EQ(words(), "unknown: rules unread");
  EXPECT_EQ(openness(), Openness::Unknown);
  // What is bound to this host needs no rules to be kept from others.
  builder_.host().listeners[0].scope = host::Scope::Loopback;
  EXPECT_EQ(words(), "this host only");
  EXPECT_EQ(openness(), Openness::ThisHost);
}

TEST_F(ReachWords, a_recording_without_a_network) {
  network_.links.clear();
  network_.unread = {
      {host::NetworkFact::Links, {"links-not-read", "interfaces: not recorded", "", ""}}};
  EXPECT_EQ(words(), "unknown: not recorded");
  network_.unread.front().second.what = "interfaces: Stale file handle";
  EXPECT_EQ(words(), "unknown: its namespace was not entered");
  builder_.host().listeners[0].scope = host::Scope::Loopback;
  EXPECT_EQ(words(), "this host only");
}

TEST_F(ReachWords, chance) {
  for (Place* place : {&eth0_, &eth1_}) {
    place->others(Outcome::Depends, "rate-limit", "limit rate 5/second").answer.possible = {
        Outcome::Answered, Outcome::Silent};
  }
  yes(lo_);
  EXPECT_EQ(words(), "perhaps anywhere: depends on limit rate 5/second");
}

TEST_F(ReachWords, past_the_input_chain) {
  for (Place* place : {&eth0_, &eth1_}) {
    yes(*place).answer.path = {{reach::Stage::Prerouting, "rewrite", "dnat to 172.17.0.2:80"},
                               {reach::Stage::Forward, "pass", "accepted by ip filter DOCKER"}};
  }
  yes(lo_);
  EXPECT_EQ(words(), "anywhere (DNAT)");
  network_.nft.chains.push_back({.table = "filter", .name = "ufw-user-input"});
  EXPECT_EQ(words(), "anywhere, past ufw (DNAT)");
}

TEST_F(ReachWords, a_family_without_a_way_back_is_nobodys_loss) {
  yes(eth0_);
  yes(eth1_);
  yes(lo_);
  Place six(kEth0, "fd00::5");
  six.of(set_of({"fd00::/64"}), Outcome::Answered, "listener-answers").answer.delivers_to = 0;
  six.others(Outcome::Silent, "no-route-back");
  const auto classes = joined({eth0_, six, eth1_, lo_});
  const reach::ClientSources sources(network_);
  const auto one = reach::reachability(sources, reach::list_of(classes));
  EXPECT_EQ(one.openness, Openness::Anywhere);
  const auto alone = joined({six});
  const auto only = reach::reachability(sources, reach::list_of(alone));
  EXPECT_EQ(reach_words(network_, only), "fd00::/64 via eth0");
}

TEST_F(ReachWords, reaches_asks_for_one_client) {
  yes(eth0_, set_of({"10.0.0.0/8"}));
  eth0_.others(Outcome::Silent, "input-drop");
  eth1_.others(Outcome::Silent, "input-drop");
  yes(lo_);
  const reach::ReachTable asked = table();
  const reach::Reachability& one = asked.reachability({0});
  const auto reaches = [&](const char* from) {
    return reach::reaches(one, Prefix::parse(from).value());
  };
  EXPECT_TRUE(reaches("10.1.2.3"));
  EXPECT_TRUE(reaches("0.0.0.0/0"));
  EXPECT_TRUE(reaches("127.0.0.1"));
  EXPECT_FALSE(reaches("11.1.2.3"));
  EXPECT_FALSE(reaches("::/0"));
}

TEST_F(ReachWords, who_is_said_by_interface) {
  yes(eth0_, set_of({"10.0.0.0/8"}));
  eth0_.others(Outcome::Silent, "input-drop");
  yes(eth1_, set_of({"10.0.0.0/8"}));
  eth1_.others(Outcome::Silent, "input-drop");
  yes(lo_);
  const auto classes = joined({eth0_, eth1_, lo_});
  const reach::ClientView clients =
      reach::view_of(reach::ClientSources(network_), reach::list_of(classes));
  const auto groups = reach::client_kinds(clients);
  EXPECT_THAT(clients_words(network_, clients, {groups[0].parts, {}}, 5),
              ElementsAre("10.0.0.0/8 via eth0, eth1", "this host"));
  EXPECT_THAT(clients_words(network_, clients, {groups[1].parts, groups[0].parts}, 5),
              ElementsAre("anywhere else"));
}

TEST_F(ReachWords, a_links_own_subnet_is_called_so_where_there_is_room) {
  yes(eth0_, set_of({"10.0.0.0/24"}));
  eth0_.others(Outcome::Silent, "input-drop");
  const auto classes = joined({eth0_});
  const reach::ClientView clients =
      reach::view_of(reach::ClientSources(network_), reach::list_of(classes));
  EXPECT_THAT(clients_words(network_, clients, {{0}, {}}, 5),
              ElementsAre("the subnet 10.0.0.0/24 via eth0"));
  EXPECT_THAT(clients_words(network_, clients, {{0}, {}}, 2), ElementsAre("10.0.0.0/24 via eth0"));
}

TEST_F(ReachWords, interfaces_of_a_vpn_and_of_containers_are_named_so) {
  network_.links[1].kind = "wireguard";
  network_.links[2].kind = "bridge";
  network_.links[2].name = "docker0";
  for (Place* place : {&eth0_, &eth1_}) {
    yes(*place, set_of({"10.0.0.0/8"}));
    place->others(Outcome::Silent, "input-drop");
  }
  yes(lo_);
  EXPECT_EQ(words(), "10.0.0.0/8 via eth0 (VPN), docker0 (containers); others dropped");
}

}  // namespace
}  // namespace hark::show
