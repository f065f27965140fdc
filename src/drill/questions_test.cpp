#include "drill/questions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "drill/drill_pick.h"
#include "host/scope.h"
#include "reach/nft_test_rules.h"
#include "reach/routing_testing.h"

namespace hark::drill {
namespace {

using reach::destination_port;
using reach::testing::SmallHost;

/// SmallHost with servers: sshd on every address, nginx on 127.0.0.1 alone, a resolver on UDP and
/// TCP, a database behind a rule that drops, a metrics port behind one that rejects, and one whose
/// queue is full.
struct Scene : SmallHost {
  Scene() {
    host.name = "box";
    host.namespaces.push_back({.inode = 1, .name = "host", .own = true, .entered = true});
    const auto sshd = process(10, "sshd", "root", "ssh.service");
    const auto nginx = process(20, "nginx", "www-data", "nginx.service");
    const auto worker = process(21, "nginx", "www-data", "nginx.service");
    const auto resolver = process(30, "unbound", "unbound", "");
    const auto postgres = process(40, "postgres", "postgres", "postgresql@15.service");
    const auto java = process(50, "java", "app", "");
    host.processes[static_cast<std::size_t>(java)].program = "billing.jar";
    listen(Protocol::Tcp, "0.0.0.0", 22, {sshd});
    listen(Protocol::Udp, "0.0.0.0", 53, {resolver});
    listen(Protocol::Tcp, "0.0.0.0", 53, {resolver});
    listen(Protocol::Udp, "0.0.0.0", 5353, {resolver});
    listen(Protocol::Tcp, "0.0.0.0", 5432, {postgres});
    listen(Protocol::Tcp, "127.0.0.1", 8080, {nginx, worker});
    host::Listener& full = listen(Protocol::Tcp, "10.1.0.1", 9000, {java});
    full.queue = {.length = 129, .limit = 128, .drops = 0};
    listen(Protocol::Tcp, "0.0.0.0", 9100, {java});
    const auto redis = process(60, "redis-server", "redis", "");
    host::Listener& inside = listen(Protocol::Tcp, "0.0.0.0", 6379, {redis});
    inside.container = host::Container{.runtime = "docker", .id = "ab", .name = "cache"};
    // Listeners stand by namespace and port.
    std::ranges::sort(host.listeners, host::listed_before);
    rules();
  }

  host::ProcessId process(std::uint32_t pid, std::string name, std::string user, std::string unit) {
    host::Process one;
    one.pid = pid;
    one.name = std::move(name);
    one.user = std::move(user);
    one.unit = std::move(unit);
    one.state = 'S';
    one.started_by = std::vector<host::Ancestor>{{.pid = 1, .name = "systemd"}};
    host.processes.push_back(one);
    return static_cast<host::ProcessId>(host.processes.size() - 1);
  }

  host::Listener& listen(Protocol protocol, const char* address, std::uint16_t port,
                         std::initializer_list<host::ProcessId> owners) {
    host::Listener one;
    one.protocol = protocol;
    one.address = reach::testing::ip(address);
    one.port = port;
    one.state = protocol == Protocol::Tcp ? host::State::Listen : host::State::Unconn;
    if (one.address.family == Family::Inet6) one.v6only = true;
    one.scope = host::scope_of(one.address, "");
    one.socket.inode = static_cast<std::uint32_t>(100 + host.listeners.size());
    one.queue = {.length = 0, .limit = 128, .drops = 0};
    one.owners.emplace();
    for (const host::ProcessId id : owners) one.owners->push_back({.process = id, .fds = {3}});
    if (owners.size() > 0) one.unit = host.at(*owners.begin()).unit;
    host.listeners.push_back(std::move(one));
    return host.listeners.back();
  }

