#include <gtest/gtest.h>

#include "decode/toml.h"

namespace hark::decode {
namespace {

TEST(Toml, EverythingKnowsItsPlace) {
  const auto table =
      decode_toml("# ports\nname = \"a\\tb\"\n[[row]]\n  n = 7\n  on = [true, 1.5]\n");
  ASSERT_TRUE(table) << table.error().what;
  ASSERT_EQ(table->size(), 2U);
  EXPECT_EQ((*table)[0].place, (TextPlace{2, 1}));
  EXPECT_EQ((*table)[0].value.place, (TextPlace{2, 8}));
  EXPECT_EQ(std::get<std::string>((*table)[0].value.value), "a\tb");
  const auto& rows = std::get<TomlArray>((*table)[1].value.value);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].place.line, 3U);
  const auto& row = std::get<TomlTable>(rows[0].value);
  ASSERT_EQ(row.size(), 2U);
  EXPECT_EQ(row[1].key, "on");
  EXPECT_EQ(row[1].place, (TextPlace{5, 3}));
  EXPECT_EQ(kind_of(row[0].value), "a number");
  EXPECT_EQ(kind_of(row[1].value), "a list");
  EXPECT_EQ(kind_of(std::get<TomlArray>(row[1].value.value)[0]), "true or false");
}

TEST(Toml, ErrorsHaveAPlace) {
  struct Row {
    std::string text;
    TextPlace place;
  };
  const Row rows[] = {
      {"a = \n", {1, 5}},
      {"a = 1\na = 2\n", {2, 5}},
      {"a = \"\xff\"\n", {1, 5}},
      {std::string(kLargestToml + 1, '\n'), {1, 1}},
      {"\n" + std::string(kLongestTomlLine, '#') + "#\n", {2, kLongestTomlLine + 1}},
      // These brought toml++ itself down.
      {"a = 1\nb = [}\nc = 1\n", {2, 1}},
      {"a = 1\n[[\\u00", {2, 1}},
      {"a = 1\n\u00e9 = 1\n", {2, 1}},
      {"a = " + std::string(kDeepestToml + 2, '[') + std::string(kDeepestToml + 2, ']'), {1, 21}},
  };
  for (const Row& row : rows) {
    const auto table = decode_toml(row.text);
    ASSERT_FALSE(table) << row.text.substr(0, 40);
    EXPECT_EQ(table.error().place.line, row.place.line) << table.error().what;
    EXPECT_EQ(table.error().place.column, row.place.column) << table.error().what;
    EXPECT_EQ(table.error().what.find('\n'), std::string::npos);
  }
}

// What the line's length allows is as deep as keys go, and the stack has to bear it.
TEST(Toml, DottedKeysAreBoundedByTheLine) {
  std::string key = "a";
  while (key.size() + 8 < kLongestTomlLine) key += ".a";
  std::string deep = key + " = 1\n";
  EXPECT_TRUE(decode_toml(deep));
  deep = key + " = [\n";
  for (std::size_t i = 2; i < kDeepestToml / 2; ++i) deep += "{" + key + " = [\n";
  EXPECT_FALSE(decode_toml(deep));
}

}  // namespace
}  // namespace hark::decode
