// Scenario files, the judge of answers, and what is kept of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "drill/lab_causes.h"
#include "drill/lab_endpoint.h"
#include "drill/lab_files.h"
#include "drill/lab_grade.h"
#include "drill/lab_progress.h"
#include "drill/lab_scenarios.h"

namespace hark::drill {
namespace {

using testing::HasSubstr;

const std::string kWhole = R"(title = "t"
topic = "first steps"
story = "s"
hints = ["h"]
places = ["neighbour"]
programs = ["postgres"]
setup = "true"
seen = "it is refused."
mend = "true"
[cause]
codes = ["bound-other-addr"]
ask = "why 5432"
text = "it is on loopback."
words = ["loopback", "wrong address", "127.0.0.1"]
wrong = ["input-drop", "no-socket"]
show = "ss -ltn sport = :5432"
evidence = ["ss", "netstat"]
[[probe]]
from = "neighbour"
to = "tcp/[fd00::5]:5432"
reply = "postgres"
)";

LabScenario whole() {
  return parse_lab_scenario(kWhole, "x", "x.toml").value();
}

TEST(lab_scenario, is_read) {
  const LabScenario one = whole();
  EXPECT_EQ(one.difficulty, 1U);
  EXPECT_EQ(one.cause.wrong.size(), 2U);
  ASSERT_EQ(one.probes.size(), 1U);
  EXPECT_EQ(one.probes[0].address.text(), "fd00::5");
  EXPECT_EQ(one.probes[0].port, 5432);
  EXPECT_EQ(one.probes[0].times, 1U);
}

TEST(lab_scenario, mistakes_have_a_place) {
  struct Case {
    const char* from;
    const char* to;
    const char* what;
    const char* why;
    const char* hint;
  };
  for (const Case& c : {
           Case{"\"t\"", "\"t", "x.toml:1:", "", ""},
           Case{"title = \"t\"", "", "x.toml:1:1", "title is missing", ""},
           Case{"title", "titel", "x.toml:1:1", "title is missing", ""},
           Case{"hints = [\"h\"]", "hints = \"h\"", "x.toml:4:9", "hints is no list of texts", ""},
           Case{"hints = [\"h\"]", "hints = [\"h\"]\nhint = 1", "x.toml:5:1", "hint is not known",
                "did you mean hints"},
           Case{"first steps", "frist steps", "x.toml:2:9", "topic there is no \"frist steps\"",
                "did you mean first steps"},
           Case{"bound-other-addr", "bound-other-adr", "x.toml:11:9", "codes there is no",
                "did you mean bound-other-addr"},
           Case{"\"neighbour\"]", "\"neighbor\"]", "x.toml:5:10", "places there is no",
                "did you mean neighbour"},
           Case{"from = \"neighbour\"", "from = \"container\"", "x.toml:19:8", "from there is no",
                "there are: neighbour, host"},
           Case{"tcp/[fd00::5]:5432", "fd00::5", "x.toml:20:6", "to is not of the form", ""},
           Case{"reply = \"postgres\"", "reply = \"postgres\"\ntimes = 0", "x.toml:22:9",
                "times is no number from 1 to 64", ""},
           Case{", \"no-socket\"]", "]", "x.toml:10:1", "wrong names less than two causes", ""},
       }) {
    std::string text = kWhole;
    text.replace(text.find(c.from), std::string(c.from).size(), c.to);
    const auto parsed = parse_lab_scenario(text, "x", "x.toml");
    ASSERT_FALSE(parsed) << c.to;
    EXPECT_THAT(parsed.error().what, testing::StartsWith(c.what)) << c.to;
    EXPECT_THAT(parsed.error().why, HasSubstr(c.why)) << c.to;
    EXPECT_THAT(parsed.error().hint, HasSubstr(c.hint)) << c.to;
  }
}

TEST(lab_scenario, the_path_has_each_file_once_and_topics_together) {
  const auto scenarios = lab_scenarios();
  ASSERT_TRUE(scenarios) << scenarios.error().what << " " << scenarios.error().why;
  std::set<std::string> names;
  std::set<std::string> topics;
  std::string topic;
  for (const LabScenario& one : *scenarios) {
    EXPECT_TRUE(names.insert(one.name).second) << one.name;
    EXPECT_TRUE(one.topic == topic || topics.insert(one.topic).second) << one.name;
    topic = one.topic;
    for (const std::string& code : one.cause.codes) {
      EXPECT_THAT(one.cause.wrong, testing::Not(testing::Contains(code))) << one.name;
    }
  }
  EXPECT_EQ(names.size(), lab_files().size());
  EXPECT_EQ(find_lab_scenario("lopback-only").error().hint, "did you mean loopback-only");
}

// What is said, whether cause and evidence count, and words of what is answered.
TEST(lab_grade, answers) {
  struct Case {
    const char* answer;
    bool known;
    bool cause;
    bool evidence;
    const char* why;
    const char* because;
  };
  const LabScenario one = whole();
  for (const Case& c : {
           Case{"bound-other-addr", false, true, false, "Right: it is on loopback", "Half of it"},
           Case{"Bound other addr.", false, true, false, "Right", "Half"},
           Case{"It listens on the loopbck interface!", false, true, false, "Right", "Half"},
           Case{"wrong address because ss -ltn", false, true, true, "Right", "shows it"},
           Case{"127.0.0.1, shown by netstat", false, true, true, "Right", "shows it"},
           Case{"loopback because nft list ruleset", false, true, false, "Right",
                "But nft shows rules"},
           Case{"loopback because I say so", false, true, false, "Right", "name the command"},
           Case{"input-drop", false, false, false, "Not that: a rule of the input chain", ""},
           Case{"a rule drops it in the input chain", false, false, false, "Here: it is refused",
                ""},
           Case{"input-drop because ss -ltn", false, false, true, "Not that", ""},
           Case{"bound-other-addr or input-drop", false, false, false, "One cause at a time", ""},
           Case{"nobody listens on that port", false, false, false, "Not that", ""},
           Case{"no idea", false, false, false, "names no cause", ""},
           Case{"1", false, true, false, "Right", "Half"},
           Case{"2", false, false, false, "Not that", ""},
           Case{"9", false, false, false, "names no cause", ""},
           Case{"ss -ltn", true, false, true, "", "shows it"},
           Case{"because ss -ltn sport = :5432", true, false, true, "", "shows it"},
           Case{"because ip route", true, false, false, "", "where packets are sent"},
           Case{"", true, false, false, "", ""},
       }) {
    const LabVerdict verdict = grade_lab_answer(one, c.answer, c.known);
    EXPECT_EQ(verdict.cause, c.cause) << c.answer;
    EXPECT_EQ(verdict.evidence, c.evidence) << c.answer;
    EXPECT_THAT(verdict.why, HasSubstr(c.why)) << c.answer;
    EXPECT_THAT(verdict.because, HasSubstr(c.because)) << c.answer;
  }
}

// A scenario's own right words must not be taken for something else, nor its wrong codes for right.
TEST(lab_grade, every_scenario_takes_its_own_words) {
  const auto scenarios = lab_scenarios();
  ASSERT_TRUE(scenarios);
  for (const LabScenario& one : *scenarios) {
    for (const std::string& words : one.cause.words) {
      EXPECT_TRUE(grade_lab_answer(one, words, false).cause) << one.name << ": " << words;
    }
    for (const std::string& code : one.cause.codes) {
      EXPECT_TRUE(grade_lab_answer(one, code, false).cause) << one.name << ": " << code;
    }
    for (const std::string& code : one.cause.wrong) {
      EXPECT_FALSE(grade_lab_answer(one, code, false).cause) << one.name << ": " << code;
      EXPECT_FALSE(grade_lab_answer(one, lab_cause(code)->phrase, false).cause)
          << one.name << ": " << code;
    }
    for (const std::string& words : one.evidence) {
      EXPECT_TRUE(grade_lab_answer(one, "because " + words, true).evidence)
          << one.name << ": " << words;
    }
  }
}

TEST(lab_progress, what_was_solved_stays_solved) {
  LabProgress kept = read_lab_progress("# x\na 1 1 0 0 2 1\nb 0 0 1 0 0 0\n\n");
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_TRUE(kept["a"].solved());
  EXPECT_EQ(kept["a"].hints, 2U);
  add_lab_score(kept, "a", {.mended = true, .wrong = 3});
  EXPECT_TRUE(kept["a"].solved());
  EXPECT_TRUE(kept["a"].mended);
  EXPECT_EQ(kept["a"].wrong, 1U);
  add_lab_score(kept, "b", {.cause = true, .evidence = true, .gave_up = true});
  EXPECT_FALSE(kept["b"].solved());
  EXPECT_TRUE(kept["b"].mended);
  EXPECT_EQ(read_lab_progress(lab_progress_text(kept)), kept);
}

TEST(lab_endpoint, forms) {
  EXPECT_TRUE(parse_lab_endpoint("udp/[::1]:53")->udp);
  EXPECT_FALSE(parse_lab_endpoint("10.0.0.5:80")->udp);
  for (const char* bad : {"10.0.0.5", "10.0.0.5:0", "host:80", "10.0.0.5:65536", ":80"}) {
    EXPECT_FALSE(parse_lab_endpoint(bad)) << bad;
  }
}

}  // namespace
}  // namespace hark::drill