  void rules() {
    namespace nft = decode::nft;
    network.nft.tables.push_back({.family = nft::TableFamily::Inet, .name = "f", .handle = 1});
    nft::Chain in{.family = nft::TableFamily::Inet, .table = "f", .name = "in", .handle = 1};
    in.hook = nft::Hook{.number = reach::kAtInput, .priority = 0, .devices = {}};
    in.type = "filter";
    network.nft.chains.push_back(in);
    add_rule(5432, reach::drop());
    add_rule(9100, reach::expression(nft::Reject{.type = 1}));
  }
  void add_rule(unsigned port, decode::nft::Expression end) {
    reach::Rules expressions = destination_port(port);
    expressions.push_back(std::move(end));
    network.nft.rules.push_back({.family = decode::nft::TableFamily::Inet,
                                 .table = "f",
                                 .chain = "in",
                                 .handle = 10 + network.nft.rules.size(),
                                 .expressions = std::move(expressions)});
  }
};

/// Everything that can be asked of the scene, whatever the seed picks among tasks and clients.
class Questions : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    the_scene = new Scene;
    the_table = new reach::ReachTable(the_scene->host, reach::Sources::OfClients);
    std::vector<std::size_t> all(the_scene->host.listeners.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    the_table->add(the_scene->network, all, reach::reach_all);
    the_table->find_published();
    the_facts = new Facts{.host = the_scene->host, .reach = *the_table, .listeners = all};
  }
  static void TearDownTestSuite() {
    delete the_facts;
    delete the_table;
    delete the_scene;
  }
  static std::vector<Question> made(std::uint64_t seed) {
    const std::vector<Port> ports = ports_of(*the_facts);
    return Maker(*the_facts).make(ports, seed);
  }
  static const Question* find(const std::vector<Question>& all, const std::string& key) {
    const auto found = std::ranges::find(all, key, &Question::key);
    return found == all.end() ? nullptr : &*found;
  }

  static Scene* the_scene;
  static reach::ReachTable* the_table;
  static Facts* the_facts;
};
Scene* Questions::the_scene = nullptr;
reach::ReachTable* Questions::the_table = nullptr;
Facts* Questions::the_facts = nullptr;

TEST_F(Questions, have_the_right_answer_of_every_kind) {
  struct Row {
    const char* key;
    const char* answer;
    const char* verify;
  };
  constexpr std::array kRows = {
      Row{"owner:here:tcp:22", "sshd", "ss -Htlnp sport = :22"},
      Row{"owner:here:tcp:8080", "nginx", "ss -Htlnp sport = :8080"},
      Row{"owner:here:udp:5353", "unbound", "ss -Hulnp sport = :5353"},
      Row{"owner:here:tcp:9000", "billing.jar", "ss -Htlnp sport = :9000"},
      Row{"home:here:tcp:22:unit", "ssh.service", "cat /proc/10/cgroup"},
      Row{"home:here:udp:53:user", "unbound", "ps -o user:32=,comm= -p 30"},
      Row{"home:here:tcp:6379:container", "cache", "cat /proc/60/cgroup"},
      Row{"protocol:here:tcp:53", "both TCP and UDP", "ss -Htuln sport = :53"},
      Row{"protocol:here:tcp:22", "TCP alone", "ss -Htuln sport = :22"},
      Row{"protocol:here:udp:5353", "UDP alone", "ss -Htuln sport = :5353"},
      Row{"reach:here:tcp:22", "from anywhere", "ss -Htln sport = :22; nft list ruleset"},
      Row{"reach:here:tcp:8080", "from this host only", "ss -Htln sport = :8080; nft list ruleset"},
      Row{"reach:here:tcp:5432", "from nowhere, not even from this host",
          "ss -Htln sport = :5432; nft list ruleset"},
      Row{"why:here:tcp:22", "nothing stops it: a listener takes it", "ss -Htlnp sport = :22"},
      Row{"why:here:tcp:8080", "the binding: no socket is bound to that address and port",
          "ss -Htlnp sport = :8080"},
      Row{"why:here:tcp:5432", "a firewall rule, or a chain's policy, on the way in",
          "nft -a list chain inet f in"},
      Row{"why:here:tcp:9000", "a queue of the socket is full", "ss -Htln sport = :9000"},
      Row{"error:here:tcp:22", "it connects, and is served", "ss -Htlnp sport = :22"},
      Row{"error:here:tcp:8080", "\"Connection refused\": an answer says no",
          "ss -Htlnp sport = :8080"},
      Row{"error:here:tcp:5432", "nothing comes back: in the end \"Connection timed out\"",
          "nft -a list chain inet f in"},
      Row{"error:here:udp:5353", "a server gets it", "ss -Hulnp sport = :5353"},
      Row{"rebound:here:tcp:8080", "it connects, and is served",
          "ss -Htln sport = :8080; nft list ruleset"},
      Row{"rebound:here:tcp:5432", "nothing comes back: in the end \"Connection timed out\"",
          "ss -Htln sport = :5432; nft list ruleset"},
      Row{"rebound:here:udp:5353", "\"Connection refused\": ICMP port unreachable comes back",
          "ss -Huln sport = :5353; nft list ruleset"},
      Row{"closed:here:eth0", "\"Connection refused\": an answer says no", ""},
      Row{"command:here:tcp:22:holder", "ss -Htlnp sport = :22", "ss -Htlnp sport = :22"},
      Row{"command:here:tcp:22:queue", "ss -Htln sport = :22", "ss -Htln sport = :22"}};
  std::map<std::string, Question> all;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (Question& one : made(seed)) all.emplace(one.key, std::move(one));
  }
  for (const Row& row : kRows) {
    const auto found = all.find(row.key);
    ASSERT_NE(found, all.end()) << row.key;
    const Question& one = found->second;
    EXPECT_EQ(one.choices[one.answer].text, row.answer) << row.key << ": " << one.text;
    if (*row.verify != '\0') {
      EXPECT_EQ(one.verify, row.verify) << row.key;
    }
    EXPECT_NE(one.explanation, "") << row.key;
  }
  for (const KindInfo& kind : kinds()) {
    EXPECT_TRUE(std::ranges::any_of(
        kRows, [&](const Row& row) { return std::string(row.key).starts_with(kind.name); }))
        << kind.name << " has no row";
  }
}

