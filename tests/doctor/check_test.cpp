// hark check against hosts that are made for real: each status of a result, and what was learnt of
// a host is met by it.
#include <gmock/gmock.h>
#include <sys/socket.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "room.h"

namespace hark::doctor {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// 203.0.113.0/24 and the rest of the world come by eth1, from behind 10.9.0.9.
void world(Stage& stage) {
  stage.neighbour("eth1", "10.9.0.1/24", "10.9.0.9/24");
  Stage::run({"ip", "route", "add", "default", "via", "10.9.0.9"});
}

/// Everybody reaches tcp 80; 10.0.0.0/8 tcp 5432; this host alone tcp 6379; nobody tcp 9100; udp 53
/// has an owner of its own, and tcp 22 is there for IPv6 as well.
void busy(Stage& stage) {
  world(stage);
  stage.server(80, 16, "0.0.0.0");
  stage.server(5432, 16, "0.0.0.0");
  stage.server(6379);
  stage.server(9100, 16, "0.0.0.0");
  stage.server(22, 16, "::");
  stage.process([&] { stage.bound(SOCK_DGRAM, "0.0.0.0", 53); });
  Stage::run({"nft",
              "add table inet t; add chain inet t in { type filter hook input priority 0; }; "
              "add rule inet t in ip saddr != { 10.0.0.0/8, 127.0.0.0/8 } tcp dport 5432 drop; "
              "add rule inet t in tcp dport 9100 reject with tcp reset"});
}

/// tcp 8080 is sent to somebody at 10.9.0.9, tcp 8081 to port 80 of this host.
void publishing(Stage& stage) {
  world(stage);
  stage.server(80, 16, "0.0.0.0");
  Stage::sysctl("ipv4/ip_forward", "1");
  Stage::run({"nft",
              "add table ip n; add chain ip n pre { type nat hook prerouting priority -100; }; "
              "add rule ip n pre tcp dport 8080 dnat to 10.9.0.9:80; "
              "add rule ip n pre tcp dport 8081 redirect to :80"});
}

/// Who gets in is left to chance.
void chancy(Stage& stage) {
  world(stage);
  stage.server(80, 16, "0.0.0.0");
  Stage::run({"nft",
              "add table inet t; add chain inet t in { type filter hook input priority 0; }; "
              "add rule inet t in tcp dport 80 numgen random mod 2 0 drop"});
}

void nothing(Stage&) {}

/// Several owners of one port, by different addresses.
void split(Stage& stage) {
  world(stage);
  stage.server(80, 16, "10.9.0.1");
  stage.server(80, 16, "127.0.0.1");
  stage.server(443, 16, "10.9.0.1");
  stage.server(443, 16, "::1");
}

constexpr Scene kBusy = {"Busy", busy, nullptr};
constexpr Scene kPublishing = {"Publishing", publishing, nullptr};
constexpr Scene kChancy = {"Chancy", chancy, nullptr};
constexpr Scene kNothing = {"Nothing", nothing, nullptr};
constexpr Scene kSplit = {"Split", split, nullptr};

class Checked : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::geteuid(), 0U) << "missing: root. These tests make network namespaces";
  }

  Ran check(const Room& room, const std::string& policy, const std::vector<std::string>& more) {
    const std::string file = place_.folder() + "/policy.toml";
    std::ofstream(file, std::ios::trunc) << policy;
    std::vector<std::string> words = {"check", file, "--netns", std::to_string(room.pid())};
    words.insert(words.end(), more.begin(), more.end());
    return run_hark(words);
  }

  /// "2: too-open tcp 5432", the line of the policy, the status and the listener; then the exit
  /// status.
  std::string told(const Room& room, const std::string& policy) {
    const Ran ran = check(room, policy, {"--json"});
    const json object = json::parse(ran.out, nullptr, false);
    EXPECT_TRUE(object.is_object()) << ran.out;
    std::string out;
    for (const json& one : object.is_object() ? object["results"] : json::array()) {
      const json& who = one["listener"].is_null() ? one["published"] : one["listener"];
      out += one["expectation"].is_null() ? "-" : one["expectation"]["line"].dump();
      out += ": " + one["status"].get<std::string>();
      if (!who.is_null())
        out += " " + who["protocol"].get<std::string>() + " " + who["port"].dump();
      out += "\n";
    }
    return out + std::to_string(ran.status);
  }

  /// What is learnt of it is met, right away; gives it back.
  std::string learnt(const Room& room) {
    const Ran ran = run_hark({"check", "--learn", "--netns", std::to_string(room.pid())});
    EXPECT_EQ(ran.status, 0);
    const Ran now = check(room, ran.out, {"--json"});
    EXPECT_EQ(now.status, 0) << ran.out << now.out;
    const json object = json::parse(now.out, nullptr, false);
    for (const json& one : object["results"]) EXPECT_EQ(one["status"], "met") << one << ran.out;
    return ran.out;
  }

  Stage place_;
};

