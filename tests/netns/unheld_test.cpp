// Listeners that are no process's: the kernel's own, and such as are kept without a descriptor.
#include <gmock/gmock.h>

#include <algorithm>

#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr uid_t kNobody = 65534;

class Unheld : public NetnsTest {
 protected:
  // An MPTCP endpoint with a port keeps its namespace alive for ever: its socket refers to it.
  void TearDown() override {
    static_cast<void>(
        run_in({.netns_of = scene_.pid()}, "/bin/sh", {"-c", "exec ip mptcp endpoint flush"}));
  }
  [[nodiscard]] json rows(std::uint16_t port, uid_t uid = 0) const {
    const json listing = list_in({.netns_of = scene_.pid(), .uid = uid}, {"--netns", "self"});
    json out = json::array();
    for (const json& each : listing["listeners"]) {
      if (each["port"] == port) out.push_back(each);
    }
    return out;
  }
  [[nodiscard]] std::string table(const std::vector<std::string>& words) const {
    std::vector<std::string> arguments = {"list"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    return run_hark({.netns_of = scene_.pid()}, arguments).out;
  }
  static std::vector<std::string> names_of(const json& row) {
    std::vector<std::string> out;
    for (const json& owner : row["owners"]) {
      EXPECT_TRUE(owner["pid"].is_null());
      EXPECT_EQ(owner["kernel"], owner["name"]);
      EXPECT_THAT(owner["fds"], IsEmpty());
      out.push_back(owner["name"]);
    }
    return out;
  }
  Scene scene_{"unheld"};
};

TEST_F(Unheld, TheKernelsOwnAreNamedForRootAndForOthers) {
  for (const uid_t uid : {uid_t{0}, kNobody}) {
    const json shared = rows(4789, uid);
    ASSERT_THAT(shared, SizeIs(1)) << uid;
    EXPECT_THAT(names_of(shared[0]), ElementsAre("vxlan vx0", "vxlan vx1")) << uid;
    EXPECT_EQ(shared[0]["held_by"]["how"], "kernel");
    EXPECT_EQ(shared[0]["held_by"]["words"], "kernel: vxlan device vx0, vxlan device vx1");
    const json both = rows(4790, uid);
    ASSERT_THAT(both, SizeIs(2)) << uid;
    for (const json& each : both) EXPECT_THAT(names_of(each), ElementsAre("vxlan vx2")) << uid;
  }
}

TEST_F(Unheld, EndpointsOfMptcp) {
  const json row = rows(5555);
  ASSERT_THAT(row, SizeIs(1));
  EXPECT_EQ(row[0]["protocol"], "mptcp");
  EXPECT_THAT(names_of(row[0]), ElementsAre("mptcp endpoint 1"));
}

TEST_F(Unheld, ADeviceInAnotherNamespaceIsFoundThere) {
  // With all namespaces: the one that the device lives in must be asked.
  const json listing = list_in({.netns_of = scene_.pid()});
  for (const json& each : listing["listeners"]) {
    if (each["port"] != 4791 || each["netns"]["inode"] != scene_.netns("start")) continue;
    if (each["owners"].is_null()) return;  // a process could not be looked into: nothing is guessed
    // Another scene may have moved a device like this one: then neither is believed.
    if (names_of(each).empty()) {
      EXPECT_EQ(each["held_by"]["how"], "kernel") << each;
    } else {
      EXPECT_THAT(names_of(each), ElementsAre("vxlan vx-moved"));
    }
    return;
  }
  ADD_FAILURE() << "no listener on 4791";
}

TEST_F(Unheld, AProcessIsNotTakenForTheKernel) {
  const json row = rows(4792);
  ASSERT_THAT(row, SizeIs(1));
  ASSERT_THAT(row[0]["owners"], SizeIs(1));
  EXPECT_EQ(row[0]["owners"][0]["name"], "other");
  EXPECT_TRUE(row[0]["held_by"].is_null());
}

TEST_F(Unheld, KeptWithoutADescriptor) {
  for (const json& right : scene_.truth()["listeners"]) {
    if (!right.contains("lost")) continue;
    const json row = rows(right["port"]);
    const json& held = std::find_if(row.begin(), row.end(), [&](const json& each) {
                         return each["protocol"] == right["protocol"];
                       }).value()["held_by"];
    std::vector<long> pids;
    std::vector<std::string> reasons;
    for (const json& candidate : held["candidates"]) {
      pids.push_back(candidate["pid"]);
      reasons.push_back(candidate["why"]);
    }
    EXPECT_THAT(pids, Contains(right["lost"]["pid"].get<long>())) << held;
    if (right["lost"]["how"] == "io-uring") {
      EXPECT_EQ(held["how"], "io-uring") << held;
      EXPECT_THAT(reasons, ElementsAre("its io_uring has this socket registered"));
    } else {
      // Another process that could not be looked into may have it as well.
      EXPECT_THAT(held["how"].get<std::string>(), AnyOf("in-flight", "unreadable")) << held;
      EXPECT_THAT(held["words"].get<std::string>(), HasSubstr("in flight in a UNIX socket"));
      EXPECT_THAT(reasons, Contains(HasSubstr("1 descriptor in flight to its descriptor")));
    }
  }
}

TEST_F(Unheld, TheTableHasNoBlanks) {
  const std::string all = table({"--netns", "self"});
  EXPECT_THAT(all,
              AllOf(HasSubstr("kernel: vxlan device vx0, vxlan device vx1"),
                    HasSubstr("kernel: vxlan device vx2"), HasSubstr("kernel: mptcp endpoint 1")));
  EXPECT_THAT(table({"vx0"}), AllOf(HasSubstr("udp 4789"), Not(HasSubstr("4790"))));
  EXPECT_THAT(table({"kernel"}), AllOf(HasSubstr("4789"), HasSubstr("5555")));
  EXPECT_THAT(table({"name:vxlan"}), AllOf(HasSubstr("4789"), HasSubstr("4790")));
}

TEST_F(Unheld, NothingIsChangedToFindThemOut) {
  for (const Forbidden kind : {Forbidden::InetSockets, Forbidden::Connecting, Forbidden::Writing,
                               Forbidden::Signalling, Forbidden::Modules}) {
    const json listing =
        list_in({.netns_of = scene_.pid(), .forbidden = kind}, {"--netns", "self"});
    EXPECT_THAT(listing["listeners"], Not(IsEmpty()));
  }
}

TEST_F(Unheld, ARecordingSaysTheSame) {
  const std::string file = "/tmp/hark-unheld-" + std::to_string(scene_.pid()) + ".hark";
  const Place place{.netns_of = scene_.pid()};
  EXPECT_EQ(run_hark(place, {"save", file, "--netns", "self"}).status, 0);
  for (const char* port : {"4789", "4790", "5555", "7001", "7002"}) {
    const auto answer = run_hark({}, {"-r", file, "list", "--json", port});
    const json replayed = json::parse(answer.out, nullptr, false);
    ASSERT_TRUE(replayed.is_object()) << answer.err;
    const json live = rows(static_cast<std::uint16_t>(std::stoi(port)));
    ASSERT_EQ(replayed["listeners"].size(), live.size()) << port;
    for (std::size_t i = 0; i < live.size(); ++i) {
      EXPECT_EQ(replayed["listeners"][i]["owners"], live[i]["owners"]) << port;
      EXPECT_EQ(replayed["listeners"][i]["held_by"], live[i]["held_by"]) << port;
    }
  }
  EXPECT_EQ(unlink(file.c_str()), 0);
}

}  // namespace
}  // namespace hark::netns
