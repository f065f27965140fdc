// What only a holder's own descriptor tells of a socket, read by root and by its owner.
#include <gmock/gmock.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::IsSupersetOf;
using testing::Not;

constexpr uid_t kSomebody = 61001;  // has processes of its own in the scene

class Options : public NetnsTest {
 protected:
  Scene scene_{"options"};

  [[nodiscard]] json why(const Place& place, const std::string& target,
                         const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"why",      target, "--json",  "--from",
                                      "10.0.0.5", "--to", "10.0.0.6"};
    words.insert(words.end(), more.begin(), more.end());
    const Finished finished = run_hark(place, words);
    json out = json::parse(finished.out, nullptr, false);
    EXPECT_TRUE(out.is_object()) << target << ": " << finished.status << ' ' << finished.err;
    return out.is_object() ? out : json::object();
  }

  [[nodiscard]] std::vector<std::string> possible(uid_t uid, const std::string& target) const {
    const json all = why({.netns_of = scene_.pid(), .uid = uid}, target);
    return all.contains("answers") ? all["answers"].at(0)["possible"] : json::array();
  }

  [[nodiscard]] std::string answer(uid_t uid, const std::string& target) const {
    const json all = why({.netns_of = scene_.pid(), .uid = uid}, target);
    if (!all.contains("answers")) return "no answer";
    const json& first = all["answers"].at(0);
    return first["outcome"].get<std::string>() + " " + first["cause"]["code"].get<std::string>();
  }
};

TEST_F(Options, DecideForRoot) {
  EXPECT_EQ(answer(0, "tcp/8700"), "silent min-ttl");
  EXPECT_EQ(answer(0, "tcp/8701"), "answered listener-answers");
  EXPECT_EQ(answer(0, "tcp/8710"), "silent min-ttl");
  EXPECT_EQ(answer(0, "udp/8702"), "silent udp-reply-source-mismatch");
  EXPECT_EQ(answer(0, "udp/8703"), "answered listener-answers");
}

// Rules that he may not read could drop any packet; what is silent anyway stays that.
TEST_F(Options, TellTheirOwnerWithoutRights) {
  EXPECT_EQ(answer(kSomebody, "tcp/8710"), "silent min-ttl");
  EXPECT_THAT(possible(kSomebody, "udp/8712"), Not(Contains("answered")));
  EXPECT_THAT(possible(kSomebody, "udp/8713"), Contains("answered"));
}

TEST_F(Options, OfOthersAreNotGuessed) {
  EXPECT_THAT(possible(kSomebody, "tcp/8700"), Contains("answered"));
  EXPECT_THAT(possible(kSomebody, "udp/8702"), IsSupersetOf({"answered", "silent"}));
}

// Each would end hark with SIGSYS.
TEST_F(Options, AreReadWithoutTouchingTheSocket) {
  for (const Forbidden what : {Forbidden::Listening, Forbidden::Connecting, Forbidden::Signalling,
                               Forbidden::Writing, Forbidden::Mounting}) {
    const json all = why({.netns_of = scene_.pid(), .forbidden = what}, "tcp/8700");
    ASSERT_TRUE(all.contains("answers"));
    EXPECT_EQ(all["answers"].at(0)["cause"]["code"], "min-ttl");
  }
}

TEST_F(Options, AreRecorded) {
  std::string name = "/tmp/hark-options-XXXXXX";
  const int file = mkstemp(name.data());
  ASSERT_GE(file, 0);
  close(file);
  const Finished saved = run_hark({.netns_of = scene_.pid()}, {"save", name});
  EXPECT_EQ(saved.status, 0) << saved.err;
  for (const char* target : {"tcp/8700", "udp/8702", "udp/8703"}) {
    const json live = why({.netns_of = scene_.pid()}, target);
    const json again = why({}, target, {"-r", name});
    for (const char* part : {"outcome", "cause", "assumptions"}) {
      EXPECT_EQ(live["answers"].at(0)[part], again["answers"].at(0)[part]) << target << part;
    }
  }
  unlink(name.c_str());
}

}  // namespace
}  // namespace hark::netns
