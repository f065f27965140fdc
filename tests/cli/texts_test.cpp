// The man page and the completions say what the option table says, no less and no more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "cli/options.h"
#include "host/select.h"
#include "program.h"
#include "show/list_view.h"

namespace hark::test {
namespace {

using Words = std::set<std::string>;

template <typename Rows, typename Member>
Words words_of(const Rows& rows, Member member) {
  Words out;
  for (const auto& row : rows) out.emplace(row.*member);
  return out;
}

Words command_words() {
  return words_of(cli::commands(), &cli::CommandInfo::name);
}
Words sort_words() {
  return words_of(cli::sort_words(), &cli::SortWord::word);
}
Words column_words() {
  return words_of(show::list_columns(), &show::ListColumn::word);
}
Words field_words() {
  return words_of(host::field_words(), &host::FieldWord::word);
}

/// "-r" and "--recording" of every option for which `wanted` holds.
template <typename Wanted>
Words dashed(const Wanted& wanted) {
  Words out;
  for (const cli::OptionInfo& option : cli::options()) {
    if (!wanted(option)) continue;
    out.insert("--" + std::string(option.name));
    if (option.letter != '\0') out.insert(std::string{'-', option.letter});
  }
  return out;
}

Words options_of(cli::Command command) {
  return dashed([command](const cli::OptionInfo& option) { return cli::takes(command, option); });
}

Words options_of_all() {
  return dashed([](const cli::OptionInfo&) { return true; });
}

Words options_with_value() {
  return dashed([](const cli::OptionInfo& option) { return !option.value.empty(); });
}

bool is_option_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
}

/// Every "-x" and "--xyz" of a text that stands between other characters.
Words options_in(const std::string& text) {
  Words out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '-' || (at > 0 && (is_option_char(text[at - 1]) || text[at - 1] == '}'))) {
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_option_char(text[end])) ++end;
    const std::string word = text.substr(at, end - at);
    const bool is_short = word.size() == 2 && word[1] != '-';
    if (is_short || (word.starts_with("--") && word.size() > 3)) out.insert(word);
  }
  return out;
}

/// The words between `opening` and the next `closing`.
Words list_in(const std::string& text, const std::string& opening, char closing) {
  const std::size_t at = text.find(opening);
  EXPECT_NE(at, std::string::npos) << opening;
  if (at == std::string::npos) return {};
  const std::size_t begin = at + opening.size();
  std::string inside = text.substr(begin, text.find(closing, begin) - begin);
  std::ranges::replace(inside, '\n', ' ');
  std::string_view rest = inside;
  Words out;
  while (true) {
    const std::string word(next_word(rest));
    if (word.empty()) return out;
    EXPECT_TRUE(out.insert(word).second) << word << " stands twice after " << opening;
  }
}

TEST(bash_completion, agrees_with_the_table) {
  const std::string text = read_source("completions/hark.bash");
  EXPECT_EQ(list_in(text, "_hark_commands='", '\''), command_words());
  for (const cli::CommandInfo& command : cli::commands()) {
    const std::string name = "_hark_" + std::string(command.name) + "_options='";
    EXPECT_EQ(list_in(text, name, '\''), options_of(command.id)) << name;
  }
  EXPECT_EQ(list_in(text, "_hark_valued='", '\''), options_with_value());
  EXPECT_EQ(list_in(text, "_hark_columns='", '\''), column_words());
  EXPECT_EQ(list_in(text, "_hark_sort_keys='", '\''), sort_words());
  EXPECT_EQ(list_in(text, "_hark_fields='", '\''), field_words());
  const auto colors = cli::color_words();
  EXPECT_EQ(list_in(text, "_hark_color_words='", '\''), Words(colors.begin(), colors.end()));
  const auto formats = cli::format_words();
  EXPECT_EQ(list_in(text, "_hark_format_words='", '\''), Words(formats.begin(), formats.end()));
}

/// The lines of a zsh array of _arguments specifications.
Words zsh_options(const std::string& text, const std::string& name) {
  const std::size_t begin = text.find("\n  " + name + "=(\n");
  EXPECT_NE(begin, std::string::npos) << name;
  std::string specs = text.substr(begin, text.find("\n  )\n", begin) - begin);
  // What an option does is prose, and may speak of anything.
  for (std::size_t at = specs.find('['); at != std::string::npos; at = specs.find('[', at)) {
    specs.erase(at, specs.find('\n', at) - at);
  }
  return options_in(specs);
}

