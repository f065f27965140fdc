// Containers by the names that their runtimes' state files give them, and the doors to them: real
// processes, control groups and files, as root and as an ordinary user.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <array>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>

#include "memory_kill.h"
#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Containers : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    id_ = scene_.truth()["id"];
    id_.resize(64, '0');
    fs::permissions(folder_, fs::perms(0755));
    write_docker("80");
    write_podman(id_);
    // As the runtimes have them.
    fs::permissions(folder_ + "/docker", fs::perms(0710));
    fs::permissions(folder_ + "/containers/storage", fs::perms(0700));
  }
  void TearDown() override {
    fs::remove_all(folder_);
    std::remove(recording().c_str());
  }

  void write(const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(folder_ + "/" + path).parent_path());
    std::ofstream(folder_ + "/" + path) << text;
    fs::permissions(folder_ + "/" + path, fs::perms(0600));
  }
  /// The container "web" with that port published.
  void write_docker(const std::string& port) {
    write("docker/containers/" + id_ + "/config.v2.json",
          R"({"State":{"Running":true,"Pid":)" + std::to_string(pid_of("web")) + R"(},"ID":")" +
              id_ +
              R"(","Name":"/web","Config":{"Image":"nginx:1.25","Env":["PASSWORD=geheim"]},
              "NetworkSettings":{"Networks":{"bridge":{"IPAddress":"172.17.0.2"}},"Ports":{")" +
              port + R"(/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}]}}})");
  }
  void write_podman(const std::string& id) {
    write(kPodman, R"([{"id":")" + id +
                       R"(","names":["db"],"metadata":"{\"image-name\":\"postgres:16\"}"}])");
  }
  [[nodiscard]] int pid_of(const std::string& label) const {
    for (const json& process : scene_.truth()["processes"]) {
      if (process["label"] == label) return process["pid"];
    }
    return 0;
  }
  /// What hark doctor finds there, by its code.
  [[nodiscard]] std::map<std::string, json> findings(const std::string& netns) const {
    const Finished ran = run_hark(place(), {"doctor", "--json", "--netns", netns});
    const json object = json::parse(ran.out, nullptr, false);
    EXPECT_TRUE(object.is_object()) << ran.out << ran.err;
    std::map<std::string, json> out;
    if (!object.is_object()) return out;
    for (const json& one : object["findings"]) out[one["code"]] = one;
    return out;
  }
  /// As docker writes it.
  [[nodiscard]] static std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.5Z", &parts);
    return text.data();
  }
  [[nodiscard]] Place place(uid_t uid = 0) const {
    return {.netns_of = scene_.pid(), .uid = uid, .var_lib = folder_};
  }
  [[nodiscard]] std::string recording() const { return folder_ + ".hark"; }
  /// The row of this scene with the port; null if there is none.
  [[nodiscard]] json row(const json& listing, int port) const {
    for (const json& one : listing["listeners"]) {
      const json& inode = one["netns"]["inode"];
      const bool ours = inode == scene_.netns("start") || inode == scene_.netns("inside");
      if (ours && one["port"] == port) return one;
    }
    return nullptr;
  }

  static constexpr const char* kPodman = "containers/storage/overlay-containers/containers.json";
  Scene scene_{"containers"};
  std::string folder_ = testing::TempDir() + "hark-containers-XXXXXX";
  std::string id_;
};

TEST_F(Containers, HaveTheirNames) {
  const json listing = list_in(place());
  const json web = row(listing, 80);
  EXPECT_EQ(web["container"], (json{{"runtime", "docker"},
                                    {"id", id_},
                                    {"name", "web"},
                                    {"image", "nginx:1.25"},
                                    {"pod", nullptr},
                                    {"namespace", nullptr}}));
  EXPECT_EQ(web["netns"]["name"], "web");
  const json db = row(listing, 5432);
  EXPECT_EQ(db["container"]["runtime"], "podman");
  EXPECT_EQ(db["container"]["name"], "db");
  EXPECT_EQ(db["container"]["image"], "postgres:16");
  EXPECT_THAT(listing["gaps"].dump(), Not(HasSubstr("container-names")));
}

