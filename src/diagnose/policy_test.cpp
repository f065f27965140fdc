#include "diagnose/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnose/policy_learn.h"
#include "host/scope.h"
#include "reach/test_classes.h"

namespace hark::diagnose {
namespace {

using host::ReachWish;
using reach::Outcome;
using reach::testing::kLo;
using reach::testing::Place;
using reach::testing::set_of;

/// Who is let in to a port from elsewhere, of IPv4 alone; of others it is not known.
struct Open {
  std::uint16_t port;
  AddressSet sources;
  AddressSet unknown = {};
  bool here = true;
};

/// lo, eth0 and eth1; nginx on 80 for all, postgres on 5432 for 10.0.0.0/8, redis for this host,
/// something on udp 53 whose owner cannot be read, 9000 of which nothing is known from outside, and
/// 9100 that nobody reaches.
class World {
 public:
  World() {
    host_.namespaces.push_back({.inode = 1, .name = "host", .own = true, .entered = true});
    for (const char* name : {"nginx", "postgres", "redis-server"}) {
      host::Process one;
      one.pid = static_cast<std::uint32_t>(100 + host_.processes.size());
      one.name = name;
      one.unit = std::string(name) + ".service";
      host_.processes.push_back(one);
    }
    listen("0.0.0.0", 80, 0);
    listen("0.0.0.0", 5432, 1);
    listen("127.0.0.1", 6379, 2);
    listen("0.0.0.0", 53, 0).owners.reset();
    host_.listeners.back().protocol = Protocol::Udp;
    listen("0.0.0.0", 9000, 0);
    listen("0.0.0.0", 9100, 0);
    listen("0.0.0.0", 1, 0).protocol = Protocol::Raw;
    listen("0.0.0.0", 40000, 0).protocol = Protocol::Udp;
    host_.listeners.back().probable_client = true;
    open_ = {{80, all_addresses(Family::Inet)},
             {5432, set_of({"10.0.0.0/8"})},
             {6379, {}},
             {53, all_addresses(Family::Inet)},
             {9000, {}, all_addresses(Family::Inet)},
             {9100, {}, {}, false},
             {40000, all_addresses(Family::Inet)}};
    table_.emplace(host_);
    std::vector<std::size_t> every(host_.listeners.size());
    for (std::size_t i = 0; i < every.size(); ++i) every[i] = i;
    table_->add(reach::testing::two_links(), every,
                [this](const auto&, const auto&, const auto& to, auto*) { return ask(to); });
  }

  [[nodiscard]] PolicyFacts facts() const {
    return {.host = host_, .reach = *table_, .declared = declared, .netns = host::NetnsId{0}};
  }
  [[nodiscard]] std::vector<PolicyResult> check(const std::string& text) {
    auto policy = host::parse_policy(text);
    EXPECT_TRUE(policy) << text << policy.error().front().what;
    policy_ = std::move(*policy);
    return check_policy(facts(), policy_);
  }
  /// "too-open 5432, missing 443": each with its port.
  [[nodiscard]] std::string told(const std::string& text) {
    std::string out;
    for (const PolicyResult& one : check(text)) {
      if (!out.empty()) out += ", ";
      out += std::string(name_of(one.status)) + " ";
      out += one.subject.listener ? std::to_string(host_.listeners[*one.subject.listener].port)
                                  : policy_.expectations[*one.expectation].port;
    }
    return out;
  }
  host::Host& host() { return host_; }

  std::vector<host::DeclaredPort> declared;

 private:
  host::Listener& listen(const char* address, std::uint16_t port, std::uint32_t process) {
    host::Listener one;
    one.address = IpAddress::parse(address).value();
    one.port = port;
    one.scope = host::scope_of(one.address, "");
    one.owners = {{{.process = host::ProcessId{process}, .fds = {3}}}};
    one.unit = host_.processes[process].unit;
    host_.listeners.push_back(std::move(one));
    return host_.listeners.back();
  }