/// What is true of the port that a question of this key is about: none of it may be a wrong choice.
std::set<std::string> truths(const std::string& key) {
  static const std::map<std::string, std::set<std::string>> kOwners = {
      {"22", {"sshd", "ssh.service", "root"}},
      {"53", {"unbound"}},
      {"5353", {"unbound"}},
      {"5432", {"postgres", "postgresql@15.service"}},
      {"6379", {"redis-server", "redis", "cache"}},
      {"8080", {"nginx", "nginx.service", "www-data"}},
      {"9000", {"billing.jar", "java", "app"}},
      {"9100", {"billing.jar", "java", "app"}}};
  for (const auto& [port, names] : kOwners) {
    if (key.find("p:" + port + ":") != std::string::npos || key.ends_with("p:" + port)) {
      return names;
    }
  }
  return {};
}

TEST_F(Questions, have_one_right_choice_and_wrong_ones_that_are_false) {
  std::size_t seen = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    for (const Question& one : made(seed)) {
      ++seen;
      ASSERT_GE(one.choices.size(), 2U) << one.key;
      ASSERT_LE(one.choices.size(), 4U) << one.key;
      std::set<std::string> met;
      for (std::size_t i = 0; i < one.choices.size(); ++i) {
        const Choice& choice = one.choices[i];
        EXPECT_TRUE(met.insert(choice.text).second) << one.key << ": " << choice.text << " twice";
        EXPECT_EQ(choice.credit == 100, i == one.answer) << one.key << ": " << choice.text;
        // Whatever names the truth in another word is no wrong choice.
        const bool who = one.kind == Kind::Owner || one.kind == Kind::Home;
        const bool is_true = who && truths(one.key).contains(choice.text);
        EXPECT_TRUE(i == one.answer || !is_true) << one.key << ": " << choice.text;
      }
    }
  }
  EXPECT_GT(seen, 1000U);
}

TEST_F(Questions, repeat_with_their_seed_and_differ_with_others) {
  const std::vector<Question> once = made(7);
  const std::vector<Question> again = made(7);
  ASSERT_EQ(once.size(), again.size());
  for (std::size_t i = 0; i < once.size(); ++i) {
    EXPECT_EQ(once[i].text, again[i].text);
    EXPECT_EQ(once[i].answer, again[i].answer);
  }
  bool differs = false;
  for (const Question& one : made(8)) {
    const Question* other = find(once, one.key);
    differs = differs || other == nullptr || other->answer != one.answer;
  }
  EXPECT_TRUE(differs);
}

