#include "cli/help.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "host/select.h"
#include "show/list_view.h"
#include "show/table.h"

namespace hark::cli {
namespace {

constexpr std::size_t kLineWidth = 80;

struct Entry {
  std::string left;
  std::string right;
};

/// A heading and two columns below it.
std::string section(std::string_view heading, const std::vector<Entry>& entries) {
  std::size_t left = 0;
  for (const Entry& entry : entries) left = std::max(left, entry.left.size());
  std::string out = std::string(heading) + "\n";
  const std::size_t indent = 2 + left + 2;
  for (const Entry& entry : entries) {
    std::string line = "  " + entry.left;
    for (const std::string& piece : show::wrapped(entry.right, kLineWidth - indent)) {
      line.resize(indent, ' ');
      out += line + piece + "\n";
      line.clear();
    }
  }
  return out;
}

std::string words_section(std::string_view heading, const std::string& words) {
  std::string out = std::string(heading) + "\n";
  for (const std::string& line : show::wrapped(words, kLineWidth - 2)) out += "  " + line + "\n";
  return out;
}

Entry option_entry(const OptionInfo& option) {
  std::string left(4, ' ');
  if (option.letter != '\0') {
    left[0] = '-';
    left[1] = option.letter;
    left[2] = ',';
  }
  left.append("--").append(option.name);
  if (!option.value.empty()) left.append(" ").append(option.value);
  return {.left = std::move(left), .right = std::string(option.help)};
}

std::vector<Entry> option_entries(Command command, bool global) {
  std::vector<Entry> out;
  for (const OptionInfo& option : options()) {
    if (takes(command, option) && is_global(option) == global) out.push_back(option_entry(option));
  }
  return out;
}

std::vector<Entry> example_entries(std::span<const Example> examples) {
  std::vector<Entry> out;
  for (const Example& example : examples) {
    out.push_back({.left = std::string(example.command), .right = std::string(example.meaning)});
  }
  return out;
}

std::string list_words() {
  std::vector<Entry> fields;
  for (const host::FieldWord& field : host::field_words()) {
    fields.push_back({.left = std::string(field.word) + ":", .right = field.help});
  }
  std::vector<Entry> columns;
  for (const show::ListColumn& column : show::list_columns()) {
    columns.push_back({.left = column.word, .right = column.help});
  }
  std::vector<std::string> keys;
  for (const SortWord& word : sort_words()) keys.emplace_back(word.word);
  return section("filters: terms of one kind are alternatives, different kinds must all hold",
                 example_entries(filter_forms())) +
         "\n" + section("filter fields", fields) + "\n" + section("columns", columns) + "\n" +
         words_section("sort keys", join(keys, " ")) + "\n";
}

/// Those of every question, in a few lines: the page has to fit a screen.
std::string global_options() {
  std::vector<std::string> out;
  for (const OptionInfo& option : options()) {
    if (!takes(Command::List, option) || !is_global(option)) continue;
    std::string one = option.letter == '\0' ? "" : std::string{'-', option.letter, '|'};
    one.append("--").append(option.name);
    if (!option.value.empty()) one.append(" ").append(option.value);
    out.push_back(std::move(one));
  }
  return join(out, ", ");
}

}  // namespace

std::string general_help() {
  std::vector<Entry> entries;
  for (const CommandInfo& command : commands()) {
    entries.push_back({.left = std::string(command.name) + " " + std::string(command.arguments),
                       .right = std::string(command.help)});
  }
  return "usage: hark [COMMAND] [OPTION...] [WORD...]\n\n" + section("commands", entries) + "\n" +
         words_section("options (hark help COMMAND explains them, and has more)",
                       global_options()) +
         "\n" + section("examples", {{"hark 8080", "who has port 8080"}}) +
         "More: hark COMMAND --help, man hark\n";
}

std::string command_help(Command command) {
  const CommandInfo& info = info_of(command);
  std::string out = "usage: hark " + std::string(info.name) + " [OPTION...]" +
                    (info.arguments.empty() ? "" : " ") + std::string(info.arguments) + "\n\n" +
                    std::string(info.about) + "\n\n";
  const std::vector<Entry> own = option_entries(command, false);
  if (!own.empty()) out += section("options", own) + "\n";
  out += section("general options", option_entries(command, true)) + "\n";
  if (command == Command::List) out += list_words();
  return out + section("examples", example_entries(info.examples));
}

std::string version_text() {
  return "hark " HARK_VERSION "\n";
}

}  // namespace hark::cli
