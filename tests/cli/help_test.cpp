// What hark says about itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/options.h"
#include "host/select.h"
#include "program.h"
#include "show/list_view.h"

namespace hark::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string help_of(const std::string& command) {
  const Ran ran = run_hark({"help", command});
  EXPECT_EQ(ran.status, 0) << ran.err;
  return ran.out;
}

void expect_narrow(const std::string& text) {
  for (const std::string& line : lines_of(text)) {
    EXPECT_LE(line.size(), 80U) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
}

TEST(help, fits_a_screen) {
  const Ran ran = run_hark({"--help"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.err, "");
  EXPECT_LE(lines_of(ran.out).size(), 24U);
  expect_narrow(ran.out);
  EXPECT_THAT(ran.out, HasSubstr("examples\n"));
}

TEST(help, every_way_to_ask_gives_the_same) {
  const std::string help = run_hark({"--help"}).out;
  EXPECT_EQ(run_hark({"-h"}).out, help);
  EXPECT_EQ(run_hark({"help"}).out, help);
  EXPECT_EQ(run_hark({"nginx", "--help"}).out, help);
  const std::string list = help_of("list");
  EXPECT_EQ(run_hark({"list", "--help"}).out, list);
  EXPECT_EQ(run_hark({"-h", "list", "tcp"}).out, list);
  EXPECT_NE(list, help);
}

TEST(help, names_every_command) {
  const std::string help = run_hark({"--help"}).out;
  for (const cli::CommandInfo& command : cli::commands()) {
    EXPECT_THAT(help, HasSubstr("\n  " + std::string(command.name) + " "));
  }
}

TEST(help, of_a_command_has_its_options_and_examples_and_no_others) {
  for (const cli::CommandInfo& command : cli::commands()) {
    const std::string help = help_of(std::string(command.name));
    expect_narrow(help);
    EXPECT_THAT(help, HasSubstr("usage: hark " + std::string(command.name)));
    ASSERT_FALSE(command.examples.empty());
    EXPECT_THAT(help, HasSubstr("\nexamples\n"));
    for (const cli::Example& example : command.examples) {
      EXPECT_THAT(help, HasSubstr(std::string(example.command)));
    }
    for (const cli::OptionInfo& option : cli::options()) {
      const std::string entry = "  " + std::string(option.letter != '\0' ? "-" : "  ");
      const std::string name = " --" + std::string(option.name);
      const bool named =
          help.find(name + " ") != std::string::npos || help.find(name + "\n") != std::string::npos;
      EXPECT_EQ(named, cli::takes(command.id, option)) << command.name << name << entry;
    }
  }
}

TEST(help, of_list_explains_fields_columns_and_keys) {
  const std::string help = help_of("list");
  for (const host::FieldWord& field : host::field_words()) {
    EXPECT_THAT(help, HasSubstr("\n  " + std::string(field.word) + ": "));
  }
  for (const show::ListColumn& column : show::list_columns()) {
    EXPECT_THAT(help, HasSubstr("\n  " + std::string(column.word) + " "));
  }
  const std::string keys = help.substr(help.find("sort keys\n"));
  for (const cli::SortWord& key : cli::sort_words()) {
    EXPECT_THAT(keys, HasSubstr(" " + std::string(key.word)));
  }
}

TEST(version, is_one_line) {
  const Ran ran = run_hark({"--version"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "hark " HARK_VERSION "\n");
}

}  // namespace
}  // namespace hark::test
