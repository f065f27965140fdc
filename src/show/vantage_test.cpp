#include "show/vantage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hark::show {
namespace {

using testing::HasSubstr;

constexpr std::string_view kHere = R"({"schema":"hark.test/1","attempts":[
  {"target":"8080","from":"127.0.0.1","to":"127.0.0.1:8080","protocol":"tcp",
   "address":"127.0.0.1","port":8080,"outcome":"answered","errno":null,
   "times_ms":{"connect":0.12},"service":{"protocol":"http","detail":"200 OK"}},
  {"target":"8080","from":"10.0.0.5","to":"10.0.0.5:8080","protocol":"tcp",
   "address":"10.0.0.5","port":8080,"outcome":"answered","errno":null,
   "times_ms":{"connect":0.2},"service":null}]})";

Vantage far(const std::string& outcome, const std::string& error) {
  Vantage out;
  out.name = "ssh:web2";
  out.bare = true;
  VantageAttempt attempt;
  attempt.target = "8080";
  attempt.address = "10.0.0.5";
  attempt.port = 8080;
  attempt.from = "10.0.0.9";
  attempt.outcome = outcome;
  attempt.error = error;
  out.attempts.push_back(bare_attempt(std::move(attempt)));
  return out;
}

Vantage here() {
  Vantage out;
  out.name = "here";
  out.attempts = read_test_json(kHere, "here").value();
  return out;
}

TEST(Vantage, PlacesStandSideBySideAndTheCauseIsNamed) {
  VantageCause cause = *read_why_json(
      R"({"answers":[{"outcome":"silent","cause":{"code":"input-drop","text":"dropped by handle 3"}}]})");
  cause.vantage = "ssh:web2";
  cause.from = "10.0.0.9";
  cause.to = "10.0.0.5:8080";
  const std::string text =
      vantage_text({here(), far("silent", "ETIMEDOUT")}, {cause}, {.width = 80});
  EXPECT_EQ(text,
            "TARGET              here             ssh:web2\n"
            "tcp 127.0.0.1:8080  answered 0.1 ms  -\n"
            "tcp 10.0.0.5:8080   answered 0.2 ms  silent (ETIMEDOUT)\n"
            "\n"
            "ssh:web2: hark is not installed there; its shell tried TCP alone\n"
            "ssh:web2 (10.0.0.9): on this side: silent: dropped by handle 3\n");
  cause.outcome = "answered";
  EXPECT_THAT(vantage_text({here(), far("silent", "")}, {cause}, {}),
              HasSubstr("not on this side"));
}

TEST(Vantage, JsonKeepsEveryAttemptAndItsPlace) {
  std::string out;
  write_vantage_json({here(), far("refused", "ECONNREFUSED")}, {},
                     [&](std::string_view text) { out += text; });
  const auto json = nlohmann::json::parse(out);
  ASSERT_EQ(json["attempts"].size(), 3U);
  EXPECT_EQ(json["attempts"][0]["via"], "here");
  EXPECT_EQ(json["attempts"][0]["service"]["detail"], "200 OK");
  EXPECT_EQ(json["attempts"][2]["via"], "ssh:web2");
  EXPECT_EQ(json["attempts"][2]["to"], "10.0.0.5:8080");
  EXPECT_EQ(json["attempts"][2]["errno"], "ECONNREFUSED");
  EXPECT_EQ(json["vantages"][1]["bare"], true);
}

/// Another host's answer is a stranger's.
TEST(Vantage, WhatIsNoAnswerIsSaidAndHarmless) {
  for (const std::string_view text : {"", "{", "[]", "{\"schema\":\"hark.why/1\"}",
                                      "{\"schema\":\"hark.test/1\",\"attempts\":7}"}) {
    EXPECT_FALSE(read_test_json(text, "x")) << text;
    EXPECT_FALSE(read_why_json(text)) << text;
  }
  const auto odd = read_test_json(
      R"({"schema":"hark.test/1","attempts":[7,{"target":8,"to":"\u001b[2J","port":-1,"times_ms":[],"service":1}]})",
      "x");
  ASSERT_TRUE(odd);
  ASSERT_EQ(odd->size(), 1U);
  Vantage vantage;
  vantage.name = "x";
  vantage.attempts = *odd;
  EXPECT_EQ(vantage_text({vantage}, {}, {}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace hark::show
