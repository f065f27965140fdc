// Sentences, order, escapes and JSON of `hark diff`.
#include "show/diff_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "diagnose/test_world.h"
#include "show/diff_json.h"

namespace hark::show {
namespace {

using diagnose::Severity;
using diagnose::testing::World;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

DiffReport compare(World& before, World& after) {
  DiffReport out{.before = {.snapshot = before.snapshot(), .file = "old.hark"},
                 .after = {.snapshot = after.snapshot(), .file = ""}};
  out.changes = diagnose::changes_between(out.before.snapshot, out.after.snapshot, false);
  return out;
}

/// The paragraphs, as wide as they are, without the summary.
std::string said(World& before, World& after) {
  const std::string text =
      diff_text(compare(before, after), {.width = std::nullopt, .ascii = true});
  return text.substr(0, text.find("\n\n"));
}

struct Row {
  std::function<void(World&)> before, after;
  const char* said;
};

void nothing(World&) {}

const std::vector<Row> kRows = {
    {nothing, [](World& w) { w.bind(1, "0.0.0.0"); },
     "OPENED   tcp 6379  redis (101), redis.service was this host only, is now reachable from "
     "anywhere: bind changed 127.0.0.1 -> 0.0.0.0"},
    {[](World& w) { w.listen("::1", 6379, host::ProcessId{1}); },
     [](World& w) {
       w.bind(1, "::");
       w.listener(1).v6only = false;
     },
     "OPENED   tcp 6379  redis (101), redis.service was this host only, is now reachable from "
     "anywhere: bind changed 127.0.0.1, ::1 -> ::"},
    {nothing, [](World& w) { w.bind(1, "127.0.0.2"); },
     "MOVED    tcp 6379  redis (101), redis.service bind changed 127.0.0.1 -> 127.0.0.2; this "
     "host only"},
    {nothing, [](World& w) { w.allowed[80] = {"10.0.0.0/8"}; },
     "CLOSED   tcp 80  nginx (100), nginx.service was reachable from anywhere, is now reachable "
     "from 10.0.0.0/8 via eth0, eth1; others dropped; bound as before: rules, routes or "
     "interfaces have changed"},
    {[](World& w) {
       w.allowed[80] = {"10.0.0.0/9", "192.0.2.0/24", "198.51.100.0/24"};
     },
     [](World& w) {
       w.allowed[80] = {"10.0.0.0/9", "192.0.2.0/24", "203.0.113.0/24"};
     },
     "CHANGED  tcp 80  nginx (100), nginx.service now reached from 203.0.113.0/24 by eth0, "
     "203.0.113.0/24 by eth1 as well; no longer reached from 198.51.100.0/24 by eth0, "
     "198.51.100.0/24 by eth1"},
    {nothing,
     [](World& w) {
       const auto app = w.process("app");
       w.listen("0.0.0.0", 3000, app);
       w.listen("0.0.0.0", 3001, app);
     },
     "NEW      tcp 3000,3001  app (102): every IPv4 address; reachable from anywhere"},
    {nothing, [](World& w) { w.remove(0); },
     "GONE     tcp 80  nginx (100), nginx.service is gone; it was: every IPv4 address, reachable "
     "from anywhere"},
    {nothing, [](World& w) { w.listener(0).port = 81; },
     "MOVED    tcp 81  nginx (100), nginx.service has moved here from tcp 80; reachable from "
     "anywhere, as before"},
    {nothing,
     [](World& w) { w.listener(0).owners->front().process = w.process("evil", "nginx.service"); },
     "CHANGED  tcp 80  was nginx (100), nginx.service, is now evil (102), nginx.service"},
    {nothing, [](World& w) { w.owner(0).user = "nobody"; },
     "CHANGED  tcp 80  was nginx (100), nginx.service of root, is now nginx (100), nginx.service "
     "of nobody"},
    {nothing, [](World& w) { w.find("stopped", Severity::Broken, 0); },
     "CHANGED  tcp 80  nginx (100), nginx.service; it is stopped (stopped)"},
    {[](World& w) { w.find("stopped", Severity::Broken, 0); }, nothing,
     "CHANGED  tcp 80  nginx (100), nginx.service; no longer stopped"},
    {nothing, [](World& w) { w.find("unit-failed", Severity::Broken, {}, "web.service"); },
     "NEW      web.service  it is unit-failed (unit-failed)"},
    {nothing, [](World& w) { w.listen("127.0.0.1", 9, w.process("\x1b[31mred\n")); },
     "NEW      tcp 9  \\e[31mred\\n (102): this host only"},
};

TEST(DiffView, SaysEachChangeInWords) {
  for (const Row& row : kRows) {
    World before, after;
    row.before(before);
    row.after(after);
    EXPECT_EQ(said(before, after), row.said);
  }
}

TEST(DiffView, TheFirstAndTheLastLineAnswer) {
  World before, after;
  const TableStyle wide{.width = std::nullopt, .ascii = true};
  EXPECT_THAT(diff_text(compare(before, after), wide),
              StartsWith("Nothing changed on box since 20"));
  EXPECT_THAT(diff_text(compare(before, after), wide),
              HasSubstr(": 2 listeners and published ports are as they were.\n"));
  after.host.name = "shed";
  after.bind(1, "0.0.0.0");
  after.gap("netns-not-entered");
  after.host.listeners.erase(after.host.listeners.begin());
  before.host.namespaces.push_back({.inode = 9, .name = "web", .own = false});
  before.listener(0).netns = host::NetnsId{1};
  const std::string text = diff_text(compare(before, after), wide);
  EXPECT_THAT(text, StartsWith("These are two hosts: box and shed.\nOPENED "));
  EXPECT_THAT(text, HasSubstr("\n\n1 change from box to shed since 20"));
  EXPECT_THAT(text, HasSubstr("\nNot compared: listeners: netns-not-entered is missing ("));
}

TEST(DiffView, FitsItsWidth) {
  World before, after;
  after.bind(1, "0.0.0.0");
  after.allowed[80] = {"10.0.0.0/8"};
  for (const std::size_t width : {60U, 80U}) {
    const std::string text = diff_text(compare(before, after), {.width = width, .ascii = true});
    std::size_t start = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos;
         end = text.find('\n', start)) {
      EXPECT_LE(end - start, width) << text;
      start = end + 1;
    }
  }
}

TEST(DiffJson, HasWhatTheContractSays) {
  World before, after;
  after.bind(1, "0.0.0.0");
  after.listen("0.0.0.0", 8080, after.process("\x1b]0;app"));
  after.find("exposed-cache", Severity::Risk, 1);
  after.find("unit-failed", Severity::Broken, {}, "web.service");
  before.listen("0.0.0.0", 22, before.process("sshd"));
  std::string text;
  write_diff_json(compare(before, after), [&text](std::string_view piece) { text += piece; });
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["schema"], "hark.diff/1");
  EXPECT_EQ(json["old"]["file"], "old.hark");
  EXPECT_TRUE(json["new"]["file"].is_null());
  EXPECT_EQ(json["same_host"], true);
  ASSERT_EQ(json["changed"].size(), 1U);
  const auto& changed = json["changed"][0];
  EXPECT_EQ(changed["fields"], (nlohmann::json{"address", "reach", "scope", "findings"}));
  EXPECT_EQ(changed["before"]["address"], "127.0.0.1");
  EXPECT_EQ(changed["before"]["reachable_from"], "this host only");
  EXPECT_EQ(changed["after"]["address"], "0.0.0.0");
  EXPECT_EQ(changed["after"]["findings"], nlohmann::json{"exposed-cache"});
  EXPECT_EQ(changed["turn"], "opened");
  EXPECT_EQ(changed["severity"], "risk");
  ASSERT_EQ(json["added"].size(), 1U);
  EXPECT_EQ(json["added"][0]["port"], 8080);
  EXPECT_EQ(json["added"][0]["kind"], "listener");
  EXPECT_FALSE(json["added"][0]["reach"].empty());
  ASSERT_EQ(json["removed"].size(), 1U);
  EXPECT_EQ(json["removed"][0]["port"], 22);
  EXPECT_EQ(json["findings_added"][0]["code"], "unit-failed");
  EXPECT_EQ(json["findings_removed"].size(), 0U);
  EXPECT_EQ(json["unchanged"], 1);
  EXPECT_EQ(json["gaps"].size(), 0U);
}

}  // namespace
}  // namespace hark::show