TEST_F(Questions, are_not_made_where_a_fact_is_missing) {
  host::Host unread = the_scene->host;
  for (host::Listener& one : unread.listeners) one.owners.reset();
  host::Network rules_hidden = the_scene->network;
  rules_hidden.nft = {};
  rules_hidden.unread.emplace_back(host::NetworkFact::Nftables,
                                   host::Gap{"rules", "rules", "all", ""});
  reach::ReachTable table(unread, reach::Sources::OfClients);
  table.add(rules_hidden, the_facts->listeners, reach::reach_all);
  table.find_published();
  const Facts facts{.host = unread, .reach = table, .listeners = the_facts->listeners};
  std::set<Kind> made;
  for (const Question& one : Maker(facts).make(ports_of(facts), 1)) {
    made.insert(one.kind);
    // Of a full queue no rule makes anything better.
    if (one.kind == Kind::Reach) {
      EXPECT_EQ(one.key, "reach:here:tcp:9000");
    }
  }
  // The unit is known from the cgroup of the socket.
  EXPECT_EQ(made, (std::set<Kind>{Kind::Command, Kind::Protocol, Kind::Home, Kind::Reach}));
}

TEST_F(Questions, of_a_drill_give_no_later_one_away) {
  std::size_t kinds_met = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const std::vector<Question> all = made(seed);
    const std::vector<std::size_t> picked = pick(all, {}, 100, seed, 9);
    EXPECT_EQ(picked.size(), 9U);
    std::set<Kind> met;
    for (std::size_t i = 0; i < picked.size(); ++i) {
      const Question& later = all[picked[i]];
      met.insert(later.kind);
      for (std::size_t j = 0; j < i; ++j) {
        const Question& earlier = all[picked[j]];
        EXPECT_LE(earlier.kind, later.kind);
        if (earlier.subject != later.subject) continue;
        const std::string& answer = later.choices[later.answer].text;
        EXPECT_EQ((earlier.text + earlier.explanation).find(answer), std::string::npos)
            << earlier.key << " tells " << later.key;
      }
    }
    kinds_met = std::max(kinds_met, met.size());
  }
  EXPECT_GE(kinds_met, 7U);
}

TEST_F(Questions, prefer_what_is_new_then_what_went_wrong) {
  const std::vector<Question> all = made(1);
  History history;
  for (const Question& one : all) {
    if (one.key == "owner:here:tcp:22" || one.key == "home:here:udp:53:user") continue;
    note(history, one.key, one.key == "owner:here:tcp:5432" ? 0 : 100, 99);
  }
  std::set<std::string> keys;
  for (const std::size_t i : pick(all, history, 100, 1, 3)) keys.insert(all[i].key);
  EXPECT_EQ(keys, (std::set<std::string>{"owner:here:tcp:22", "home:here:udp:53:user",
                                         "owner:here:tcp:5432"}));
}

TEST_F(Questions, names_keep_their_bytes_and_keys_do_not) {
  host::Host hostile = the_scene->host;
  for (host::Process& one : hostile.processes) one.name = "\x1b[2J\n" + one.name;
  hostile.namespaces[0].own = false;
  hostile.namespaces[0].name = "a b\nend";
  reach::ReachTable table(hostile, reach::Sources::OfClients);
  table.add(the_scene->network, the_facts->listeners, reach::reach_all);
  table.find_published();
  const Facts facts{.host = hostile,
                    .reach = table,
                    .listeners = the_facts->listeners,
                    .enter = [](host::NetnsId) { return std::string("nsenter --net=x "); }};
  const std::vector<Question> all = Maker(facts).make(ports_of(facts), 1);
  const Question* owner = find(all, "owner:a%20b%0aend:tcp:22");
  ASSERT_NE(owner, nullptr);
  EXPECT_EQ(owner->choices[owner->answer].text, "\x1b[2J\nsshd");
  EXPECT_EQ(owner->verify, "nsenter --net=x ss -Htlnp sport = :22");
  EXPECT_NE(owner->text.find("in a b\nend"), std::string::npos) << owner->text;
}

}  // namespace
}  // namespace hark::drill
