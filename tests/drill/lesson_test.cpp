// docs/lesson.md is true: each of its commands is run on the host that it speaks of, and what it
// names exists. Above each box of commands stands what is to come of them:
//
//   <!-- run host|client STATUS [needs=TOOL]: WORDS | WORDS … -->
//
// Each line of the box ends with that status (* is any), and what they print has all the words.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "drill/drill_question.h"
#include "place.h"

namespace hark::drilltest {
namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

struct Box {
  std::size_t line = 0;
  bool has_note = false;
  bool client = false;
  std::string status;
  std::string needs;
  Words says;
  Words commands;
};

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? ""
                                    : text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

Words parts(const std::string& text, char separator) {
  std::istringstream in(text);
  Words out;
  for (std::string part; std::getline(in, part, separator);) out.push_back(trimmed(part));
  return out;
}

Words lines() {
  std::ifstream file(std::string(HARK_SOURCE_DIR) + "/docs/lesson.md");
  Words out;
  for (std::string line; std::getline(file, line);) out.push_back(line);
  EXPECT_GT(out.size(), 100U);
  return out;
}

void read_note(const std::string& note, Box& box) {
  box.has_note = true;
  const std::size_t colon = note.find(": ");
  std::istringstream head(note.substr(0, colon));
  std::string word;
  head >> word >> word >> word;  // <!-- run WHERE
  box.client = word == "client";
  EXPECT_TRUE(box.client || word == "host") << note;
  head >> box.status;
  if (head >> word) box.needs = word.substr(word.find('=') + 1);
  box.says = parts(note.substr(colon + 2, note.rfind(" -->") - colon - 2), '|');
}

std::vector<Box> boxes() {
  std::vector<Box> out;
  Box next;
  bool inside = false;
  std::size_t number = 0;
  for (const std::string& line : lines()) {
    ++number;
    if (line.starts_with("<!-- run ")) read_note(line, next);
    if (line.starts_with("```")) {
      if (inside) out.push_back(std::exchange(next, {}));
      inside = !inside;
      next.line = number;
    } else if (inside) {
      next.commands.push_back(line);
    }
  }
  EXPECT_GT(out.size(), 25U);
  return out;
}

bool is_installed(pid_t place, const std::string& tool) {
  return tool.empty() || run_in(place, {"sh", "-c", "command -v " + tool}).status == 0;
}

TEST(Lesson, every_command_does_what_it_says) {
  ASSERT_EQ(::geteuid(), 0U) << "this test makes network namespaces: run it as root";
  const Place place;
  const std::string program = HARK_PROGRAM;
  const std::string path = "PATH=" + program.substr(0, program.rfind('/')) + ":" +
                           std::getenv("PATH") + ":/usr/sbin:/sbin";
  std::set<std::string> missing;
  for (const Box& box : boxes()) {
    ASSERT_TRUE(box.has_note) << "line " << box.line << ": nothing says what comes of it";
    const pid_t where = box.client ? place.client() : place.host();
    if (!is_installed(where, box.needs)) {
      missing.insert(box.needs);
      continue;
    }
    std::string said;
    for (const std::string& command : box.commands) {
      const Ran ran = run_in(where, {"sh", "-c", command},
                             {path, "XDG_STATE_HOME=/nonexistent", "LC_ALL=C.UTF-8"});
      if (box.status != "*") {
        EXPECT_EQ(std::to_string(ran.status), box.status) << command << "\n" << ran.out;
      }
      said += ran.out;
    }
    for (const std::string& words : box.says) {
      EXPECT_NE(said.find(words), std::string::npos)
          << "line " << box.line << ": \"" << words << "\" is not in\n"
          << said;
    }
  }
  for (const std::string& tool : missing) {
    std::cerr << "docs/lesson.md: not run, for want of " << tool << "\n";
  }
  // CI installs them.
  if (!missing.empty()) GTEST_SKIP() << *missing.begin() << " is not installed";
}

/// What stands between backticks outside of boxes.
Words code_words() {
  Words out;
  bool inside = false;
  for (const std::string& line : lines()) {
    if (line.starts_with("```")) inside = !inside;
    if (inside || line.starts_with("```")) continue;
    const Words pieces = parts(line, '`');
    for (std::size_t i = 1; i < pieces.size(); i += 2) out.push_back(pieces[i]);
  }
  return out;
}

/// Names of the lab's rooms; nothing: this hark has no lab yet.
std::set<std::string> rooms() {
  const Ran ran = run_in(::getpid(), {HARK_PROGRAM, "lab", "--json"});
  std::set<std::string> out;
  const Json all = Json::parse(ran.out, nullptr, false);
  if (all.is_discarded()) return out;
  for (const Json& one : all["scenarios"]) out.insert(one["name"]);
  return out;
}

struct Row {
  std::string part;
  std::array<Words, 3> cells;  ///< commands, drill, lab
};
std::vector<Row> table() {
  std::vector<Row> out;
  bool here = false;
  for (const std::string& line : lines()) {
    if (line.starts_with("## ")) here = line == "## What teaches what";
    if (!here || !line.starts_with("| ") || line.starts_with("| part") ||
        line.starts_with("| ---")) {
      continue;
    }
    const Words cells = parts(line, '|');
    EXPECT_EQ(cells.size(), 5U) << line;
    Row row{.part = cells[1], .cells = {}};
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const Words pieces = parts(cells[i + 2], '`');
      for (std::size_t j = 1; j < pieces.size(); j += 2) row.cells[i].push_back(pieces[j]);
      EXPECT_FALSE(row.cells[i].empty()) << line;
    }
    out.push_back(std::move(row));
  }
  return out;
}

