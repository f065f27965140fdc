// Pipes, terminals, full disks and colours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "program.h"

namespace hark::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr auto kEscape = "\x1b[";

Setting terminal(unsigned width, std::vector<std::string> more = {}) {
  Setting out;
  out.out_width = width;
  out.environment.insert(out.environment.end(), more.begin(), more.end());
  return out;
}

Setting with(std::vector<std::string> more) {
  Setting out;
  out.environment.insert(out.environment.end(), more.begin(), more.end());
  return out;
}

TEST(output, a_full_disk_is_told) {
  Setting full;
  full.out_file = "/dev/full";
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {}, {"--json"}, {"save", "-"}}) {
    const Ran ran = run_hark(arguments, full);
    EXPECT_EQ(ran.status, 3) << testing::PrintToString(arguments);
    EXPECT_THAT(ran.err, HasSubstr("hark: standard output: No space left on device\n"));
  }
}

TEST(output, a_closed_standard_output_is_told) {
  Setting closed;
  closed.out_closed = true;
  const Ran ran = run_hark({}, closed);
  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.err, HasSubstr("hark: standard output: Bad file descriptor\n"));
}

TEST(output, a_closed_pipe_ends_silently) {
  for (const bool ignored : {false, true}) {
    Setting closed;
    closed.out_pipe_closed = true;
    closed.sigpipe_ignored = ignored;
    const Ran ran = run_hark({"--json"}, closed);
    EXPECT_EQ(ran.status, 141);
    EXPECT_EQ(ran.err, "");
  }
}

TEST(colour, follows_terminal_and_environment) {
  const Listening listening;
  struct Case {
    std::vector<std::string> options;
    Setting setting;
    bool coloured;
  };
  for (const Case& c : {
           Case{{}, {}, false},
           Case{{}, terminal(100), true},
           Case{{}, terminal(100, {"NO_COLOR=1"}), false},
           Case{{}, terminal(100, {"NO_COLOR="}), true},
           Case{{}, with({"CLICOLOR_FORCE=1"}), true},
           Case{{"--color=always"}, {}, true},
           Case{{"--colour", "always"}, with({"NO_COLOR=1"}), true},
           Case{{"--color=never"}, terminal(100), false},
           Case{{"--color=auto"}, terminal(100), true},
           Case{{"--json", "--color=always"}, {}, false},
       }) {
    std::vector<std::string> arguments = {listening.port()};
    arguments.insert(arguments.end(), c.options.begin(), c.options.end());
    const Ran ran = run_hark(arguments, c.setting);
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_EQ(ran.out.find(kEscape) != std::string::npos, c.coloured)
        << testing::PrintToString(arguments) << testing::PrintToString(c.setting.environment);
  }
  Setting dumb = terminal(100);
  dumb.environment = {"LC_ALL=C.UTF-8", "TERM=dumb"};
  EXPECT_THAT(run_hark({listening.port()}, dumb).out, Not(HasSubstr(kEscape)));
}

TEST(colour, says_nothing_that_the_words_do_not) {
  const Listening listening;
  std::string coloured = run_hark({listening.port(), "--color=always"}).out;
  for (std::size_t at = coloured.find(kEscape); at != std::string::npos;
       at = coloured.find(kEscape)) {
    coloured.erase(at, coloured.find('m', at) - at + 1);
  }
  EXPECT_EQ(coloured, run_hark({listening.port()}).out);
}

TEST(width, is_the_terminals_or_what_is_asked_for) {
  const Listening listening;
  const auto run = [&](const std::vector<std::string>& options, const Setting& setting) {
    // Namespaces that come and go beside the test would change the last lines.
    std::vector<std::string> arguments = {listening.port(), "--color=never", "--netns=self"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Ran ran = run_hark(arguments, setting);
    EXPECT_EQ(ran.status, 0) << ran.err;
    return ran.out;
  };
  const std::string narrow = run({"--width=60"}, {});
  EXPECT_EQ(run({}, terminal(60)), narrow);
  EXPECT_EQ(run({}, terminal(0, {"COLUMNS=60"})), narrow);
  EXPECT_EQ(run({}, terminal(0)), run({"--width=80"}, {}));
  EXPECT_EQ(run({"--width=60"}, terminal(200)), narrow);
  EXPECT_EQ(run({"--wide"}, terminal(60)), run({}, {}));
  EXPECT_EQ(run({}, with({"COLUMNS=60"})), run({"--wide"}, {}));
}

TEST(width, every_line_fits_eighty_columns) {
  const Listening listening;
  for (const std::string& line :
       lines_of(run_hark({listening.port(), "--width=80", "--ascii"}).out)) {
    EXPECT_LE(line.size(), 80U) << line;
  }
}

TEST(ascii, follows_the_locale) {
  Setting plain;
  plain.environment = {"LC_ALL=C"};
  const Listening listening;
  const std::string text = run_hark({listening.port()}, plain).out;
  EXPECT_EQ(text, run_hark({listening.port(), "--ascii"}).out);
  EXPECT_TRUE(
      std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
}

}  // namespace
}  // namespace hark::test
