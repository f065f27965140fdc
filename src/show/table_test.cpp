#include "show/table.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"
#include "show/escape.h"

namespace hark::show {
namespace {

const std::vector<Column> kColumns = {{"PORT", 200, false, false},
                                      {"WHO", 90, true, false},
                                      {"N", 10, false, true},
                                      {"NEVER", 50, false, false}};

std::vector<std::vector<Cell>> rows() {
  return {{{"tcp 22"}, {"sshd (812)  ssh.service"}, {"5"}, {""}},
          {{"tcp 8080"}, {"java (4121)  a-unit-with-a-rather-long-name.service"}, {"12"}, {""}}};
}

TEST(Table, AlignsAndLeavesOutEmptyColumns) {
  EXPECT_EQ(format_table(kColumns, rows(), {}),
            "PORT      WHO                                                   N\n"
            "tcp 22    sshd (812)  ssh.service                               5\n"
            "tcp 8080  java (4121)  a-unit-with-a-rather-long-name.service  12\n");
}

TEST(Table, CutsBeforeItDropsAndDropsTheLeastImportant) {
  const auto lines = [](std::size_t width) {
    return format_table(kColumns, rows(), {.width = width});
  };
  EXPECT_EQ(lines(40),
            "PORT      WHO                          N\n"
            "tcp 22    sshd (812)  ssh.service      5\n"
            "tcp 8080  java (4121)  a-unit-with-…  12\n");
  EXPECT_EQ(lines(34),
            "PORT      WHO\n"
            "tcp 22    sshd (812)  ssh.service\n"
            "tcp 8080  java (4121)  a-unit-wit…\n");
  EXPECT_EQ(lines(18),
            "PORT      WHO\n"
            "tcp 22    sshd (8…\n"
            "tcp 8080  java (4…\n");
  EXPECT_EQ(lines(10), "PORT\ntcp 22\ntcp 8080\n");
  EXPECT_EQ(lines(3), "PORT\ntcp 22\ntcp 8080\n");
}

TEST(Table, ColourDoesNotCountAsWidth) {
  const std::vector<Column> columns = {{"A", 200, false, false}, {"B", 200, false, true}};
  const std::vector<std::vector<Cell>> cells = {{{"x", Colour::Red}, {"1", Colour::None}},
                                                {{"yy", Colour::None}, {"22", Colour::Dim}}};
  EXPECT_EQ(format_table(columns, cells, {.colour = true, .heading = false}),
            "\x1b[31mx\x1b[0m    1\nyy  \x1b[2m22\x1b[0m\n");
  EXPECT_EQ(format_table(columns, cells, {.heading = false}), "x    1\nyy  22\n");
}

TEST(Table, AsciiHasAnAsciiSignOfTheCut) {
  const std::string text = format_table(kColumns, rows(), {.width = 34, .ascii = true});
  EXPECT_NE(text.find("a-unit-wit~\n"), std::string::npos);
  EXPECT_EQ(text.find("…"), std::string::npos);
}

TEST(Table, NoRowsNoLinesAndShortRowsAreFilled) {
  EXPECT_EQ(format_table(kColumns, {}, {}), "");
  const std::vector<std::vector<Cell>> cells = {{{"a"}}, {{"b"}, {"c"}}};
  EXPECT_EQ(format_table(kColumns, cells, {.heading = false}), "a\nb  c\n");
}

TEST(Table, OneColumnNeverGoes) {
  const std::vector<Column> columns = {{"A", 1, false, false}};
  const std::vector<std::vector<Cell>> cells = {{{"abcdef"}}};
  EXPECT_EQ(format_table(columns, cells, {.width = 2}), "A\nabcdef\n");
}

TEST(Wrapped, BreaksAtBlanks) {
  EXPECT_EQ(join(wrapped("one two three", 7), "|"), "one two|three");
  EXPECT_EQ(join(wrapped("one two three", {}), "|"), "one two three");
  EXPECT_EQ(join(wrapped("incomprehensible x", 4), "|"), "incomprehensible|x");
  EXPECT_EQ(join(wrapped("", 4), "|"), "");
}

}  // namespace
}  // namespace hark::show