TEST(zsh_completion, agrees_with_the_table) {
  const std::string text = read_source("completions/_hark");
  const Words every = zsh_options(text, "every_options");
  EXPECT_EQ(every, options_of(cli::Command::Help));
  for (const auto& [command, name] :
       {std::pair{cli::Command::List, "list_options"}, std::pair{cli::Command::Why, "why_options"},
        std::pair{cli::Command::Doctor, "doctor_options"},
        std::pair{cli::Command::Bind, "bind_options"},
        std::pair{cli::Command::Explain, "explain_options"},
        std::pair{cli::Command::Save, "save_options"},
        std::pair{cli::Command::Diff, "diff_options"},
        std::pair{cli::Command::Check, "check_options"},
        std::pair{cli::Command::Drill, "drill_options"},
        std::pair{cli::Command::Lab, "lab_options"}}) {
    Words both = zsh_options(text, name);
    both.insert(every.begin(), every.end());
    EXPECT_EQ(both, options_of(command)) << name;
  }
  for (const std::string& command : command_words()) {
    EXPECT_NE(text.find("\n    '" + command + ":"), std::string::npos) << command;
  }
  EXPECT_NE(text.find("(list|why|test|doctor|bind|explain|save|diff|check|drill|lab|help)"),
            std::string::npos);
  EXPECT_EQ(list_in(text, "_hark_columns=(", ')'), column_words());
  EXPECT_EQ(list_in(text, "_hark_sort_keys=(", ')'), sort_words());
  EXPECT_EQ(list_in(text, "_hark_fields=(", ')'), field_words());
  const std::string valued = text.substr(text.find("$word == (-r|"));
  EXPECT_EQ(options_in(valued.substr(0, valued.find(')'))), options_with_value());
}

Words fish_options(const std::string& text, const std::string& condition) {
  Words out;
  for (const std::string& line : lines_of(text)) {
    if (!line.starts_with("complete -c hark")) continue;
    // Commands stand in the condition: an option may be called like one.
    const std::string when = line.substr(0, line.find("' -"));
    if ((when + "'").find(condition) == std::string::npos) continue;
    std::string_view rest = line;
    for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
      if (word == "-d") break;
      if (word == "-s") out.insert("-" + std::string(next_word(rest)));
      if (word == "-l") out.insert("--" + std::string(next_word(rest)));
    }
  }
  return out;
}

TEST(fish_completion, agrees_with_the_table) {
  const std::string text = read_source("completions/hark.fish");
  EXPECT_EQ(fish_options(text, ""), options_of_all());
  // "… list why save" is of all of these.
  const auto fish_options_of = [&](const std::string& command) {
    Words out = fish_options(text, " " + command + " ");
    for (const char* last : {"'", " '"}) {
      const Words more = fish_options(text, " " + command + last);
      out.insert(more.begin(), more.end());
    }
    for (const std::string& option : options_of(cli::Command::Help)) out.insert(option);
    return out;
  };
  const Words list = fish_options_of("list");
  const Words why = fish_options_of("why");
  const Words doctor = fish_options_of("doctor");
  const Words bind = fish_options_of("bind");
  const Words save = fish_options_of("save");
  EXPECT_EQ(list, options_of(cli::Command::List));
  EXPECT_EQ(why, options_of(cli::Command::Why));
  EXPECT_EQ(doctor, options_of(cli::Command::Doctor));
  EXPECT_EQ(bind, options_of(cli::Command::Bind));
  EXPECT_EQ(save, options_of(cli::Command::Save));
  EXPECT_EQ(fish_options_of("diff"), options_of(cli::Command::Diff));
  EXPECT_EQ(fish_options_of("drill"), options_of(cli::Command::Drill));
  EXPECT_EQ(fish_options_of("lab"), options_of(cli::Command::Lab));
  EXPECT_EQ(list_in(text, "__hark_commands ", '\n'), command_words());
  EXPECT_EQ(list_in(text, "__hark_columns ", '\n'), column_words());
  EXPECT_EQ(list_in(text, "__hark_sort_keys ", '\n'), sort_words());
  EXPECT_EQ(list_in(text, "__hark_fields ", '\n'), field_words());
  EXPECT_EQ(list_in(text, "contains -- $word ", '\n'), options_with_value());
}

/// The part of the man page from one heading to the next.
std::string section(const std::string& page, const std::string& heading) {
  const std::size_t begin = page.find(heading + "\n");
  EXPECT_NE(begin, std::string::npos) << heading;
  return page.substr(begin, page.find("\n.S", begin + 1) - begin);
}