TEST_F(Checked, EachStatusForReal) {
  const Room room(kBusy);
  ASSERT_EQ(room.said(), "ready");
  EXPECT_EQ(told(room, R"([[expect]]
port = "tcp/80"
reach = "anywhere"
[[expect]]
port = "tcp/5432"
reach = ["10.0.0.0/8", "lo"]
[[expect]]
port = "tcp/6379"
reach = "loopback"
[[expect]]
port = "tcp/9100"
reach = "none"
[[expect]]
port = ["tcp/22", "udp/53"]
)"),
            "1: met tcp 80\n4: met tcp 5432\n7: met tcp 6379\n10: met tcp 9100\n13: met tcp 22\n"
            "13: met udp 53\n0");
  EXPECT_EQ(told(room, R"([[expect]]
port = "tcp/80"
reach = ["10.0.0.0/8", "lo"]
[[expect]]
port = "tcp/5432"
reach = "anywhere"
[[expect]]
port = "tcp/6379"
owner = "somebody-else"
[[expect]]
port = "tcp/443"
[[expect]]
port = "tcp/444"
optional = true
[[expect]]
port = "tcp/9100"
reach = "none"
)"),
            "-: unexpected tcp 22\n-: unexpected udp 53\n1: too-open tcp 80\n"
            "7: wrong-owner tcp 6379\n10: missing\n4: too-closed tcp 5432\n15: met tcp 9100\n1");
  const std::string learnt_text = learnt(room);
  EXPECT_THAT(learnt_text, HasSubstr("reach = \"none\""));
  EXPECT_THAT(learnt_text, HasSubstr("reach = \"loopback\""));
  EXPECT_THAT(learnt_text, HasSubstr("\"10.0.0.0/8\""));
}

TEST_F(Checked, TheScreenSaysWhatDecides) {
  const Room room(kBusy);
  ASSERT_EQ(room.said(), "ready");
  const Ran ran =
      check(room,
            "default = \"allow\"\n[[expect]]\nport = \"tcp/5432\"\nreach = \"anywhere\"\n"
            "why = \"billing\"\n",
            {"--width", "100"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, testing::StartsWith("TOO CLOSED   tcp 5432  "));
  EXPECT_THAT(ran.out, HasSubstr("dropped by inet t in handle "));
  EXPECT_THAT(ran.out, HasSubstr("policy.toml:2:1: billing"));
  EXPECT_THAT(ran.out, HasSubstr("expects, 1 not.\n"));
}

TEST_F(Checked, PublishedPortsCountAsListeners) {
  const Room room(kPublishing);
  ASSERT_EQ(room.said(), "ready");
  EXPECT_EQ(told(room, "[[expect]]\nport = \"tcp/80\"\n"),
            "-: unexpected tcp 8080\n-: unexpected tcp 8081\n1: met tcp 80\n1");
  EXPECT_EQ(told(room,
                 "[[expect]]\nport = [\"tcp/80\", \"tcp/8080-8081\"]\npublished = true\n"
                 "[[expect]]\nport = \"tcp/8081\"\nreach = \"loopback\"\n"),
            "-: unexpected tcp 80\n4: too-open tcp 8081\n1: missing\n1: met tcp 8080\n"
            "1: met tcp 8081\n1");
  const Ran ran = run_hark({"check", "--learn", "--netns", std::to_string(room.pid())});
  EXPECT_THAT(ran.out, HasSubstr("\"tcp/8081\""));
}

TEST_F(Checked, WhatChanceDecidesIsNotMet) {
  const Room room(kChancy);
  ASSERT_EQ(room.said(), "ready");
  EXPECT_EQ(told(room, "[[expect]]\nport = \"tcp/80\"\nreach = \"anywhere\"\n"),
            "1: unknown tcp 80\n3");
  EXPECT_EQ(told(room, "[[expect]]\nport = \"tcp/80\"\n"), "1: met tcp 80\n0");
  EXPECT_THAT(learnt(room), HasSubstr("could not be told"));
}

TEST_F(Checked, WhatIsLearntIsMet) {
  for (const Scene& scene : {kNothing, kSplit}) {
    const Room room(scene);
    ASSERT_EQ(room.said(), "ready");
    learnt(room);
  }
}

TEST_F(Checked, AsTheConfigurationSays) {
  const std::map<std::string_view, std::string> statuses = {{"NginxElsewhere", "missing"},
                                                            {"NginxAsTold", "met"},
                                                            {"SshdElsewhere", "missing"},
                                                            {"SshdAsTold", "met"}};
  std::size_t made = 0;
  for (const Scene& scene : all_scenes()) {
    const auto found = statuses.find(scene.name);
    if (found == statuses.end()) continue;
    const Room room(scene);
    ++made;
    if (room.said().starts_with("missing: ")) continue;
    ASSERT_EQ(room.said(), "ready");
    const std::string as = found->first.starts_with("Nginx") ? "nginx" : "sshd";
    const std::string said = told(room, "default = \"allow\"\n[[expect]]\nas = \"" + as + "\"\n");
    EXPECT_THAT(said, testing::StartsWith("2: " + found->second)) << scene.name;
    EXPECT_EQ(said.back(), found->second == "met" ? '0' : '1') << scene.name;
    EXPECT_EQ(told(room, "default = \"allow\"\n[[expect]]\nas = \"nobody\"\n"), "2: missing\n1");
  }
  EXPECT_EQ(made, statuses.size());
}

}  // namespace
}  // namespace hark::doctor