TEST(Lesson, every_part_has_a_command_a_question_and_a_room) {
  std::set<std::string> parts_met;
  std::set<std::string> kinds_met;
  std::set<std::string> rooms_met;
  for (const Row& row : table()) {
    parts_met.insert(row.part);
    for (const std::string& command : row.cells[0]) {
      const Ran ran = run_in(::getpid(), {HARK_PROGRAM, "help", command.substr(5)});
      EXPECT_EQ(ran.status, 0) << command;
    }
    for (const std::string& kind : row.cells[1]) {
      EXPECT_TRUE(drill::kind_named(kind)) << kind;
      kinds_met.insert(kind);
    }
    rooms_met.insert(row.cells[2].begin(), row.cells[2].end());
  }
  for (const drill::KindInfo& kind : drill::kinds()) {
    EXPECT_TRUE(kinds_met.contains(std::string(kind.name))) << kind.name << " is taught nowhere";
  }
  for (const std::string& line : lines()) {
    if (!line.starts_with("## ") || line == "## What teaches what") continue;
    EXPECT_TRUE(parts_met.contains(line.substr(3))) << line << " is not in the table";
  }
  const std::set<std::string> known = rooms();
  if (known.empty()) GTEST_SKIP() << "this hark has no lab: names of rooms were not compared";
  for (const std::string& room : rooms_met) EXPECT_TRUE(known.contains(room)) << room;
}

TEST(Lesson, what_it_names_in_passing_is_run_or_exists) {
  std::set<std::string> run;
  for (const Box& box : boxes()) run.insert(box.commands.begin(), box.commands.end());
  const std::set<std::string> known = rooms();
  const std::set<std::string> tools = {"hark", "ss",   "ip",     "nft",
                                       "nc",   "curl", "telnet", "netstat"};
  for (const std::string& code : code_words()) {
    const std::string tool = code.substr(0, code.find(' '));
    if (!tools.contains(tool) || tool == code || run.contains(code)) continue;
    const std::string rest = code.substr(tool.size() + 1);
    if (code.starts_with("hark lab ")) {
      EXPECT_TRUE(known.empty() || known.contains(code.substr(9))) << code;
    } else if (tool == "hark" && rest != "lab") {
      const Ran ran = run_in(::getpid(), {HARK_PROGRAM, "help", rest.substr(0, rest.find(' '))});
      EXPECT_EQ(ran.status, 0) << code;
    } else if (tool == "ip") {
      EXPECT_EQ(rest.find(' '), std::string::npos) << code << " is not run by a box";
    }
  }
}

}  // namespace
}  // namespace hark::drilltest
