// What hark says when it is not understood, and with which status.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "program.h"

namespace hark::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(usage, errors_are_status_2_and_say_what_is_near) {
  struct Case {
    std::vector<std::string> arguments;
    std::string first_line, hint;
  };
  for (const Case& c : {
           Case{{"--jsn"}, "hark: --jsn: unknown option\n", "did you mean --json"},
           Case{{"list", "-q"}, "hark: -q: unknown option\n", "see hark --help"},
           Case{{"--sort"}, "hark: --sort: needs a value: KEY\n", ""},
           Case{{"--json=yes"}, "hark: --json: takes no value\n", ""},
           Case{{"--color=alwys"}, "hark: --color alwys: no such word\n", "did you mean always"},
           Case{{"--columns=port,pidd"}, "hark: --columns port,pidd: no column pidd\n", "mean pid"},
           Case{{"--sort=prt"}, "hark: --sort prt: no such sort key\n", "did you mean port"},
           Case{{"--width=wide"}, "hark: --width wide: no number of columns\n", "from 1"},
           Case{{"save"}, "hark: save: needs a FILE\n", "hark save"},
           Case{{"save", "a", "b"}, "hark: b: save takes one FILE", "filter when you ask"},
           Case{{"save", "a", "-r", "b"}, "hark: --recording: hark save does not", "hark list"},
           Case{{"help", "lst"}, "hark: lst: no such command\n", "hark help list"},
           Case{{"why"}, "hark: why: needs a TARGET\n", "hark why 5432"},
           Case{{"why", "10.0.0.5"}, "hark: 10.0.0.5: which port?\n", "10.0.0.5:443"},
           Case{{"why", "80", "--from", "10.0.0.300"},
                "hark: --from 10.0.0.300: not an",
                "10.0.0.9"},
           Case{{"why", "80", "--in", "nosuch0"}, "hark: --in nosuch0: no such interface\n", ""},
           Case{{"diff"}, "hark: diff: needs an OLD recording\n", "hark diff yesterday"},
           Case{{"diff", "a", "b", "c"}, "hark: c: diff takes OLD and NEW", ""},
           Case{{"diff", "a", "b", "-r", "c"}, "hark: --recording: NEW is given twice\n", ""},
           Case{{"diff", "/nonexistent"}, "hark: /nonexistent: ", ""},
           Case{{"save", "a", "--daily"}, "hark: a: save --daily takes no FILE\n", ""},
           Case{{"save", "a", "--keep", "3"}, "hark: --keep: it goes with --daily\n", ""},
           Case{{"save", "--daily", "--keep", "0"}, "hark: --keep 0: no number of days\n", ""},
           Case{{"check"}, "hark: check: needs a POLICY\n", "--learn"},
           Case{{"check", "/nonexistent"}, "hark: /nonexistent: ", ""},
           Case{{"lab", "80"}, "hark: 80: there is no such scenario\n", "hark lab shows them all"},
           Case{{"test", "80", "-r", "a"}, "hark: --recording: hark test does not", "hark why"},
           Case{{"test", "ftp://a"}, "hark: ftp://a: no scheme that hark tests", "https://"},
           Case{{"test", "80", "--source", "x"}, "hark: --source x: not an address\n", "10.0.0.5"},
           Case{{"test", "--file", "/nonexistent"}, "hark: /nonexistent: ", ""},
           Case{{"usr:root"}, "hark: usr:root: ", "user"},
           Case{{"port:99999"}, "hark: port:99999: ", ""},
           Case{{"--no-owners", "pid:1"}, "hark: pid:1: only owners can tell", ""},
           Case{{"--netns", "no-such-name"}, "hark: --netns no-such-name: ", ""},
       }) {
    const Ran ran = run_hark(c.arguments);
    EXPECT_EQ(ran.status, 2) << testing::PrintToString(c.arguments) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, StartsWith(c.first_line));
    EXPECT_THAT(ran.err, HasSubstr(c.hint));
  }
}

TEST(explain, takes_words_or_standard_input_and_says_what_to_ask_next) {
  Setting screen;
  screen.out_width = 80;
  const std::string refused = "ssh: connect to host db.lan port 22: Connection refused";
  const Ran words = run_hark({"explain", "--color=never", refused}, screen);
  EXPECT_EQ(words.status, 0) << words.err;
  EXPECT_THAT(words.out, StartsWith("ECONNREFUSED (111): Connection refused\n\nmeans     "));
  EXPECT_THAT(words.out, HasSubstr("hark test db.lan:22\n"));
  for (const std::string& line : lines_of(words.out)) EXPECT_LE(line.size(), 80U) << line;

  const std::string pasted =
      "curl: (7) Failed to connect to web port 80 after 0 ms:\nConnection refused\n";
  Setting piped;
  piped.input = pasted;
  const Ran input = run_hark({"explain", "--json"}, piped);
  EXPECT_EQ(input.status, 0) << input.err;
  const auto json = nlohmann::json::parse(input.out);
  EXPECT_EQ(json["schema"], "hark.explain/1");
  EXPECT_EQ(json["code"], "ECONNREFUSED");
  EXPECT_EQ(json["errno"], 111);
  EXPECT_EQ(json["host"], "web");
  EXPECT_EQ(json["port"], 80);
  EXPECT_EQ(json["next"].size(), 3U);

  const Ran unknown = run_hark({"explain", "ECONNREFUSD"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.out, HasSubstr("\n  ECONNREFUSED: Connection refused\n"));
  EXPECT_EQ(run_hark({"explain", "80", "-r", "x"}).status, 2);
}

TEST(usage, hostile_arguments_are_escaped) {
  for (const char* word : {"--\x1b[31mred", "--\x9b", "--a\nhark: all is well"}) {
    const Ran ran = run_hark({word});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, Not(HasSubstr("\x1b")));
    EXPECT_THAT(ran.err, Not(HasSubstr("\x9b")));
    EXPECT_THAT(ran.err, Not(HasSubstr("\nhark:")));
  }
  const Ran ran = run_hark({"\x1b[31mred"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.out, Not(HasSubstr("\x1b")));
}

TEST(usage, a_mistyped_command_is_an_answer_that_names_the_command) {
  for (const auto& [word, command] : {std::pair{"lsit", "hark list"}, std::pair{"sav", "hark save"},
                                      std::pair{"hlep", "hark help"}}) {
    const Ran ran = run_hark({word});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.out, HasSubstr(command));
    const Ran json = run_hark({word, "--json"});
    EXPECT_EQ(json.status, 1);
    const auto object = nlohmann::json::parse(json.out);
    EXPECT_TRUE(object["listeners"].empty());
    EXPECT_THAT(object["near"][0]["text"].get<std::string>(), HasSubstr(command));
    EXPECT_TRUE(object["near"][0]["listener"].is_null());
    // Somebody who says list means list.
    EXPECT_THAT(run_hark({"list", word}).out, Not(HasSubstr(command)));
  }
}

TEST(usage, words_after_two_dashes_are_filters) {
  EXPECT_EQ(run_hark({"--", "save"}).status, 1);
  EXPECT_EQ(run_hark({"--", "--json"}).status, 1);
  EXPECT_EQ(run_hark({"list", "--", "--help"}).status, 1);
}

}  // namespace
}  // namespace hark::test
