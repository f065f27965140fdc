// hark where something that it usually reads is not there: what is left must be right, and a gap
// must tell of the rest.
#include <gmock/gmock.h>

#include "compare.h"
#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using nlohmann::json;
using testing::IsEmpty;

constexpr uid_t kNobody = 65534;

class Places : public NetnsTest {
 protected:
  [[nodiscard]] Expectation only_start(Read read) const {
    return {.namespaces = {{"start", read}},
            .otherwise = Read::Nothing,
            .owners = Owners::Null,
            .raw_diag = kernel_has_raw_diag()};
  }
  void expect(const Place& place, const Expectation& expected, const std::string& gap) {
    const json listing = list_in(place);
    EXPECT_THAT(differences(scene_.truth(), listing, expected), IsEmpty());
    EXPECT_TRUE(has_gap(listing, gap)) << listing["gaps"];
  }
  Scene scene_{"every_row"};
};

TEST_F(Places, HiddenProcesses) {
  expect({.netns_of = scene_.pid(), .uid = kNobody, .hide_pids = true}, only_start(Read::Asked),
         "hidepid");
}

TEST_F(Places, HiddenProcessesAreNotHiddenFromRoot) {
  const json listing = list_in({.netns_of = scene_.pid(), .hide_pids = true});
  EXPECT_THAT(differences(scene_.truth(), listing, {.raw_diag = kernel_has_raw_diag()}), IsEmpty());
}

TEST_F(Places, NoProc) {
  expect({.netns_of = scene_.pid(), .no_proc = true}, only_start(Read::NoTables), "no-proc");
}

TEST_F(Places, NoProcForAnOrdinaryUser) {
  expect({.netns_of = scene_.pid(), .uid = kNobody, .no_proc = true}, only_start(Read::NoTables),
         "no-proc");
}

TEST_F(Places, NoCgroup2) {
  const json listing = list_in({.netns_of = scene_.pid(), .no_cgroup2 = true});
  EXPECT_THAT(differences(scene_.truth(), listing, {.raw_diag = kernel_has_raw_diag()}), IsEmpty());
  EXPECT_TRUE(has_gap(listing, "no-cgroup2")) << listing["gaps"];
  for (const json& row : listing["listeners"]) EXPECT_TRUE(row["socket"]["cgroup"].is_null());
}

TEST_F(Places, APidNamespaceWithoutTheHostsProcesses) {
  Expectation expected = only_start(Read::Asked);
  expected.namespaces["web"] = Read::Asked;
  expected.namespaces["shelf"] = Read::Asked;
  json listing = list_in({.netns_of = scene_.pid(), .own_pids = true});
  // Process 1 of this place is hark itself: its namespace may be called the host's.
  for (json& row : listing["listeners"]) {
    if (row["netns"]["name"] == "host") row["netns"]["name"] = nullptr;
  }
  EXPECT_THAT(differences(scene_.truth(), listing, expected), IsEmpty());
  EXPECT_TRUE(has_gap(listing, "pid-namespace")) << listing["gaps"];
}

TEST_F(Places, AUserNamespace) {
  // Users that the namespace has no number for are all nobody.
  constexpr unsigned kOverflow = 65534;
  json truth = scene_.truth();
  for (json& right : truth["listeners"]) {
    if (right["socket"]["uid"] != 0) right["socket"]["uid"] = kOverflow;
  }
  Expectation expected = only_start(Read::Asked);
  expected.namespaces["web"] = Read::Table;
  expected.namespaces["box"] = Read::Table;
  const json listing = list_in({.netns_of = scene_.pid(), .own_users = true});
  EXPECT_THAT(differences(truth, listing, expected), IsEmpty());
  EXPECT_TRUE(has_gap(listing, "netns-not-entered")) << listing["gaps"];
}

}  // namespace
}  // namespace hark::netns
