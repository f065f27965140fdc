// hark save and hark -r.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "program.h"

namespace hark::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Ran ask(const std::string& recording, const std::vector<std::string>& words = {}) {
  std::vector<std::string> arguments = {"-r", recording};
  arguments.insert(arguments.end(), words.begin(), words.end());
  return run_hark(arguments);
}

TEST(recording, answers_with_the_same_bytes) {
  const Listening listening;
  const Folder folder;
  const std::string file = folder.path("a.hark");
  const Ran saved = run_hark({"save", file, "--json"});
  ASSERT_EQ(saved.status, 0) << saved.err;
  EXPECT_THAT(saved.err, HasSubstr("secrets in command lines taken out"));
  const Ran asked = ask(file, {"list", "--json"});
  EXPECT_EQ(asked.status, 0) << asked.err;
  EXPECT_EQ(asked.out, saved.out);
  EXPECT_EQ(ask(file, {"--json"}).out, saved.out);
  EXPECT_THAT(saved.out, HasSubstr(listening.port()));
}

TEST(recording, answers_every_kind_of_question) {
  std::string port;
  const Folder folder;
  const std::string file = folder.path("a.hark");
  {
    const Listening listening;
    port = listening.port();
    ASSERT_EQ(run_hark({"save", file}).status, 0);
  }
  const Ran table = ask(file, {port});
  EXPECT_EQ(table.status, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("this host only"));
  const Ran filtered = ask(file, {"pid:" + std::to_string(::getpid()), port, "--json"});
  EXPECT_EQ(filtered.status, 0) << filtered.err;
  const Ran ownerless = ask(file, {port, "--no-owners", "--json"});
  EXPECT_EQ(ownerless.status, 0) << ownerless.err;
  EXPECT_TRUE(nlohmann::json::parse(ownerless.out)["listeners"][0]["owners"].is_null());
  EXPECT_EQ(ask(file, {port, "--netns=self"}).status, 0);
  EXPECT_EQ(ask(file, {"udp/" + port}).status, 1);
  EXPECT_THAT(ask(file, {"-v", port}).err, HasSubstr("hark: source: " + file));
}

TEST(recording, through_a_pipe) {
  const Listening listening;
  const Ran saved = run_hark({"save", "-"});
  ASSERT_EQ(saved.status, 0) << saved.err;
  Setting setting;
  setting.input = saved.out;
  const Ran asked = run_hark({"-r", "-", listening.port()}, setting);
  EXPECT_EQ(asked.status, 0) << asked.err;
  EXPECT_THAT(asked.out, HasSubstr(listening.port()));
}

TEST(recording, is_not_written_to_a_terminal) {
  Setting setting;
  setting.out_width = 80;
  const Ran ran = run_hark({"save", "-"}, setting);
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.out, "");
}

TEST(recording, what_is_no_recording_is_usage) {
  const Folder folder;
  write_text(folder.path("text"), "PORT BOUND TO\n");
  write_text(folder.path("empty"), "");
  write_text(folder.path("long"), std::string(300'000, 'x'));
  for (const std::string& file : {folder.path("missing"), folder.path("text"), folder.path("empty"),
                                  folder.path("long"), folder.path(""), std::string("/dev/zero")}) {
    const Ran ran = ask(file, {"--json"});
    EXPECT_EQ(ran.status, 2) << file;
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, StartsWith("hark: " + file + ": "));
  }
}

TEST(recording, a_damaged_one_leaves_the_question_open) {
  const Folder folder;
  const std::string file = folder.path("a.hark");
  ASSERT_EQ(run_hark({"save", file}).status, 0);
  const std::string whole = read_text(file);
  std::string altered = whole;
  altered[altered.size() * 2 / 3] = static_cast<char>(altered[altered.size() * 2 / 3] ^ 1);
  for (const std::string& damaged : {whole.substr(0, whole.size() - 1),
                                     whole.substr(0, whole.size() / 2), altered, whole + "more"}) {
    write_text(folder.path("damaged"), damaged);
    const Ran ran = ask(folder.path("damaged"), {"--json"});
    EXPECT_EQ(ran.status, 3) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, StartsWith("hark: " + folder.path("damaged") + ": "));
  }
}

TEST(save, is_private_and_leaves_nothing_else) {
  const Folder folder;
  ASSERT_EQ(run_hark({"save", folder.path("a.hark")}).status, 0);
  struct stat status {};
  ASSERT_EQ(::stat(folder.path("a.hark").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_THAT(folder.names(), ElementsAre("a.hark"));
}

TEST(save, replaces_recordings_and_empty_files_only) {
  const Folder folder;
  write_text(folder.path("notes"), "dear diary\n");
  const Ran refused = run_hark({"save", folder.path("notes")});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("--force"));
  EXPECT_EQ(read_text(folder.path("notes")), "dear diary\n");
  write_text(folder.path("empty"), "");
  EXPECT_EQ(run_hark({"save", folder.path("empty")}).status, 0);
  EXPECT_EQ(run_hark({"save", folder.path("empty")}).status, 0);
  EXPECT_EQ(run_hark({"save", "--force", folder.path("notes")}).status, 0);
  EXPECT_EQ(ask(folder.path("notes"), {"--version"}).status, 0);
  EXPECT_LE(ask(folder.path("notes")).status, 1);
}

TEST(save, follows_a_link) {
  const Folder folder;
  write_text(folder.path("real"), "");
  ASSERT_EQ(::symlink("real", folder.path("link").c_str()), 0);
  ASSERT_EQ(run_hark({"save", folder.path("link")}).status, 0);
  EXPECT_LE(ask(folder.path("real")).status, 1);
  struct stat status {};
  ASSERT_EQ(::lstat(folder.path("link").c_str(), &status), 0);
  EXPECT_TRUE(S_ISLNK(status.st_mode));
}

TEST(save, a_device_is_written_to_as_it_is) {
  EXPECT_EQ(run_hark({"save", "/dev/null"}).status, 0);
  struct stat status {};
  ASSERT_EQ(::stat("/dev/null", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
  const Ran full = run_hark({"save", "/dev/full"});
  EXPECT_EQ(full.status, 3);
  EXPECT_THAT(full.err, HasSubstr("hark: /dev/full: No space left on device\n"));
}

TEST(save, says_where_it_cannot_write) {
  const Folder folder;
  for (const std::string& file : {folder.path("no/such/folder"), std::string("/proc/a.hark")}) {
    const Ran ran = run_hark({"save", file, "--json"});
    EXPECT_EQ(ran.status, 3);
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, StartsWith("hark: " + file + ": "));
  }
  EXPECT_EQ(run_hark({"save", folder.path("")}).status, 2);
  EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace hark::test