TEST_F(Containers, TheProxyIsADoor) {
  const json listing = list_in(place());
  const json proxy = row(listing, 8080);
  EXPECT_TRUE(proxy["container"].is_null()) << proxy;
  EXPECT_THAT(proxy["unit"].dump(), HasSubstr("hark-docker-"));
  ASSERT_EQ(proxy["owners"].size(), 1u) << proxy;
  const json& door = proxy["owners"][0]["door"];
  EXPECT_EQ(door["kind"], "docker-proxy") << proxy;
  EXPECT_EQ(door["to"], "172.17.0.2:80");
  EXPECT_EQ(door["container"]["name"], "web");
  // Another program that calls itself so is none.
  const json liar = row(listing, 8081);
  ASSERT_EQ(liar["owners"].size(), 1u) << liar;
  EXPECT_EQ(liar["owners"][0]["name"], "docker-proxy");
  EXPECT_TRUE(liar["owners"][0]["door"].is_null()) << liar;
}

TEST_F(Containers, TheTableSaysSo) {
  const Finished table = run_hark(place(), {"list", "8080", "--color", "never"});
  EXPECT_EQ(table.status, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr(") \u2192 web (172.17.0.2:80)"));
  const Finished named =
      run_hark(place(), {"list", "container:nginx", "--columns", "port,container"});
  EXPECT_EQ(named.status, 0) << named.err;
  EXPECT_THAT(named.out, HasSubstr("web"));
  EXPECT_THAT(named.out, Not(HasSubstr("5432")));
}

TEST_F(Containers, ParentsLeadToTheScene) {
  const json owner = row(list_in(place()), 5432)["owners"][0];
  ASSERT_TRUE(owner["parents"].is_array()) << owner;
  ASSERT_FALSE(owner["parents"].empty());
  const std::string scene = "hark_scene";
  EXPECT_EQ(owner["parents"][0]["pid"], scene_.truth()["pid"]) << owner;
  EXPECT_EQ(owner["parents"][0]["name"], scene);
  EXPECT_EQ(owner["parents"][0]["role"], "other");
  const json& last = owner["parents"].back();
  EXPECT_TRUE(last["pid"] == 1 || last["role"] == "outside") << owner;
  const Finished table = run_hark(place(), {"list", "5432", "--columns", "port,started-by"});
  EXPECT_THAT(table.out, HasSubstr("STARTED BY"));
  EXPECT_THAT(table.out, Not(HasSubstr("?"))) << "read for the column's sake";
}

/// hark test --via: in the container something listens where here nobody does.
TEST_F(Containers, TestsAreMadeFromInside) {
  for (const std::string& name : {std::string("web"), id_.substr(0, 12)}) {
    const std::string place_name = "container:" + name;
    const Finished ran = run_hark(
        place(), {"test", "--json", "--timeout", "1", "127.0.0.1:80", "--via", place_name});
    EXPECT_EQ(ran.status, 1) << ran.err;
    const json answer = json::parse(ran.out, nullptr, false);
    ASSERT_TRUE(answer.is_object()) << ran.out << ran.err;
    std::map<std::string, json> by_place;
    for (const json& one : answer["attempts"]) by_place[one["via"]] = one;
    EXPECT_EQ(by_place["here"]["outcome"], "refused");
    // It listens, and never accepts.
    EXPECT_EQ(by_place[place_name]["outcome"], "hangs") << ran.out;
    EXPECT_EQ(by_place[place_name]["predicted"]["delivers_to"]["container"]["name"], "web");
  }
  const Finished nobody =
      run_hark(place(), {"test", "--timeout", "1", "127.0.0.1:80", "--via", "container:nobody"});
  EXPECT_THAT(nobody.out,
              HasSubstr("container:nobody: hark: --netns container:nobody: no container"));
  const Finished unnamed =
      run_hark(place(65534), {"list", "--netns", "container:web", "--color", "never"});
  EXPECT_EQ(unnamed.status, 2);
  EXPECT_THAT(unnamed.err, HasSubstr("names need root"));
}

/// A port is published, and nobody in the container listens there.
TEST_F(Containers, APublishedPortIsDeclared) {
  EXPECT_FALSE(findings("web").contains("declared-port-missing"));
  write_docker("81");
  auto found = findings("web");
  ASSERT_TRUE(found.contains("declared-port-missing"));
  const json& missing = found["declared-port-missing"];
  EXPECT_EQ(missing["severity"], "notice");  // its program has just started
  EXPECT_THAT(
      missing["text"].dump(),
      HasSubstr("container web: nobody listens on tcp 81, which its configuration (published "
                "as 0.0.0.0:8080) declares"));
  EXPECT_THAT(missing["evidence"].dump(), HasSubstr("docker port web"));
}

