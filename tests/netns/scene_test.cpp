// The scene and the comparison themselves: both must be able to fail.
#include "scene.h"

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <set>
#include <string>

#include "compare.h"
#include "run_in.h"

namespace hark::netns {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SceneItself : public NetnsTest {};

std::string shell(pid_t netns_of, const std::string& command) {
  return run_in({.netns_of = netns_of}, "/bin/sh", {"-c", command}).out;
}

// An outside voice: ss sees the same TCP listeners (it takes an MPTCP listener for two).
TEST_F(SceneItself, AgreesWithSs) {
  const Scene scene("every_row");
  for (const char* label : {"start", "web"}) {
    std::set<std::string> right;
    pid_t inside = 0;
    for (const json& each : scene.truth()["listeners"]) {
      if (each["netns"]["label"] != label || each["protocol"] != "tcp") continue;
      right.insert(each["socket"]["inode"].dump());
      inside = each["owners"][0]["pid"];
      if (std::string(label) == "web") break;
    }
    const std::string seen = shell(inside, "ss -Htlne | grep -o 'ino:[0-9]*' | cut -d: -f2");
    for (const std::string& inode : right) {
      EXPECT_THAT("\n" + seen, HasSubstr("\n" + inode + "\n")) << label;
    }
  }
}

// A descriptor for every process of the scene, the janitor included: readable once it has ended.
std::vector<UniqueFd> processes_of(const Scene& scene) {
  std::vector<UniqueFd> all;
  const auto hold = [&](pid_t pid) {
    all.emplace_back(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    EXPECT_TRUE(all.back().valid());
  };
  for (const json& process : scene.truth()["processes"]) hold(process["pid"]);
  hold(scene.truth()["janitor"]);
  return all;
}

bool has_ended(const UniqueFd& process) {
  constexpr int kPatienceMs = 10'000;
  pollfd waker{.fd = process.get(), .events = POLLIN, .revents = 0};
  return poll(&waker, 1, kPatienceMs) == 1;
}

std::string traces_of(const std::string& id) {
  return shell(0, "ls -d /run/netns/hark-" + id + "-* /tmp/hark-scene-" + id +
                      " 2>/dev/null; find /sys/fs/cgroup -name '*demo*" + id +
                      "*' 2>/dev/null; grep -e hark-" + id + "- -e hark-scene-" + id +
                      " /proc/self/mountinfo");
}

TEST_F(SceneItself, LeavesNothingBehind) {
  for (const char* name : {"every_row", "cgroups"}) {
    Scene scene(name);
    const std::string id = scene.truth()["id"];
    const std::vector<UniqueFd> processes = processes_of(scene);
    EXPECT_THAT(traces_of(id), testing::Not(IsEmpty()));
    scene.end();
    EXPECT_EQ(traces_of(id), "");
    for (const UniqueFd& process : processes) EXPECT_TRUE(has_ended(process));
  }
}

TEST_F(SceneItself, LeavesNothingBehindWhenKilled) {
  for (const char* name : {"every_row", "cgroups"}) {
    Scene scene(name);
    const std::string id = scene.truth()["id"];
    const std::vector<UniqueFd> processes = processes_of(scene);
    scene.kill();
    for (const UniqueFd& process : processes) EXPECT_TRUE(has_ended(process));
    EXPECT_EQ(traces_of(id), "");
  }
}

// A truth with one listener, and rows as hark would give them.
struct Small {
  json truth{{"namespaces", {{{"inode", 7}, {"label", "start"}}}},
             {"others", {{{"why", "connected"}, {"socket", {{"inode", 3}}}}}},
             {"processes", json::array()},
             {"listeners",
              {{{"protocol", "tcp"},
                {"family", "inet6"},
                {"address", "::"},
                {"port", 80},
                {"v6only", false},
                {"interface", nullptr},
                {"state", "LISTEN"},
                {"netns", {{"inode", 7}, {"name", nullptr}, {"label", "start"}}},
                {"socket", {{"inode", 1}, {"cookie", "0x1"}, {"uid", 0}}},
                {"queue", {{"limit", 5}, {"length", 0}}},
                {"owners", {{{"pid", 9}, {"fds", {3}}}}}}}}};
  json listing{{"listeners", truth["listeners"]}, {"gaps", json::array()}};
  json& row() { return listing["listeners"][0]; }
  [[nodiscard]] std::vector<std::string> wrong(const Expectation& expected = {}) const {
    return differences(truth, listing, expected);
  }
};

TEST(Comparison, IsQuietWhereAllIsRight) {
  EXPECT_THAT(Small().wrong(), IsEmpty());
}

TEST(Comparison, NoticesEveryField) {
  for (const char* pointer :
       {"/protocol", "/family", "/address", "/port", "/v6only", "/interface", "/state",
        "/netns/name", "/socket/uid", "/socket/cookie", "/queue/limit", "/queue/length",
        "/owners/0/pid", "/owners/0/fds/0"}) {
    Small small;
    json& value = small.row()[json::json_pointer(pointer)];
    value = value.is_number() ? json(4711) : json("other");
    EXPECT_THAT(small.wrong(), SizeIs(1)) << pointer;
  }
}

TEST(Comparison, NoticesMissingDoubledAndExtraRows) {
  Small missing;
  missing.listing["listeners"].clear();
  EXPECT_THAT(missing.wrong(), SizeIs(1));
  Small doubled;
  doubled.listing["listeners"].push_back(doubled.row());
  EXPECT_THAT(doubled.wrong(), SizeIs(1));
  Small extra;
  json other = extra.row();
  other["socket"]["inode"] = 2;
  extra.listing["listeners"].push_back(other);
  EXPECT_THAT(extra.wrong(), SizeIs(1));
  Small connected;
  other["socket"]["inode"] = 3;
  other["netns"]["inode"] = nullptr;
  connected.listing["listeners"].push_back(other);
  EXPECT_THAT(connected.wrong(), SizeIs(1));
}

TEST(Comparison, KnowsWhoMaySeeOwners) {
  Small small;
  EXPECT_THAT(small.wrong({.owners = Owners::Null}), SizeIs(1));
  small.row()["owners"] = nullptr;
  EXPECT_THAT(small.wrong({.owners = Owners::Null}), IsEmpty());
  EXPECT_THAT(small.wrong(), SizeIs(1));
  small.row()["owners"] = json::array();
  EXPECT_THAT(small.wrong({.owners = Owners::Null}), SizeIs(1));
}

TEST(Comparison, AllowsATableToKnowLess) {
  Small small;
  for (const char* pointer : {"/v6only", "/interface", "/queue/limit", "/socket/cookie"}) {
    small.row()[json::json_pointer(pointer)] = nullptr;
  }
  EXPECT_THAT(small.wrong(), testing::Not(IsEmpty()));
  EXPECT_THAT(small.wrong({.otherwise = Read::Table}), IsEmpty());
  small.row()["v6only"] = true;
  EXPECT_THAT(small.wrong({.otherwise = Read::Table}), SizeIs(1));
}

}  // namespace
}  // namespace hark::netns
