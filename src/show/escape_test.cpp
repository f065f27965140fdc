#include "show/escape.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

#include "show/test_host.h"
#include "show/unicode.h"

namespace hark::show {
namespace {

using testing::utf8;

struct Case {
  std::string text;
  std::string terminal;
  std::string json;
};

TEST(Escape, EachMediumForItself) {
  const Case cases[] = {
      {"nginx", "nginx", "nginx"},
      {"", "", ""},
      {"a\nb\tc\x1b[31m", R"(a\nb\tc\e[31m)", "a\nb\tc\x1b[31m"},
      {std::string("\0\x01\x7f", 3), R"(\x00\x01\x7f)", std::string("\0\x01\x7f", 3)},
      {R"(back\slash)", R"(back\slash)", R"(back\slash)"},
      {"back\\slash\r", R"(back\\slash\x0d)", "back\\slash\r"},
      {utf8(0x9B) + "31m", R"(\u{009b}31m)", utf8(0x9B) + "31m"},
      {"caf\xc3\xa9", "caf\xc3\xa9", "caf\xc3\xa9"},
      {"\xff\\", R"(\xff\\)", R"(\xff\\)"},
      {"\xc0\xaf", R"(\xc0\xaf)", R"(\xc0\xaf)"},                          // overlong
      {"\xe0\x80\xaf", R"(\xe0\x80\xaf)", R"(\xe0\x80\xaf)"},              // overlong
      {"\xed\xa0\x80", R"(\xed\xa0\x80)", R"(\xed\xa0\x80)"},              // surrogate
      {"\xf4\x90\x80\x80", R"(\xf4\x90\x80\x80)", R"(\xf4\x90\x80\x80)"},  // above U+10FFFF
      {"\xe2\x82", R"(\xe2\x82)", R"(\xe2\x82)"},                          // cut off
  };
  for (const Case& c : cases) {
    EXPECT_EQ(for_terminal(c.text), c.terminal);
    EXPECT_EQ(for_json(c.text), c.json);
  }
}

TEST(Escape, NothingUnseenReachesATerminal) {
  // One of each kind, and both ends of the ranges that matter.
  for (const std::uint32_t code :
       {0x80U,   0x9FU,   0xA0U,   0xADU,   0x61CU,  0x200BU,  0x200DU,  0x200EU,  0x200FU,
        0x2028U, 0x2029U, 0x202AU, 0x202EU, 0x2060U, 0x2066U,  0x2069U,  0x3000U,  0x3164U,
        0xE000U, 0xFDD0U, 0xFE0FU, 0xFEFFU, 0xFFFEU, 0xE0041U, 0xE0100U, 0x10FFFFU}) {
    std::array<char, 16> escape{};
    std::snprintf(escape.data(), escape.size(), "\\u{%04x}", code);
    EXPECT_EQ(for_terminal(utf8(code)), escape.data());
  }
}

TEST(Escape, MarksNeedALetter) {
  const std::string mark = "\xcc\x81";
  EXPECT_EQ(for_terminal("e" + mark), "e" + mark);
  EXPECT_EQ(for_terminal(mark + "e"), "\\u{0301}e");
  EXPECT_EQ(for_terminal(" " + mark), " \\u{0301}");
  EXPECT_EQ(for_terminal("\n" + mark), "\\n\\u{0301}");
  std::string tower = "e";
  for (int i = 0; i < 5; ++i) tower += mark;
  EXPECT_EQ(for_terminal(tower), tower.substr(0, 9) + "\\u{0301}");
}

TEST(Escape, AsciiHasNothingElse) {
  EXPECT_EQ(for_terminal("caf\xc3\xa9 \\", true), "caf\\u{00e9} \\\\");
  EXPECT_EQ(for_terminal("plain ~", true), "plain ~");
  EXPECT_EQ(for_terminal("\xf0\x9f\x98\x80", true), "\\u{1f600}");
}

TEST(Escape, SerialisedJsonStaysTheSameJson) {
  EXPECT_EQ(json_for_terminal("{\"a\": \"caf\xc3\xa9\"}\n"), "{\"a\": \"caf\xc3\xa9\"}\n");
  EXPECT_EQ(json_for_terminal("\"" + utf8(0x9B) + "\x7f" + utf8(0x202E) + "\""),
            "\"\\u009b\\u007f\\u202e\"");
  EXPECT_EQ(json_for_terminal("\"\xf3\xa0\x81\x81\""), "\"\\udb40\\udc41\"");
}

TEST(Escape, WidthCountsColumns) {
  EXPECT_EQ(display_width("nginx"), 5U);
  EXPECT_EQ(display_width("caf\xc3\xa9"), 4U);
  EXPECT_EQ(display_width("e\xcc\x81"), 1U);
  EXPECT_EQ(display_width("\xe6\x97\xa5\xe6\x9c\xac"), 4U);
  EXPECT_EQ(display_width("\xf0\x9f\x98\x80"), 2U);
  EXPECT_EQ(display_width("\xff\xff"), 2U);
}

TEST(Escape, CutsWithASign) {
  EXPECT_EQ(cut_to_width("postgres", 8, false), "postgres");
  EXPECT_EQ(cut_to_width("postgres", 7, false), "postgr…");
  EXPECT_EQ(cut_to_width("postgres", 7, true), "postgr~");
  EXPECT_EQ(cut_to_width("postgres", 1, false), "…");
  EXPECT_EQ(cut_to_width("postgres", 0, false), "");
  EXPECT_EQ(cut_to_width("", 0, false), "");
  // A wide character that does not fit whole goes whole.
  EXPECT_EQ(cut_to_width("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4, false), "\xe6\x97\xa5…");
  EXPECT_EQ(cut_to_width("e\xcc\x81gal", 3, false), "e\xcc\x81g…");
}

TEST(Unicode, RangesEndWhereTheyShould) {
  EXPECT_FALSE(is_unprintable(0x7E));
  EXPECT_TRUE(is_unprintable(0x7F));
  EXPECT_TRUE(is_unprintable(0xA0));
  EXPECT_FALSE(is_unprintable(0xA1));
  EXPECT_FALSE(is_unprintable(' '));
  EXPECT_TRUE(is_unprintable(0x1F));
  EXPECT_EQ(columns_of(0x1100), 2U);
  EXPECT_EQ(columns_of(0x10FF), 1U);
  EXPECT_EQ(columns_of(0x300), 0U);
  EXPECT_EQ(columns_of(0x2FF), 1U);
}

}  // namespace
}  // namespace hark::show
