// Looking changes nothing.
#include <gmock/gmock.h>

#include <array>
#include <string>
#include <vector>

#include "forbid.h"
#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using nlohmann::json;

constexpr std::array kKindNames = {"Nothing", "InetSockets", "Listening",  "Connecting",
                                   "Writing", "Mounting",    "Signalling", "Modules"};

class Unchanged : public NetnsTest, public testing::WithParamInterface<Forbidden> {
 protected:
  Scene scene_{"every_row"};
};

// Each would end hark with SIGSYS.
TEST_P(Unchanged, CallsThatHarkDoesNotMake) {
  for (const uid_t uid : {0u, 65534u}) {
    std::vector<std::string> words = {"list", "--json"};
    // The old iptables are read by such a socket, and another namespace may have some.
    if (GetParam() == Forbidden::InetSockets) words.insert(words.end(), {"--netns", "self"});
    const Finished finished =
        run_hark({.netns_of = scene_.pid(), .uid = uid, .forbidden = GetParam()}, words);
    EXPECT_EQ(finished.status, 0) << "uid " << uid << ' ' << finished.err;
    EXPECT_THAT(finished.out, testing::HasSubstr("\"listeners\""));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Unchanged,
                         testing::Values(Forbidden::InetSockets, Forbidden::Listening,
                                         Forbidden::Connecting, Forbidden::Writing,
                                         Forbidden::Mounting, Forbidden::Signalling,
                                         Forbidden::Modules),
                         [](const testing::TestParamInfo<Forbidden>& kind) {
                           return std::string(kKindNames.at(static_cast<std::size_t>(kind.param)));
                         });

class Look : public NetnsTest {
 protected:
  Scene scene_{"every_row"};
};

// What a shell command says inside the namespace of the scene.
std::string said(pid_t netns_of, const std::string& command) {
  return run_in({.netns_of = netns_of}, "/bin/sh", {"-c", command}).out;
}

// Everything about the scene that a look could have disturbed. Opening a diagnosis socket may load
// a module, and that is the kernel's doing: the list of modules is taken after a first look.
std::string state_of(const Scene& scene) {
  const std::string id = scene.truth()["id"];
  std::string commands = "ls /run/netns | grep -- -" + id +
                         "-;"
                         "grep -e hark-" +
                         id + " -e hark-scene-" + id +
                         " /proc/self/mountinfo;"
                         "cat /proc/modules 2>/dev/null | cut -d' ' -f1 | sort;"
                         "grep -h inuse /proc/net/sockstat /proc/net/sockstat6 | cut -d' ' -f1-3; "
                         "grep lo: /proc/net/dev;"
                         "ip addr; ip route; ip rule;";
  for (const json& process : scene.truth()["processes"]) {
    const std::string folder = "/proc/" + process["pid"].dump();
    commands += "ls -l " + folder + "/fd | cut -d'>' -f2; cut -d')' -f2- " + folder +
                "/stat | cut -d' ' -f2,3,4;";
  }
  return said(scene.pid(), commands);
}

TEST_F(Look, LeavesEverythingAsItWas) {
  static_cast<void>(list_in({.netns_of = scene_.pid()}));
  const std::string before = state_of(scene_);
  EXPECT_THAT(before, testing::HasSubstr("hark-" + scene_.truth()["id"].get<std::string>()));
  EXPECT_THAT(before, testing::HasSubstr("TCP: inuse"));
  static_cast<void>(list_in({.netns_of = scene_.pid()}));
  static_cast<void>(list_in({.netns_of = scene_.pid(), .uid = 65534}));
  EXPECT_EQ(before, state_of(scene_));
}

TEST_F(Look, KeepsNoNamespaceAlive) {
  static_cast<void>(list_in({.netns_of = scene_.pid()}));
  const unsigned long long box = scene_.netns("box");
  scene_.end();
  const json listing = list_in({});
  for (const json& row : listing["listeners"]) EXPECT_NE(row["netns"]["inode"], box);
}

// The filter itself: a program that does the forbidden ends by it.
TEST_F(NetnsTest, TheForbiddenIsNoticed) {
  const auto status = [](Forbidden what, const std::string& command) {
    return run_in({.forbidden = what}, "/bin/sh", {"-c", "exec " + command}).status;
  };
  EXPECT_EQ(status(Forbidden::Nothing, "touch /tmp/."), 0);
  EXPECT_EQ(status(Forbidden::Writing, "touch /tmp/."), kForbiddenStatus);
  EXPECT_EQ(status(Forbidden::Writing, "ls /"), 0);
  EXPECT_EQ(status(Forbidden::Signalling, "kill -0 1"), kForbiddenStatus);
  EXPECT_EQ(status(Forbidden::Mounting, "mount --bind /tmp /tmp"), kForbiddenStatus);
}

}  // namespace
}  // namespace hark::netns
