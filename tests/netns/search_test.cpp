// Every rung of the ladder on the same host: the same rows with the same owners.
#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

#include "compare.h"
#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kRungs[] = {"survey", "tasks", "files", "proc"};

/// By which rung hark says that it has searched, first trying `rung`.
std::string used(const Place& place, const std::string& rung) {
  const std::string said = run_hark(place, {"-v", "--search", rung}).err;
  const std::string before = "owners searched by: ";
  const std::size_t at = said.find(before);
  if (at == std::string::npos) return said;
  return said.substr(at + before.size(), said.find('\n', at) - at - before.size());
}

/// The kernel and the rights of this machine allow BPF: what the rungs need in common.
bool has_bpf(const Place& place) {
  return used(place, "files") == "files";
}

class Search : public NetnsTest {
 protected:
  [[nodiscard]] Place place() const { return {.netns_of = scene_.pid()}; }
  Scene scene_{"every_row"};
};

/// A row without what changes from one look to the next, and without what only a survey tells.
json comparable(json row) {
  row["socket"].erase("cookie");
  row.erase("queue");
  row.erase("held_by");
  // A survey has no way into a namespace that nothing but a descriptor keeps alive.
  row.erase("reach");
  row.erase("reachable_from");
  return row;
}

std::vector<json> rows_of_scene(const json& listing, const json& truth) {
  std::set<json> spaces;
  for (const json& one : truth["namespaces"]) spaces.insert(one["inode"]);
  std::vector<json> out;
  for (const json& row : listing["listeners"]) {
    if (spaces.contains(row["netns"]["inode"])) out.push_back(comparable(row));
  }
  return out;
}

TEST_F(Search, EveryRungIsRight) {
  Expectation expected;
  expected.raw_diag = kernel_has_raw_diag();
  for (const char* rung : kRungs) {
    const json listing = list_in(place(), {"--search", rung});
    EXPECT_THAT(differences(scene_.truth(), listing, expected), IsEmpty()) << rung;
  }
}

TEST_F(Search, EveryRungSaysTheSame) {
  const std::vector<json> right =
      rows_of_scene(list_in(place(), {"--search", "proc"}), scene_.truth());
  ASSERT_GT(right.size(), 50U);
  for (const char* rung : {"survey", "tasks", "files"}) {
    EXPECT_EQ(rows_of_scene(list_in(place(), {"--search", rung}), scene_.truth()), right) << rung;
  }
}

// The table is made of what the search tells by the way, and may not differ either.
TEST_F(Search, EveryRungMakesTheSameTable) {
  const std::vector<std::string> columns = {
      "-a",
      "--columns",
      "protocol,port,address,name,pid,user,unit,container,uid,interface,inode",
      "--no-header",
      "--netns",
      "self",
      "--search"};
  const auto table = [&](const char* rung) {
    std::vector<std::string> words = columns;
    words.emplace_back(rung);
    return run_hark(place(), words).out;
  };
  const std::string right = table("proc");
  EXPECT_THAT(right, HasSubstr("web-server"));
  for (const char* rung : {"survey", "tasks", "files"}) EXPECT_EQ(table(rung), right) << rung;
}

TEST_F(Search, TheRungIsSaidAndTried) {
  if (!has_bpf(place())) {
    EXPECT_THAT(run_hark(place(), {"-v"}).err, HasSubstr("not by survey: "));
    EXPECT_EQ(used(place(), "survey"), "proc");
    return;
  }
  for (const char* rung : kRungs) EXPECT_EQ(used(place(), rung), rung);
}

// Without the right, and where the numbers of processes are others, /proc answers and -v says why.
TEST_F(Search, WhereBpfCannotBeUsedProcAnswers) {
  for (Place other : {Place{.netns_of = scene_.pid(), .uid = 65534},
                      Place{.netns_of = scene_.pid(), .own_pids = true}}) {
    EXPECT_EQ(used(other, "survey"), "proc");
    EXPECT_THAT(run_hark(other, {"-v"}).err, HasSubstr("not by survey: "));
  }
}

TEST_F(Search, AnUnknownRungIsUsage) {
  const Finished finished = run_hark(place(), {"--search", "magic"});
  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.err, HasSubstr("survey, tasks, files or proc"));
}

}  // namespace
}  // namespace hark::netns
