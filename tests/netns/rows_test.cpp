// Every kind of row in five namespaces, as root and as ordinary users.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "compare.h"
#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using nlohmann::json;
using testing::IsEmpty;

constexpr uid_t kNobody = 65534;
constexpr uid_t kSomebody = 61001;  // has processes of its own in the scene

class Rows : public NetnsTest {
 protected:
  [[nodiscard]] Place place() const { return {.netns_of = scene_.pid()}; }
  [[nodiscard]] Place place_of(uid_t uid) const { return {.netns_of = scene_.pid(), .uid = uid}; }
  [[nodiscard]] Expectation as_root() const { return {.raw_diag = kernel_has_raw_diag()}; }
  /// What a user without rights sees: its own namespace, and through /proc those that have
  /// processes. What only a descriptor or a mount keeps alive is out of reach.
  [[nodiscard]] Expectation as_user(uid_t uid) const {
    return {.namespaces = {{"web", Read::Table},
                           {"box", Read::Table},
                           {"locker", Read::Nothing},
                           {"shelf", Read::Nothing}},
            .otherwise = Read::Asked,
            .owners = uid == kSomebody ? Owners::Own : Owners::Null,
            .uid = uid,
            .raw_diag = kernel_has_raw_diag()};
  }
  Scene scene_{"every_row"};
};

TEST_F(Rows, RootSeesEveryListenerAndEveryOwner) {
  const json listing = list_in(place());
  EXPECT_THAT(differences(scene_.truth(), listing, as_root()), IsEmpty());
}

TEST_F(Rows, AnOrdinaryUserSeesTheSameRowsWithoutOwners) {
  const json listing = list_in(place_of(kNobody));
  EXPECT_THAT(differences(scene_.truth(), listing, as_user(kNobody)), IsEmpty());
  EXPECT_TRUE(has_gap(listing, "other-users-processes")) << listing["gaps"];
  EXPECT_TRUE(has_gap(listing, "netns-not-entered")) << listing["gaps"];
}

TEST_F(Rows, AUserSeesItsOwnProcessesAsOwners) {
  const json listing = list_in(place_of(kSomebody));
  EXPECT_THAT(differences(scene_.truth(), listing, as_user(kSomebody)), IsEmpty());
  EXPECT_TRUE(has_gap(listing, "other-users-processes")) << listing["gaps"];
}

TEST_F(Rows, WithoutOwnersTheRowsAreTheSameWhereTheyCanBeReached) {
  // "locker" is known only from the descriptor of a process, and none is looked into; the survey
  // needs none.
  Expectation expected = as_root();
  expected.owners = Owners::Null;
  expected.namespaces["locker"] = Read::Nothing;
  const json listing = list_in(place(), {"--no-owners", "--search", "proc"});
  EXPECT_THAT(differences(scene_.truth(), listing, expected), IsEmpty());
  EXPECT_TRUE(has_gap(listing, "owners-not-asked")) << listing["gaps"];
}

TEST_F(Rows, EachNamespaceCanBeAskedForAlone) {
  for (const json& one : scene_.truth()["namespaces"]) {
    Expectation expected = as_root();
    expected.otherwise = Read::Nothing;
    expected.namespaces[one["label"]] = Read::Asked;
    std::vector<std::string> ways = {"net:[" + one["inode"].dump() + "]"};
    if (one["name"].is_string()) ways.push_back(one["name"]);
    if (one.contains("path")) ways.push_back(one["path"]);
    if (one["label"] == "start") ways.push_back(std::to_string(scene_.pid()));
    for (const std::string& way : ways) {
      const json listing = list_in(place(), {"--netns", way});
      EXPECT_THAT(differences(scene_.truth(), listing, expected), IsEmpty()) << way;
    }
  }
}

TEST_F(Rows, SelfIsTheNamespaceHarkRunsIn) {
  Expectation expected = as_root();
  expected.otherwise = Read::Nothing;
  expected.namespaces["start"] = Read::Asked;
  const json listing = list_in(place(), {"--netns", "self"});
  EXPECT_THAT(differences(scene_.truth(), listing, expected), IsEmpty());
  EXPECT_EQ(listing["listeners"].size(),
            std::ranges::count_if(scene_.truth()["listeners"], [](const json& right) {
              return right["netns"]["label"] == "start";
            }));
}

TEST_F(Rows, TheRowsOfTheOrdinaryUserAreRowsOfRoot) {
  std::set<json> of_root;
  for (const json& row : list_in(place())["listeners"]) of_root.insert(row["socket"]["inode"]);
  for (const json& row : list_in(place_of(kNobody))["listeners"]) {
    EXPECT_TRUE(of_root.contains(row["socket"]["inode"])) << row;
  }
}

TEST_F(Rows, NoSocketIsInTwoRows) {
  for (const uid_t uid : {uid_t{0}, kNobody}) {
    std::set<json> seen;
    for (const json& row : list_in(place_of(uid))["listeners"]) {
      EXPECT_TRUE(seen.insert(row["socket"]["inode"]).second) << row;
    }
  }
}

TEST_F(Rows, AskedTwiceTheAnswerIsTheSame) {
  // Other tests may run beside this one: only the namespaces of the scene are compared.
  const auto rows_of_scene = [this](const json& listing) {
    json rows = json::array();
    for (const json& row : listing["listeners"]) {
      for (const json& netns : scene_.truth()["namespaces"]) {
        if (row["netns"]["inode"] != netns["inode"]) continue;
        rows.push_back(row);
        // Who gets through changes by itself while new addresses are still being checked.
        rows.back().erase("reach");
        rows.back().erase("reachable_from");
      }
    }
    return rows;
  };
  const json first = rows_of_scene(list_in(place()));
  EXPECT_EQ(first, rows_of_scene(list_in(place())));
  EXPECT_EQ(first.size(), scene_.truth()["listeners"].size());
}

TEST_F(Rows, TheTableShowsEveryPortAndNoRawEscape) {
  const Finished table = run_hark(place(), {"list", "--all", "--wide", "--netns", "self"});
  EXPECT_EQ(table.status, 0) << table.err;
  for (const json& right : scene_.truth()["listeners"]) {
    if (right["netns"]["label"] != "start" || right["protocol"] == "raw") continue;
    const std::string port = right["protocol"].get<std::string>() + " " + right["port"].dump();
    EXPECT_THAT("\n" + table.out, testing::HasSubstr("\n" + port + " "));
  }
  EXPECT_EQ(table.out.find('\x1b'), std::string::npos) << "escape sequences of process names";
  EXPECT_EQ(table.out.find('\x07'), std::string::npos);
}

}  // namespace
}  // namespace hark::netns
