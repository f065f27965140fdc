#include "cli/terminal.h"

#include <gtest/gtest.h>

#include <map>

namespace hark::cli {
namespace {

using Variables = std::map<std::string, std::string>;

Surroundings around(bool terminal, std::optional<std::size_t> width, Variables variables) {
  return {.terminal = terminal,
          .width = width,
          .variable = [variables = std::move(variables)](const char* name) {
            const auto found = variables.find(name);
            return found == variables.end() ? std::string{} : found->second;
          }};
}

TEST(choose_style, width) {
  Invocation asked;
  EXPECT_EQ(choose_style(asked, around(true, 93, {{"COLUMNS", "50"}})).width, 93U);
  EXPECT_EQ(choose_style(asked, around(true, {}, {{"COLUMNS", "50"}})).width, 50U);
  EXPECT_EQ(choose_style(asked, around(true, {}, {{"COLUMNS", "x"}})).width, 80U);
  EXPECT_EQ(choose_style(asked, around(true, {}, {{"COLUMNS", "0"}})).width, 80U);
  EXPECT_EQ(choose_style(asked, around(false, {}, {{"COLUMNS", "50"}})).width, std::nullopt);
  asked.wide = true;
  EXPECT_EQ(choose_style(asked, around(true, 93, {})).width, std::nullopt);
  asked.wide = false;
  asked.width = 40;
  EXPECT_EQ(choose_style(asked, around(false, {}, {})).width, 40U);
}

TEST(choose_style, colour) {
  struct Case {
    ColorWhen when;
    bool terminal;
    Variables variables;
    bool expected;
  };
  for (const Case& c : {
           Case{ColorWhen::Auto, true, {}, true},
           Case{ColorWhen::Auto, false, {}, false},
           Case{ColorWhen::Auto, true, {{"NO_COLOR", "1"}}, false},
           Case{ColorWhen::Auto, true, {{"NO_COLOR", ""}}, true},
           Case{ColorWhen::Auto, true, {{"TERM", "dumb"}}, false},
           Case{ColorWhen::Auto, false, {{"CLICOLOR_FORCE", "1"}}, true},
           Case{ColorWhen::Auto, false, {{"CLICOLOR_FORCE", "0"}}, false},
           Case{ColorWhen::Auto, false, {{"CLICOLOR_FORCE", "1"}, {"NO_COLOR", "1"}}, false},
           Case{ColorWhen::Always, false, {{"NO_COLOR", "1"}}, true},
           Case{ColorWhen::Never, true, {{"CLICOLOR_FORCE", "1"}}, false},
       }) {
    Invocation asked;
    asked.color = c.when;
    EXPECT_EQ(choose_style(asked, around(c.terminal, {}, c.variables)).colour, c.expected)
        << testing::PrintToString(c.variables);
  }
}

TEST(choose_style, ascii_follows_the_locale) {
  const auto ascii = [](const Variables& variables) {
    return choose_style({}, around(false, {}, variables)).ascii;
  };
  EXPECT_FALSE(ascii({{"LANG", "en_GB.UTF-8"}}));
  EXPECT_FALSE(ascii({{"LC_CTYPE", "C.utf8"}, {"LANG", "C"}}));
  EXPECT_TRUE(ascii({{"LC_ALL", "C"}, {"LANG", "en_GB.UTF-8"}}));
  EXPECT_TRUE(ascii({{"LANG", "de_DE.ISO-8859-1"}}));
  EXPECT_TRUE(ascii({}));
  Invocation asked;
  asked.ascii = true;
  EXPECT_TRUE(choose_style(asked, around(false, {}, {{"LANG", "C.UTF-8"}})).ascii);
}

}  // namespace
}  // namespace hark::cli
