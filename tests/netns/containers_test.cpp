// Containers by the names that their runtimes' state files give them, and the doors to them: real
// processes, control groups and files, as root and as an ordinary user.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

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
    const std::string id = scene_.truth()["id"];
    id_ = std::string(64 - id.size(), '0') + id;
    fs::permissions(folder_, fs::perms(0755));
    write("docker/containers/" + id_ + "/config.v2.json",
          R"({"State":{"Running":true},"ID":")" + id_ +
              R"(","Name":"/web","Config":{"Image":"nginx:1.25","Env":["PASSWORD=geheim"]},
              "NetworkSettings":{"Networks":{"bridge":{"IPAddress":"172.17.0.2"}}}})");
    write(kPodman, R"([{"id":")" + id_ +
                       R"(","names":["db"],"metadata":"{\"image-name\":\"postgres:16\"}"}])");
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
