// What a command line asks for, all of it checked and in the words of the program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "cli/parse.h"
#include "kernel/search.h"
#include "show/list_rows.h"

namespace hark::cli {

enum class ColorWhen : std::uint8_t { Auto, Always, Never };

struct Invocation {
  Command command = Command::List;
  bool implied = true;             ///< `list` is meant because no command was named
  std::vector<std::string> words;  ///< filter words, TARGET, FILE, OLD and NEW, the COMMAND of help

  bool help = false;
  bool version = false;
  bool verbose = false;
  bool json = false;
  ColorWhen color = ColorWhen::Auto;
  std::optional<std::string> recording;
  std::string netns = "all";  ///< of why and bind: "self" unless it is said

  bool unfolded = false;
  bool heading = true;
  bool wide = false;
  bool ascii = false;
  bool owners = true;
  bool reach = true;
  kernel::Search search = kernel::Search::Survey;  ///< the first way that is tried
  std::optional<std::size_t> width;
  show::SortOrder order;
  std::vector<std::string> columns;

  bool exact = false;  ///< of diff

  bool daily = false;  ///< of save
  std::uint32_t keep_days = 30;
  bool redact = true;
  bool force = false;

  std::string from;       ///< as written; empty: not said
  std::string interface;  ///< of --in
  std::string to;
  bool graph = false;
  std::uint32_t watch_seconds = 0;  ///< of --for; 0: for a moment

  std::optional<bool> reuseaddr;  ///< of bind; empty: as the protocol has it
  bool reuseport = false;
  bool v6only = false;
  std::string device;
  std::string user;  ///< empty: who runs hark

  std::uint32_t timeout_ms = 5000;     ///< of test: for each attempt
  std::optional<std::uint32_t> count;  ///< empty: once, or with `watch` without end
  std::uint32_t every_ms = 1000;
  std::string source;           ///< of --source, as written; empty: not said
  std::string bound_interface;  ///< of --interface
  bool verify = false;
  std::vector<std::string> via;  ///< places, as written
  bool watch = false;
  std::optional<std::string> target_file;

  bool learn = false;
  std::string format;  ///< of check: "junit" or "sarif"; empty: text

  std::optional<std::uint64_t> seed;  ///< of drill; empty: another each day
  bool list_answers = false;          ///< of --list

  std::string output;  ///< of --graph: FILE.svg or FILE.dot; empty: the terminal
};

/// Finds the command among the words and applies the options. Errors are errors of usage: an
/// option that the command does not take, a value that does not exist (with the nearest that does),
/// too few or too many words. With --help or --version nothing else is looked at.
[[nodiscard]] Result<Invocation> interpret(const Arguments& arguments);

}  // namespace hark::cli
