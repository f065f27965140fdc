// Units and containers come from the control group of the socket, which needs no rights to read.
#include <gmock/gmock.h>

#include <algorithm>

#include "compare.h"
#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using nlohmann::json;
using testing::IsEmpty;

class Cgroups : public NetnsTest, public testing::WithParamInterface<uid_t> {
 protected:
  [[nodiscard]] json rows_at(const json& listing, int port) const {
    json rows = json::array();
    for (const json& row : listing["listeners"]) {
      if (row["netns"]["inode"] == scene_.netns("start") && row["port"] == port) {
        rows.push_back(row);
      }
    }
    return rows;
  }
  [[nodiscard]] std::string id() const { return scene_.truth()["id"]; }
  [[nodiscard]] std::string hex_id() const { return id() + std::string(64 - id().size(), '0'); }
  Scene scene_{"cgroups"};
};

TEST_P(Cgroups, AreReadForEveryUser) {
  const json listing = list_in({.netns_of = scene_.pid(), .uid = GetParam()});
  for (const json& right : scene_.truth()["listeners"]) {
    if (right["cgroup"].is_null()) continue;
    const json rows = rows_at(listing, right["port"]);
    ASSERT_FALSE(rows.empty()) << right;
    for (const json& row : rows) EXPECT_EQ(row["socket"]["cgroup"], right["cgroup"]);
  }
}

TEST_P(Cgroups, NameTheUnit) {
  const json listing = list_in({.netns_of = scene_.pid(), .uid = GetParam()});
  const json system = rows_at(listing, 8080);
  ASSERT_EQ(system.size(), 2u);  // TCP and UDP
  for (const json& row : system) EXPECT_EQ(row["unit"], "hark-demo-" + id() + ".service");
  const json user = rows_at(listing, 8081);
  ASSERT_EQ(user.size(), 1u);
  EXPECT_EQ(user[0]["unit"], "app-demo" + id() + ".service");
  const json none = rows_at(listing, 8083);
  ASSERT_EQ(none.size(), 1u);
  EXPECT_TRUE(none[0]["unit"].is_null()) << none[0];
  EXPECT_TRUE(none[0]["container"].is_null()) << none[0];
}

TEST_P(Cgroups, NameTheContainer) {
  const json listing = list_in({.netns_of = scene_.pid(), .uid = GetParam()});
  const json rows = rows_at(listing, 8082);
  ASSERT_EQ(rows.size(), 1u);
  ASSERT_TRUE(rows[0]["container"].is_object()) << rows[0];
  EXPECT_EQ(rows[0]["container"]["runtime"], "docker");
  EXPECT_EQ(rows[0]["container"]["id"], hex_id());
}

INSTANTIATE_TEST_SUITE_P(Users, Cgroups, testing::Values(0, 65534, 61001),
                         [](const testing::TestParamInfo<uid_t>& uid) {
                           return "Uid" + std::to_string(uid.param);
                         });

}  // namespace
}  // namespace hark::netns
