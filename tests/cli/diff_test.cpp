// hark diff and hark save --daily, from outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/daily.h"
#include "program.h"

namespace hark::test {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// Files of this test's own namespace alone: what else happens on this host is not compared.
class Diff : public testing::Test {
 protected:
  Diff() { setting_.environment.push_back("STATE_DIRECTORY=" + folder_.path("state")); }

  [[nodiscard]] Ran run(const std::vector<std::string>& arguments) const {
    return run_hark(arguments, setting_);
  }
  std::string recorded(const std::string& name) {
    const std::string file = folder_.path(name);
    EXPECT_EQ(run({"save", file}).status, 0);
    return file;
  }
  /// A recording of a day that has passed.
  void keep(const std::string& recording, const std::string& day) {
    write_text(folder_.path("state/" + day + ".hark"), read_text(recording));
  }
  [[nodiscard]] std::vector<std::string> days() const {
    return cli::recorded_days(folder_.path("state"));
  }

  Folder folder_;
  Setting setting_;
};

TEST_F(Diff, TellsWhatCameAndWhatWent) {
  const std::string before = recorded("before");
  std::string port;
  {
    const Listening listening;
    port = listening.port();
    const std::string after = recorded("after");
    // What else goes on here may have kept something from being read: 3.
    EXPECT_THAT(run({"diff", after, after}).status, AnyOf(0, 3));
    const Ran came = run({"diff", before, after, "--width", "80"});
    EXPECT_EQ(came.status, 1) << came.out << came.err;
    EXPECT_THAT(came.out, HasSubstr("NEW      tcp " + port));
    EXPECT_THAT(came.out, HasSubstr("this host only"));
    EXPECT_EQ(came.err, "");
    for (const std::string& line : lines_of(came.out)) EXPECT_LE(line.size(), 80U) << line;
    const auto json = nlohmann::json::parse(run({"-r", after, "diff", before, "--json"}).out);
    EXPECT_EQ(json["schema"], "hark.diff/1");
    EXPECT_EQ(json["new"]["file"], after);
    EXPECT_EQ(std::to_string(json["added"][0]["port"].get<int>()), port);
    EXPECT_EQ(json["added"][0]["scope"], "loopback");
    const Ran went = run({"diff", after, before});
    EXPECT_EQ(went.status, 1);
    EXPECT_THAT(went.out, HasSubstr("GONE     tcp " + port));
    // Now: it still listens.
    EXPECT_THAT(run({"diff", before}).out, HasSubstr("tcp " + port));
  }
}

TEST_F(Diff, FilesThatAreNoneAndDamagedOnesAreToldApart) {
  const std::string file = recorded("a");
  write_text(folder_.path("text"), "PORT BOUND TO\n");
  const std::string whole = read_text(file);
  write_text(folder_.path("half"), whole.substr(0, whole.size() / 2));
  for (const auto& [name, status] : {std::pair{"text", 2}, {"missing", 2}, {"half", 3}}) {
    for (const bool old : {true, false}) {
      const std::string other = folder_.path(name);
      const Ran ran = old ? run({"diff", other, file}) : run({"diff", file, other, "--json"});
      EXPECT_EQ(ran.status, status) << name;
      EXPECT_EQ(ran.out, "");
      EXPECT_THAT(ran.err, StartsWith("hark: " + other + ": "));
    }
  }
}

TEST_F(Diff, DailyRecordingsAreFoundByTheirDays) {
  const std::string today = cli::day_of(std::time(nullptr));
  const Ran none = run({"diff", "yesterday"});
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.err, HasSubstr("hark save --daily"));
  const Ran saved = run({"save", "--daily"});
  ASSERT_EQ(saved.status, 0) << saved.err;
  EXPECT_THAT(days(), ElementsAre(today));
  EXPECT_LE(run({"diff", "last"}).status, 3);
  EXPECT_EQ(run({"diff", "last", "today"}).status, run({"diff", today, today}).status);
  EXPECT_THAT(run({"diff", "yesterday"}).err, HasSubstr("the nearest: " + today));
  keep(folder_.path("state/" + today + ".hark"), cli::day_from(today, -1));
  keep(folder_.path("state/" + today + ".hark"), "2001-02-03");
  EXPECT_NE(run({"diff", "yesterday", "last"}).status, 2);
  EXPECT_THAT(run({"diff", "2001-03-01", "last"}).err,
              HasSubstr("the nearest: 2001-02-03, " + cli::day_from(today, -1)));
  // Once more the same day: in its place, and what is too old goes.
  write_text(folder_.path("state/notes.hark"), "mine");
  write_text(folder_.path("state/2001-99-99.hark"), "mine");
  const Ran again = run({"save", "--daily", "--keep", "7"});
  EXPECT_EQ(again.status, 0);
  EXPECT_THAT(again.err, HasSubstr("removed the recording of 2001-02-03"));
  EXPECT_THAT(days(), ElementsAre(cli::day_from(today, -1), today));
  EXPECT_EQ(read_text(folder_.path("state/notes.hark")), "mine");
  EXPECT_EQ(read_text(folder_.path("state/2001-99-99.hark")), "mine");
  struct stat status {};
  ASSERT_EQ(::stat(folder_.path("state/" + today + ".hark").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat(folder_.path("state").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(Diff, TheNewestDailyRecordingIsKeptHoweverOldItIs) {
  ASSERT_EQ(::mkdir(folder_.path("state").c_str(), 0700), 0);
  for (const char* day : {"2001-01-01", "2001-01-02"})
    write_text(folder_.path("state/") + day + ".hark", "x");
  EXPECT_THAT(cli::prune_daily(folder_.path("state"), "2026-11-23", 3), ElementsAre("2001-01-01"));
  EXPECT_THAT(days(), ElementsAre("2001-01-02"));
}

TEST_F(Diff, DailyRecordingsFollowNoLinks) {
  const std::string today = cli::day_of(std::time(nullptr));
  write_text(folder_.path("precious"), "precious");
  ASSERT_EQ(::mkdir(folder_.path("real").c_str(), 0700), 0);
  ASSERT_EQ(::symlink("real", folder_.path("state").c_str()), 0);
  const Ran linked = run({"save", "--daily"});
  EXPECT_EQ(linked.status, 3);
  EXPECT_THAT(linked.err, HasSubstr("symbolic link"));
  ASSERT_EQ(::unlink(folder_.path("state").c_str()), 0);
  ASSERT_EQ(::mkdir(folder_.path("state").c_str(), 0700), 0);
  const std::string place = folder_.path("state/" + today + ".hark");
  ASSERT_EQ(::symlink("../precious", place.c_str()), 0);
  EXPECT_EQ(run({"save", "--daily"}).status, 3);
  EXPECT_EQ(read_text(folder_.path("precious")), "precious");
  EXPECT_TRUE(days().empty()) << "a link is no recording";
  ASSERT_EQ(::unlink(place.c_str()), 0);
  ASSERT_EQ(::chmod(folder_.path("state").c_str(), 0777), 0);
  EXPECT_THAT(run({"save", "--daily"}).err, HasSubstr("others may write there"));
}

TEST(daily, days_are_days_of_the_calendar) {
  for (const char* day : {"2026-11-22", "2024-02-29", "1999-12-31"}) {
    EXPECT_TRUE(cli::is_day(day)) << day;
  }
  for (const char* word : {"2026-11-31", "2023-02-29", "2026-1-2", "2026-11-222", "last", "",
                           "2026/11/22", "20x6-11-22"}) {
    EXPECT_FALSE(cli::is_day(word)) << word;
  }
  EXPECT_EQ(cli::day_from("2024-03-01", -1), "2024-02-29");
  EXPECT_EQ(cli::day_from("2026-12-31", 1), "2027-01-01");
  EXPECT_TRUE(cli::is_dated("yesterday"));
  EXPECT_FALSE(cli::is_dated("./last"));
}

}  // namespace
}  // namespace hark::test