/// The same of podman, which has it in its database.
TEST_F(Containers, WhatPodmanPublishesIsDeclared) {
  const auto publish = [this](const std::string& port, const std::string& id) {
    write("containers/storage/libpod/bolt_state.db",
          R"([{"config":{"id":")" + id +
              R"(","name":"db","newPortMappings":[{"host_ip":"","host_port":15432,"range":1,
              "protocol":"tcp","container_port":)" +
              port + R"(}]},"state":{"pid":)" + std::to_string(pid_of("db")) + "}}]");
    return findings("self");
  };
  // It listens there on its loopback alone, and clients come from elsewhere.
  auto found = publish("5432", id_);
  EXPECT_FALSE(found.contains("declared-port-missing"));
  ASSERT_TRUE(found.contains("declared-wider"));
  EXPECT_EQ(found["declared-wider"]["listener"]["port"], 5432);
  EXPECT_THAT(run_hark(place(), {"doctor", "15432", "--netns", "self"}).out,
              HasSubstr("declared-wider"));
  found = publish("5433", id_);
  ASSERT_TRUE(found.contains("declared-port-missing"));
  const json& missing = found["declared-port-missing"];
  EXPECT_THAT(missing["text"].dump(),
              HasSubstr("container db: nobody listens on tcp 5433, which its configuration "
                        "(published as 0.0.0.0:15432) declares"));
  EXPECT_THAT(missing["evidence"].dump(), HasSubstr("podman port db"));
  // By the port that clients know as well.
  for (const char* port : {"5433", "15432"}) {
    const Finished ran = run_hark(place(), {"doctor", port, "--netns", "self"});
    EXPECT_THAT(ran.out, HasSubstr("container db: nobody listens on tcp 5433")) << port;
  }
  const Finished other = run_hark(place(), {"doctor", "15433", "--netns", "self"});
  EXPECT_THAT(other.out, Not(HasSubstr("container db"))) << other.out;
  // Somebody else has the number of the process that was in it.
  EXPECT_FALSE(publish("5433", std::string(64, 'e')).contains("declared-port-missing"));
  EXPECT_FALSE(publish("8080", id_).contains("declared-port-missing"));
}

/// Of one that has ended the kernel's log alone tells that it was the kernel that ended it.
TEST_F(Containers, TheKernelMayHaveKilledOne) {
  if (!can_read_kernel_log()) GTEST_SKIP() << "missing: the right to read the kernel's log";
  const std::string id = id_.substr(0, 60) + "dead";
  const std::string cgroup = small_cgroup("/docker/" + id);
  if (cgroup.empty()) GTEST_SKIP() << "missing: the memory controller of cgroups";
  const auto with_state = [&](const std::string& state, const std::string& more = "") {
    write("docker/containers/" + id + "/config.v2.json",
          R"({"ID":")" + id + R"(","Name":"/greedy","State":{)" + state + "}" + more + "}");
    return findings("self");
  };
  const std::string killed = R"("Pid":0,"ExitCode":137,"FinishedAt":")";
  EXPECT_FALSE(with_state(killed + utc_now() + "\"").contains("container-killed"));
  ASSERT_EQ(take_too_much(cgroup), SIGKILL);
  remove_cgroup(cgroup);
  const std::string now = utc_now();
  auto found = with_state(killed + now + "\"");
  ASSERT_TRUE(found.contains("container-killed"));
  const json& one = found["container-killed"];
  EXPECT_EQ(one["severity"], "risk");
  EXPECT_EQ(one["subject"], "container greedy");
  EXPECT_THAT(one["text"].dump(), HasSubstr("container greedy does not run: the kernel killed "));
  EXPECT_THAT(one["text"].dump(), HasSubstr("it was at its memory limit"));
  EXPECT_THAT(one["evidence"].dump(), HasSubstr("/docker/" + id));
  // It runs again, it ended another time, somebody stopped it, it was removed.
  EXPECT_FALSE(with_state(R"("Pid":1)").contains("container-killed"));
  EXPECT_FALSE(with_state(killed + "2026-01-02T03:04:05Z\"").contains("container-killed"));
  EXPECT_FALSE(with_state(killed + now + "\"", R"(,"HasBeenManuallyStopped":true)")
                   .contains("container-killed"));
  fs::remove_all(folder_ + "/docker/containers/" + id);
  EXPECT_FALSE(findings("self").contains("container-killed"));
}

