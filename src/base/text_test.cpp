#include "base/text.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace hark {
namespace {

using Pieces = std::vector<std::string_view>;

TEST(Text, NumbersAreReadWholeOrNotAtAll) {
  EXPECT_EQ(parse_number<std::uint8_t>("255"), 255);
  EXPECT_EQ(parse_number<std::uint32_t>("4294967295"), 4294967295U);
  EXPECT_EQ(parse_number<int>("-12"), -12);
  EXPECT_EQ(parse_number<std::uint32_t>("1F90", 16), 8080U);
  EXPECT_EQ(parse_number<std::uint32_t>("007"), 7U);
  for (const std::string_view text :
       {"", " 1", "1 ", "+1", "-1", "256", "1.0", "0x1", "1a", "99999999999999999999999"}) {
    EXPECT_FALSE(parse_number<std::uint8_t>(text)) << text;
  }
  EXPECT_FALSE(parse_number<std::uint8_t>(std::string_view("1\0", 2)));
}

TEST(Text, NextPieceCutsAtTheSeparator) {
  std::string_view rest = "a::b:";
  Pieces pieces;
  while (!rest.empty()) pieces.push_back(next_piece(rest, ':'));
  EXPECT_EQ(pieces, (Pieces{"a", "", "b"}));
  EXPECT_EQ(next_piece(rest, ':'), "");
}

TEST(Text, NextWordPassesBlanks) {
  std::string_view line = "  one\t two three  ";
  Pieces words;
  for (int i = 0; i < 4; ++i) words.push_back(next_word(line));
  EXPECT_EQ(words, (Pieces{"one", "two", "three", ""}));
  EXPECT_TRUE(line.empty());
}

TEST(Text, SplitKeepsEmptyPieces) {
  EXPECT_EQ(split("", ','), (Pieces{""}));
  EXPECT_EQ(split("a", ','), (Pieces{"a"}));
  EXPECT_EQ(split(",a,,b,", ','), (Pieces{"", "a", "", "b", ""}));
}

TEST(Text, JoinPutsTheWordBetween) {
  EXPECT_EQ(join({}, ", "), "");
  const std::vector<std::string> one = {"a"};
  EXPECT_EQ(join(one, ", "), "a");
  const std::vector<std::string> three = {"a", "", "a"};
  EXPECT_EQ(join(three, ", "), "a, , a");
}

TEST(Text, LowerTouchesAsciiLettersOnly) {
  EXPECT_EQ(lower("AZaz09[\xc3\x84"), "azaz09[\xc3\x84");
}

TEST(Text, Globs) {
  struct Case {
    std::string_view pattern;
    std::string_view text;
    bool matches;
  };
  constexpr Case kCases[] = {
      {"", "", true},
      {"", "a", false},
      {"*", "", true},
      {"*", "anything", true},
      {"?", "", false},
      {"?", "a", true},
      {"a?c", "abc", true},
      {"a?c", "ac", false},
      {"nginx*", "nginx", true},
      {"nginx*", "nginx: worker", true},
      {"*.service", "ssh.service", true},
      {"*.service", "ssh.services", false},
      {"a*b*c", "a-b-b-c", true},
      {"a*b*c", "a-c-b", false},
      {"**a", "ba", true},
      {"*aab", "aaaab", true},
      {"A", "a", false},
      {"*?", "", false},
      {"a*?*b", "acb", true},
      {"a*?*b", "ab", false},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(matches_glob(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
  }
}

TEST(Text, GlobOfManyStarsEndsSoon) {
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "*a";
  pattern += "b";
  EXPECT_FALSE(matches_glob(pattern, std::string(10000, 'a')));
}

TEST(Text, EditDistances) {
  struct Case {
    std::string_view a;
    std::string_view b;
    unsigned distance;
  };
  constexpr Case kCases[] = {
      {"", "", 0},       {"", "abc", 3},      {"abc", "abc", 0},        {"abc", "ab", 1},
      {"abc", "abd", 1}, {"abc", "acb", 1},   {"kitten", "sitting", 3}, {"lsit", "list", 1},
      {"ab", "ba", 1},   {"abcd", "badc", 2},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(edit_distance(c.a, c.b), c.distance) << c.a << " " << c.b;
    EXPECT_EQ(edit_distance(c.b, c.a), c.distance) << c.b << " " << c.a;
  }
}

TEST(Text, LongWordsAreCutAt64Bytes) {
  const std::string long_word(100000, 'a');
  EXPECT_EQ(edit_distance(long_word, ""), 64U);
  EXPECT_EQ(edit_distance(long_word, long_word + "b"), 0U);
}

TEST(Text, NearestIsMeantOrNothing) {
  const std::vector<std::string> words = {"list", "save", "netns", "unit", "user"};
  EXPECT_EQ(nearest("lsit", words), "list");
  EXPECT_EQ(nearest("LIST", words), "list");
  EXPECT_EQ(nearest("net", words), "netns");
  EXPECT_EQ(nearest("uniq", words), "unit");
  EXPECT_FALSE(nearest("zzzz", words));
  EXPECT_FALSE(nearest("", words));
  EXPECT_FALSE(nearest("list", {}));
  // Equally near: the first one.
  EXPECT_EQ(nearest("us", std::vector<std::string>{"user", "usage"}), "user");
}

}  // namespace
}  // namespace hark
