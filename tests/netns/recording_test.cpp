// A recording answers byte for byte as the run did in which it was made.
#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "compare.h"
#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using nlohmann::json;

class Recordings : public NetnsTest, public testing::WithParamInterface<uid_t> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    ASSERT_EQ(chmod(folder_.c_str(), 0777), 0);
    file_ = folder_ + "/host.hark";
  }
  void TearDown() override {
    unlink(file_.c_str());
    rmdir(folder_.c_str());
  }
  std::string folder_ = testing::TempDir() + "hark-netns-XXXXXX";
  std::string file_;
};

// The answer of a live run, and of the recording that it made.
void compare_both(const Place& place, const std::string& file) {
  const Finished live = run_hark(place, {"save", file, "--json", "--force"});
  ASSERT_EQ(live.status, 0) << live.err;
  const Finished replayed = run_hark({}, {"-r", file, "list", "--json"});
  EXPECT_EQ(replayed.status, 0) << replayed.err;
  EXPECT_GT(live.out.size(), 1000u);
  EXPECT_TRUE(live.out == replayed.out) << "the replay differs";
  const Finished elsewhere =
      run_hark({.no_proc = true, .no_cgroup2 = true}, {"-r", file, "list", "--json"});
  EXPECT_TRUE(live.out == elsewhere.out) << "the replay reads this machine";
}

TEST_P(Recordings, AnswerAsTheLiveRun) {
  const Scene scene("every_row");
  compare_both({.netns_of = scene.pid(), .uid = GetParam()}, file_);
}

TEST_P(Recordings, AnswerAsTheLiveRunWithCgroups) {
  const Scene scene("cgroups");
  compare_both({.netns_of = scene.pid(), .uid = GetParam()}, file_);
}

TEST_P(Recordings, AnswerWhenTheSceneIsGone) {
  json truth;
  {
    const Scene scene("every_row");
    truth = scene.truth();
    const Finished live =
        run_hark({.netns_of = scene.pid(), .uid = GetParam()}, {"save", file_, "--no-redact"});
    ASSERT_EQ(live.status, 0) << live.err;
  }
  if (GetParam() != 0) return;
  const json listing = list_in({}, {"-r", file_});
  EXPECT_THAT(differences(truth, listing, {.raw_diag = kernel_has_raw_diag()}), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Users, Recordings, testing::Values(0, 65534),
                         [](const testing::TestParamInfo<uid_t>& uid) {
                           return "Uid" + std::to_string(uid.param);
                         });

TEST_F(Recordings, AnswerAsTheLiveRunWithoutProc) {
  const Scene scene("every_row");
  compare_both({.netns_of = scene.pid(), .no_proc = true}, file_);
}

}  // namespace
}  // namespace hark::netns