TEST_F(Containers, OneThatEndsAgainAndAgain) {
  const std::string id = id_.substr(0, 60) + "dead";
  const auto with_end = [&](const std::string& when, const char* restarting) {
    write("docker/containers/" + id + "/config.v2.json",
          R"({"ID":")" + id + R"(","Name":"/looping","RestartCount":7,"State":{"Pid":0,"ExitCode":2,
             "Restarting":)" +
              restarting + R"(,"FinishedAt":")" + when + R"("}})");
    return findings("self");
  };
  auto found = with_end(utc_now(), "true");
  ASSERT_TRUE(found.contains("restarting"));
  EXPECT_EQ(found["restarting"]["severity"], "broken");
  EXPECT_THAT(found["restarting"]["text"].dump(),
              HasSubstr("container looping ends and is started again and again: 7 restarts so far; "
                        "last, it ended with exit status 2"));
  EXPECT_FALSE(with_end(utc_now(), "false").contains("restarting"));
  EXPECT_FALSE(with_end("2026-01-02T03:04:05Z", "true").contains("restarting"));
}

/// Processes that outlived their containers.
TEST_F(Containers, ARuntimeMayKnowAContainerNoMore) {
  EXPECT_FALSE(findings("self").contains("deleted-container"));
  EXPECT_FALSE(findings("web").contains("deleted-container"));
  write_podman(std::string(64, 'b'));
  auto found = findings("self");
  ASSERT_TRUE(found.contains("deleted-container"));
  EXPECT_EQ(found["deleted-container"]["severity"], "risk");
  EXPECT_EQ(found["deleted-container"]["listener"]["port"], 5432);
  EXPECT_THAT(found["deleted-container"]["text"].dump(),
              HasSubstr("podman knows no " + id_.substr(0, 12) + " any more"));
  const std::string inside = "container:" + id_.substr(0, 12);
  const std::string containers = folder_ + "/docker/containers/";
  // Nothing of docker at all: its state is elsewhere.
  fs::remove_all(containers + id_);
  EXPECT_FALSE(findings(inside).contains("deleted-container"));
  fs::create_directories(containers + std::string(64, 'c'));
  found = findings(inside);
  ASSERT_TRUE(found.contains("deleted-container"));
  EXPECT_EQ(found["deleted-container"]["listener"]["port"], 80);
}

TEST_F(Containers, AnOrdinaryUserKeepsTheIds) {
  const json listing = list_in(place(65534));
  const json db = row(listing, 5432);
  ASSERT_TRUE(db["container"].is_object()) << db;
  EXPECT_EQ(db["container"]["id"], id_);
  EXPECT_TRUE(db["container"]["name"].is_null());
  std::size_t gaps = 0;
  for (const json& gap : listing["gaps"]) {
    if (gap["code"] != "container-names") continue;
    ++gaps;
    EXPECT_THAT(std::string(gap["what"]), HasSubstr("Permission denied"));
    EXPECT_EQ(gap["remedy"], "run as root to see them");
  }
  EXPECT_EQ(gaps, 1u) << listing["gaps"];
}

TEST_F(Containers, ARecordingAnswersAlike) {
  const Finished live = run_hark(place(), {"save", recording(), "--json", "--force"});
  ASSERT_EQ(live.status, 0) << live.err;
  const Finished replayed = run_hark({}, {"-r", recording(), "list", "--json"});
  EXPECT_EQ(replayed.status, 0) << replayed.err;
  EXPECT_TRUE(live.out == replayed.out) << live.out << replayed.out;
  EXPECT_THAT(live.out, HasSubstr("\"name\":\"web\""));
}

TEST_F(Containers, AFileThatWouldKeepUsWaitingIsAGap) {
  const std::string path = folder_ + "/" + kPodman;
  fs::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const json listing = list_in(place());
  EXPECT_TRUE(row(listing, 5432)["container"]["name"].is_null());
  EXPECT_EQ(row(listing, 80)["container"]["name"], "web");
  EXPECT_THAT(listing["gaps"].dump(), HasSubstr("container-names"));
}

}  // namespace
}  // namespace hark::netns