  std::vector<std::vector<reach::ReachClass>> ask(const std::vector<reach::Destination>& all) {
    std::vector<std::vector<reach::ReachClass>> out;
    for (const reach::Destination& to : all) {
      const auto open = std::ranges::find(open_, to.port, &Open::port);
      const auto taker = std::ranges::find(host_.listeners, to.port, &host::Listener::port);
      const auto at = static_cast<std::size_t>(taker - host_.listeners.begin());
      Place place(to.interface, to.address.text().c_str(), to.port);
      const bool here = to.interface == kLo;
      const AddressSet whole = all_addresses(to.address.family);
      const AddressSet in = !here ? open->sources : open->here ? whole : AddressSet();
      const AddressSet unknown = here ? AddressSet() : open->unknown.minus(in);
      const AddressSet rest = whole.minus(in).minus(unknown);
      if (!in.empty()) place.of(in, Outcome::Answered, "listener-answers").answer.delivers_to = at;
      if (!unknown.empty()) place.of(unknown, Outcome::Unknown, "nftables-not-read");
      if (!rest.empty()) place.of(rest, Outcome::Silent, "input-drop");
      out.push_back(place.classes());
    }
    return out;
  }

  host::Host host_;
  std::vector<Open> open_;
  std::optional<reach::ReachTable> table_;
  host::Policy policy_;
};

std::string expect(const std::string& lines) {
  return "default = \"allow\"\n[[expect]]\n" + lines;
}

TEST(Policy, EachStatus) {
  struct Row {
    const char* lines;
    const char* told;
  };
  const Row rows[] = {
      {"port = 'tcp/80'", "met 80"},
      {"port = 'tcp/80'\nowner = 'nginx.service'\nreach = 'anywhere'", "met 80"},
      {"port = 'tcp/80'\nowner = 'nginx'", "met 80"},
      {"port = 'tcp/80'\nowner = ['haproxy', 'unit:nginx']", "met 80"},
      {"port = 'tcp/80'\nowner = 'apache2'", "wrong-owner 80"},
      {"port = 'tcp/80'\nowner = 'apache2'\nreach = 'none'", "wrong-owner 80"},
      {"port = 'tcp/80'\nreach = 'none'", "too-open 80"},
      {"port = 'tcp/80'\nreach = 'loopback'", "too-open 80"},
      {"port = 'tcp/80'\nreach = ['10.0.0.0/8', 'lo']", "too-open 80"},
      {"port = 'tcp/80'\nreach = ['eth0', 'lo']", "too-open 80"},
      {"port = 'tcp/80'\nreach = ['eth0', 'eth1']", "too-open 80"},
      {"port = 'tcp/80'\nreach = ['eth0', 'eth1', 'lo']", "met 80"},
      {"port = 'tcp/80'\nreach = ['0.0.0.0/0', 'lo']", "met 80"},
      {"port = 'tcp/443'", "missing tcp/443"},
      {"port = 'udp/80'", "missing udp/80"},
      {"port = 'tcp/443'\noptional = true", ""},
      {"port = 'tcp/5432'\nreach = ['10.0.0.0/8', 'lo']", "met 5432"},
      {"port = 'tcp/5432'\nreach = ['10.0.0.0/8 via eth0', 'lo']", "too-open 5432"},
      {"port = 'tcp/5432'\nreach = ['10.0.0.0/9', 'lo']", "too-open 5432"},
      {"port = 'tcp/5432'\nreach = ['10.0.0.0/7', 'lo']", "too-closed 5432"},
      {"port = 'tcp/5432'\nreach = 'anywhere'", "too-closed 5432"},
      {"port = 'tcp/5432'\nreach = ['eth0', '10.0.0.0/8', 'lo']", "too-closed 5432"},
      {"port = 'tcp/80'\nreach = ['anywhere', 'not 10.0.0.0/8']", "too-open 80"},
      {"port = 'tcp/80'\nreach = ['anywhere', 'not fd00::/8']", "met 80"},
      {"port = 'tcp/80'\nreach = ['anywhere', 'not eth1']", "too-open 80"},
      {"port = 'tcp/5432'\nreach = ['10.0.0.0/7', 'not 11.0.0.0/8', 'lo']", "met 5432"},
      // Prefixes of the other family ask nothing of a socket of this one.
      {"port = 'tcp/5432'\nreach = ['10.0.0.0/8', 'fd00::/8', 'lo']", "met 5432"},
      {"port = 'tcp/6379'\nreach = 'loopback'", "met 6379"},
      {"port = 'tcp/6379'\nreach = ['lo']", "met 6379"},
      {"port = 'tcp/6379'\nreach = ['127.0.0.0/8']", "met 6379"},
      {"port = 'tcp/6379'\nreach = 'none'", "too-open 6379"},
      {"port = 'tcp/6379'\nreach = 'anywhere'", "too-closed 6379"},
      {"port = 'udp/53'", "met 53"},
      {"port = 'udp/53'\nowner = 'named'", "unknown 53"},
      {"port = 'udp/53'\nowner = 'named'\nreach = 'loopback'", "too-open 53"},
      {"port = 'tcp/9000'\nreach = 'loopback'", "unknown 9000"},
      {"port = 'tcp/9000'\nreach = 'anywhere'", "unknown 9000"},
      {"port = 'tcp/9000'\nreach = 'none'", "too-open 9000"},
      {"port = 'tcp/9100'\nreach = 'none'", "met 9100"},
      {"port = 'tcp/9100'\nreach = 'loopback'", "too-closed 9100"},
      {"port = 'raw/1'", "met 1"},
      {"port = 'raw/1'\nreach = 'none'", "unknown 1"},
      {"port = 'tcp/9000-9100'", "met 9000, met 9100"},
      {"port = 'tcp/9001-9099'", "missing tcp/9001-9099"},
      {"port = 80\naddress = 'any'", "met 80"},
      {"port = 80\naddress = '10.0.0.5'", "missing 80"},
      {"port = 80\nfamily = 'ipv6'", "missing 80"},
      {"port = 80\npublished = true", "missing 80"},
      {"port = 80\nnetns = 'host'", "met 80"},
      {"port = 80\nnetns = 'blue'", "missing 80"},
      // A socket that looks like a client's is a listener to whoever expects it.
      {"port = 'udp/40000'\nreach = 'anywhere'", "met 40000"},
  };
  World world;
  for (const Row& row : rows) EXPECT_EQ(world.told(expect(row.lines)), row.told) << row.lines;
}

TEST(Policy, WhatIsNotNamedIsUnexpected) {
  World world;
  const std::string all = "port = ['tcp/80', 'tcp/5432', 'tcp/9000-9100', 'raw/1']\n";
  EXPECT_EQ(world.told("[[expect]]\n" + all),
            "unexpected 6379, unexpected 53, met 80, met 5432, met 9000, met 9100, met 1");
  EXPECT_EQ(world.told("default = 'allow'\n[[expect]]\n" + all),
            "met 80, met 5432, met 9000, met 9100, met 1");
}

TEST(Policy, SeveralExpectationsOfOnePort) {
  World world;
  const std::string two = "[[expect]]\nport = 80\nowner = 'nginx'\n[[expect]]\nport = 80\n";
  EXPECT_EQ(world.told("default = 'allow'\n" + two + "owner = 'apache2'\n"), "missing 80, met 80");
  EXPECT_EQ(world.told("default = 'allow'\n" + two + "reach = 'none'\n"), "too-open 80, met 80");
  EXPECT_EQ(world.told("default = 'allow'\n[[expect]]\nport = 80\nowner = 'apache2'\n"
                       "[[expect]]\nport = 80\n"),
            "wrong-owner 80, met 80");
}

TEST(Policy, SaysWhoIsTooMany) {
  World world;
  const auto results = world.check(expect("port = 'tcp/80'\nreach = ['10.0.0.0/8', 'lo']"));
  ASSERT_EQ(results.size(), 1U);
  const Deviation& sources = results[0].sources;
  EXPECT_TRUE(sources.too_few.empty());
  ASSERT_EQ(sources.too_many.size(), 2U);
  for (const std::size_t i : sources.too_many) {
    const reach::ClientPart& part = sources.clients.parts[i];
    EXPECT_FALSE(part.addresses.contains(IpAddress::parse("10.1.2.3").value()));
    EXPECT_TRUE(part.addresses.contains(IpAddress::parse("8.8.8.8").value()));
    // Nobody has these.
    EXPECT_FALSE(part.addresses.contains(IpAddress::parse("127.0.0.1").value()));
    EXPECT_FALSE(part.addresses.contains(IpAddress::parse("224.0.0.1").value()));
  }
}

TEST(Policy, AsAConfigurationSays) {
  World world;
  const auto port = [&](const char* program, std::uint16_t number, const char* address) {
    host::DeclaredPort one;
    one.by = host::DeclaredPort::By::File;
    one.port = number;
    one.protocol = Protocol::Tcp;
    one.address = IpAddress::parse(address);
    one.program = program;
    one.pid = 100;
    one.file = "/etc/x.conf";
    one.line = 7;
    world.declared.push_back(one);
  };
  port("nginx", 80, "0.0.0.0");
  port("postgres", 5432, "10.0.0.5");
  port("redis-server", 6380, "127.0.0.1");
  EXPECT_EQ(world.told(expect("as = 'nginx'\nreach = 'anywhere'")), "met 80");
  EXPECT_EQ(world.told(expect("as = 'nginx'\nowner = 'apache2'")), "wrong-owner 80");
  EXPECT_EQ(world.told(expect("as = 'postgres'")), "missing ");
  EXPECT_EQ(world.check(expect("as = 'redis-server'"))[0].declared,
            "tcp/6380 at 127.0.0.1, as /etc/x.conf line 7 says");
  EXPECT_EQ(world.told(expect("as = 'sshd'")), "missing ");
  EXPECT_EQ(world.told(expect("as = 'sshd'\noptional = true")), "");
}

TEST(Policy, SocketsThatCouldNotBeReadAreNotMissing) {
  World world;
  world.host().gaps.push_back(
      {.code = "sockets-not-read", .what = "TCP", .hides = "", .remedy = ""});
  EXPECT_EQ(world.told(expect("port = 'tcp/443'")), "unknown tcp/443");
  const auto deny = host::parse_policy("");
  EXPECT_TRUE(hides_listeners(world.facts(), *deny, world.host().gaps));
  const auto allow = host::parse_policy("default = 'allow'");
  EXPECT_FALSE(hides_listeners(world.facts(), *allow, world.host().gaps));
}

TEST(PolicyLearn, IsAsTightAsToday) {
  const World world;
  std::string told;
  for (const LearntExpectation& one : learn_policy(world.facts())) {
    for (const std::string& port : one.ports) told += port + " ";
    told += one.owner + ": " + words_of(one.reach) + "\n";
  }
  EXPECT_EQ(told,
            "raw/1 tcp/9000 nginx.service: \n"
            "udp/53 tcp/80 nginx.service: anywhere\n"
            "tcp/9100 nginx.service: none\n"
            "tcp/5432 postgres.service: lo, 10.0.0.0/8\n"
            "tcp/6379 redis-server.service: loopback\n");
}

TEST(PolicyLearn, TakesOutWhatIsNotMet) {
  std::vector<LearntExpectation> learnt = {{.ports = {"tcp/80", "tcp/443"}, .owner = "a"},
                                           {.ports = {"tcp/81"}, .owner = "b"}};
  learnt[1].reach.kind = ReachWish::Kind::Anywhere;
  const auto policy =
      host::parse_policy("[[expect]]\nport = ['tcp/80', 'tcp/443']\n[[expect]]\nport = 'tcp/81'");
  std::vector<PolicyResult> results(2);
  results[0] = {.expectation = 1, .status = PolicyStatus::WrongOwner};
  results[1] = {.expectation = 2, .status = PolicyStatus::TooClosed};
  EXPECT_TRUE(loosen(learnt, *policy, results));
  EXPECT_EQ(learnt[0].owner, "");
  EXPECT_EQ(learnt[1].owner, "b");
  EXPECT_EQ(learnt[1].reach.kind, ReachWish::Kind::NotSaid);
  EXPECT_FALSE(loosen(learnt, *policy, results));
}

}  // namespace
}  // namespace hark::diagnose
