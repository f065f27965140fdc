#include "cli/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hark::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Arguments parsed(const std::vector<std::string>& arguments) {
  const Result<Arguments> out = parse_arguments(arguments);
  EXPECT_TRUE(out) << (out ? "" : out.error().what + ": " + out.error().why);
  return out.value_or(Arguments{});
}

std::string value_of(const Arguments& arguments, OptionId id) {
  for (const GivenOption& option : arguments.options) {
    if (option.id == id) return option.value;
  }
  return "(not given)";
}

TEST(parse_arguments, nothing_is_nothing) {
  const Arguments arguments = parsed({});
  EXPECT_THAT(arguments.options, IsEmpty());
  EXPECT_THAT(arguments.words, IsEmpty());
}

TEST(parse_arguments, options_stand_anywhere_among_the_words) {
  const Arguments arguments = parsed({"-r", "a.hark", "list", "tcp", "--json", "80"});
  EXPECT_THAT(arguments.words, ElementsAre("list", "tcp", "80"));
  EXPECT_EQ(value_of(arguments, OptionId::Recording), "a.hark");
  EXPECT_EQ(value_of(arguments, OptionId::Json), "");
  EXPECT_EQ(arguments.unmarked, 3U);
}

TEST(parse_arguments, every_way_to_write_a_value) {
  for (const std::vector<std::string>& way : {std::vector<std::string>{"-rx"},
                                              {"-r", "x"},
                                              {"--recording=x"},
                                              {"--recording", "x"},
                                              {"-ar", "x"},
                                              {"-r", "w", "--recording=x"}}) {
    EXPECT_EQ(value_of(parsed(way), OptionId::Recording), "x") << testing::PrintToString(way);
  }
  EXPECT_EQ(value_of(parsed({"--colour=never"}), OptionId::Color), "never");
  EXPECT_EQ(value_of(parsed({"--sort", "-queue"}), OptionId::Sort), "-queue");
  EXPECT_EQ(value_of(parsed({"--netns", ""}), OptionId::Netns), "");
  EXPECT_EQ(value_of(parsed({"--columns=[a]"}), OptionId::Columns), "[a]");
}

TEST(parse_arguments, two_dashes_end_the_options) {
  const Arguments arguments = parsed({"a", "--", "--json", "--", "-x"});
  EXPECT_THAT(arguments.words, ElementsAre("a", "--json", "--", "-x"));
  EXPECT_EQ(arguments.unmarked, 1U);
  EXPECT_THAT(arguments.options, IsEmpty());
  EXPECT_EQ(parsed({"--", "save"}).unmarked, 0U);
}

TEST(parse_arguments, a_lone_dash_is_a_word) {
  EXPECT_THAT(parsed({"save", "-"}).words, ElementsAre("save", "-"));
  EXPECT_EQ(value_of(parsed({"-r", "-"}), OptionId::Recording), "-");
}

TEST(parse_arguments, says_what_is_wrong_and_what_is_near) {
  struct Case {
    std::vector<std::string> arguments;
    std::string what, why, hint;
  };
  for (const Case& c : {
           Case{{"--jsn"}, "--jsn", "unknown option", "did you mean --json"},
           Case{
               {"tcp", "--colums=pid"}, "--colums=pid", "unknown option", "did you mean --columns"},
           Case{{"-json"}, "-json", "unknown option", "did you mean --json"},
           Case{{"-x"}, "-x", "unknown option", "see hark --help"},
           Case{{"--qqqqqqqqq"}, "--qqqqqqqqq", "unknown option", "see hark --help"},
           Case{{"---"}, "---", "unknown option", "see hark --help"},
           Case{{"--sort"}, "--sort", "needs a value: KEY", ""},
           Case{{"-ar"}, "-ar", "needs a value: FILE", ""},
           Case{{"--colour"}, "--colour", "needs a value: WHEN", ""},
           Case{{"--netns=", "80"}, "--netns=", "needs a value: NETNS", ""},
           Case{{"--json=1", "80"}, "--json", "takes no value", ""},
       }) {
    const Result<Arguments> out = parse_arguments(c.arguments);
    ASSERT_FALSE(out) << c.what;
    EXPECT_EQ(out.error().what, c.what);
    EXPECT_EQ(out.error().why, c.why);
    EXPECT_EQ(out.error().hint, c.hint);
  }
}

TEST(parse_arguments, takes_hostile_words_as_they_are) {
  const std::string word(100'000, '[');
  EXPECT_THAT(parsed({word, "\xff\x1b", "", "++", "%%"}).words,
              ElementsAre(word, "\xff\x1b", "", "++", "%%"));
}

}  // namespace
}  // namespace hark::cli
