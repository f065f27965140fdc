// Each scene of the table against the real program: the trouble is told with its code, its listener
// and its severity, and nothing else is; of a healthy one nothing is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>

#include "diagnose/finding.h"
#include "room.h"
#include "scenes.h"

namespace hark::doctor {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::vector<std::string> words_for(const Room& room, const std::vector<std::string>& more) {
  std::vector<std::string> out = {"doctor", "--json", "--netns", std::to_string(room.pid())};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

std::string summary(const json& findings) {
  std::string out;
  for (const json& one : findings) {
    out += one["severity"].get<std::string>() + " " + one["code"].get<std::string>();
    if (one["listener"].is_object()) out += " " + one["listener"]["port"].dump();
    out += "\n";
  }
  return out;
}

const Scene& scene_called(const std::string& name) {
  static const std::vector<Scene> scenes = all_scenes();
  for (const Scene& scene : scenes) {
    if (scene.name == name) return scene;
  }
  throw std::runtime_error("no scene " + name);
}

class Doctor : public testing::TestWithParam<Scene> {
 protected:
  void SetUp() override {
    ASSERT_EQ(::geteuid(), 0U) << "missing: root. These tests make network namespaces";
  }
};

TEST_P(Doctor, TellsThisAndNothingElse) {
  const Scene& scene = GetParam();
  const Room room(scene);
  if (room.said().starts_with("missing: ")) GTEST_SKIP() << room.said();
  ASSERT_EQ(room.said(), "ready");
  const Ran ran = run_hark(words_for(room, scene.options));
  const json object = json::parse(ran.out, nullptr, false);
  ASSERT_TRUE(object.is_object()) << ran.out;
  EXPECT_EQ(object["schema"], "hark.doctor/1");
  std::string expected;
  if (scene.code != nullptr) {
    expected = std::string(scene.severity) + " " + scene.code;
    if (scene.port != 0) expected += " " + std::to_string(scene.port);
    expected += "\n";
  }
  EXPECT_EQ(summary(object["findings"]), expected) << ran.out;
  EXPECT_EQ(ran.status, scene.code == nullptr ? 0 : 1) << object["gaps"];
  for (const json& one : object["findings"]) {
    EXPECT_FALSE(one["evidence"].empty()) << one;
    EXPECT_FALSE(one["remedy"].is_null()) << one;
  }
}

INSTANTIATE_TEST_SUITE_P(Scene, Doctor, testing::ValuesIn(all_scenes()),
                         [](const auto& scene) { return std::string(scene.param.name); });

TEST(DoctorScenes, EveryCodeIsMadeForReal) {
  std::set<std::string_view> made;
  for (const Scene& scene : all_scenes()) {
    if (scene.code != nullptr) made.insert(scene.code);
  }
  for (const std::string_view code : codes_made_elsewhere()) made.insert(code);
  std::set<std::string_view> known;
  for (const diagnose::Family& family : diagnose::families()) {
    known.insert(family.codes.begin(), family.codes.end());
  }
  EXPECT_EQ(made, known);
}

TEST(DoctorScreen, SaysWhatAndWhereAndHowToMend) {
  const Room room(scene_called("Stopped"));
  ASSERT_EQ(room.said(), "ready");
  const std::string netns = std::to_string(room.pid());
  const Ran found = run_hark({"doctor", "--netns", netns, "--width", "80"});
  EXPECT_EQ(found.status, 1);
  EXPECT_THAT(found.out, testing::StartsWith("BROKEN  tcp 80  "));
  EXPECT_THAT(found.out, HasSubstr("is stopped by a signal"));
  EXPECT_THAT(found.out, HasSubstr("see:  grep State /proc/"));
  EXPECT_THAT(found.out, HasSubstr("mend: let it go on: kill -CONT "));
  const Ran target = run_hark({"doctor", "tcp/80", "--netns", netns});
  EXPECT_EQ(target.status, 1);
  EXPECT_THAT(target.out, testing::StartsWith("BROKEN"));
  const Ran nobody = run_hark({"doctor", "81", "--netns", netns});
  EXPECT_EQ(nobody.status, 1);
  EXPECT_THAT(nobody.out, testing::StartsWith("Nobody listens on 81.\n"));
}

TEST(DoctorScreen, NothingWrong) {
  const Room room(scene_called("Serving"));
  ASSERT_EQ(room.said(), "ready");
  const Ran ran = run_hark({"doctor", "--netns", std::to_string(room.pid()), "--for", "1"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "Nothing wrong was found with 1 listener.\n");
}

TEST(DoctorOfARecording, SaysWhatOneLookTells) {
  Stage place;
  const std::string file = place.folder() + "/host.hark";
  for (const char* name : {"Stopped", "AcceptQueueFull", "DeletedLibrary", "FrozenByV2",
                           "NginxElsewhere", "ConfigChanged"}) {
    const Scene& scene = scene_called(name);
    const Room room(scene);
    if (room.said().starts_with("missing: ")) continue;
    ASSERT_EQ(room.said(), "ready");
    ASSERT_EQ(run_hark({"save", "--force", file, "--netns", std::to_string(room.pid())}).status, 0);
    const Ran ran = run_hark({"-r", file, "doctor", "--json"});
    EXPECT_EQ(ran.status, 1);
    const json object = json::parse(ran.out, nullptr, false);
    ASSERT_TRUE(object.is_object()) << ran.out;
    EXPECT_THAT(summary(object["findings"]), HasSubstr(scene.code)) << ran.out;
    EXPECT_THAT(object["gaps"].dump(), HasSubstr("one-look"));
  }
}

}  // namespace
}  // namespace hark::doctor