/// The first word behind ".It Cm" of each item.
Words items(const std::string& text) {
  Words out;
  for (const std::string& line : lines_of(text)) {
    if (!line.starts_with(".It Cm ")) continue;
    std::string_view rest = std::string_view(line).substr(7);
    EXPECT_TRUE(out.emplace(next_word(rest)).second) << line;
  }
  return out;
}

TEST(man_page, agrees_with_the_table) {
  const std::string page = read_source("man/hark.1");
  EXPECT_EQ(items(section(page, ".Sh COMMANDS")), command_words());
  EXPECT_EQ(items(section(page, ".Ss Fields")), field_words());
  EXPECT_EQ(items(section(page, ".Sh COLUMNS")), column_words());
  EXPECT_EQ(items(section(page, ".Ss Sort keys")), sort_words());
}

TEST(man_page, has_every_option_with_its_value) {
  const std::string page = read_source("man/hark.1");
  Words found;
  for (const std::string& line : lines_of(section(page, ".Sh OPTIONS"))) {
    if (!line.starts_with(".It Fl ")) continue;
    for (std::size_t at = line.find("Fl "); at != std::string::npos;
         at = line.find("Fl ", at + 1)) {
      std::string_view rest = std::string_view(line).substr(at + 3);
      found.insert("-" + std::string(next_word(rest)));
    }
  }
  EXPECT_EQ(found, options_of_all());
  for (const cli::OptionInfo& option : cli::options()) {
    const std::string name = "Fl -" + std::string(option.name);
    const std::string value =
        option.value.empty() ? "\n" : " Ar " + std::string(option.value) + "\n";
    EXPECT_NE(page.find(name + value), std::string::npos) << name << value;
  }
}

TEST(man_page, groups_options_by_the_commands_that_take_them) {
  const std::string text = section(read_source("man/hark.1"), ".Sh OPTIONS");
  struct Group {
    const char* heading;
    std::vector<cli::Command> takers;
  };
  using enum cli::Command;
  const std::array<Group, 16> groups = {
      {{"\nOf\n.Cm list :", {List}},
       {"\nOf\n.Cm why :", {Why}},
       {"\nOf\n.Cm doctor :", {Doctor}},
       {"\nOf\n.Cm bind :", {Bind}},
       {"\nOf\n.Cm save :", {Save}},
       {"\nOf\n.Cm diff :", {Diff}},
       {"\nOf\n.Cm check :", {Check}},
       {"\nOf\n.Cm list ,\n.Cm why ,\n.Cm doctor ,\n.Cm bind ,\n.Cm diff ,\n.Cm check\nand\n.Cm "
        "drill :",
        {List, Why, Doctor, Bind, Diff, Check, Drill}},
       {"\nOf\n.Cm test :", {Test}},
       {"\nOf\n.Cm drill :", {Drill}},
       {"\nOf\n.Cm test\nand\n.Cm drill :", {Test, Drill}},
       {"\nOf\n.Cm list ,\n.Cm why ,\n.Cm test ,\n.Cm doctor ,\n.Cm bind ,\n.Cm diff\nand\n.Cm "
        "check :",
        {List, Why, Test, Doctor, Bind, Diff, Check}},
       {"\nOf\n.Cm list ,\n.Cm why ,\n.Cm test ,\n.Cm doctor ,\n.Cm bind ,\n.Cm save ,\n.Cm diff "
        ",\n.Cm "
        "check\nand\n.Cm drill :",
        {List, Why, Test, Doctor, Bind, Save, Diff, Check, Drill}},
       {"\nOf\n.Cm drill\nand\n.Cm lab :", {Drill, Lab}},
       {"\nOf all of these,\n.Cm explain\nand\n.Cm lab :",
        {List, Why, Test, Doctor, Bind, Explain, Save, Diff, Check, Drill, Lab}},
       {"\nOf every command:",
        {List, Why, Test, Doctor, Bind, Explain, Save, Diff, Check, Drill, Lab, Help}}}};
  for (const cli::OptionInfo& option : cli::options()) {
    std::vector<cli::Command> takers;
    for (const cli::CommandInfo& command : cli::commands()) {
      if (cli::takes(command.id, option)) takers.push_back(command.id);
    }
    const auto group = std::ranges::find(groups, takers, &Group::takers);
    ASSERT_NE(group, groups.end()) << option.name;
    const std::size_t begin = text.find(group->heading);
    ASSERT_NE(begin, std::string::npos) << group->heading;
    const std::string part = text.substr(begin, text.find(".El\n", begin) - begin);
    EXPECT_NE(part.find("Fl -" + std::string(option.name)), std::string::npos) << option.name;
  }
}

}  // namespace
}  // namespace hark::test
