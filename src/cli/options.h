// The one table of commands and options. The parser is fed from it, the help texts are made from
// it, and tests hold the man page and the completions against it: an option that is not here does
// not exist, and one that is here is documented everywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "show/list_rows.h"

namespace hark::cli {

enum class Command : std::uint8_t {
  List,
  Why,
  Test,
  Doctor,
  Bind,
  Explain,
  Save,
  Diff,
  Check,
  Drill,
  Lab,
  Help
};

struct Example {
  std::string_view command;
  std::string_view meaning;
};

struct CommandInfo {
  Command id = Command::List;
  std::string_view name;
  std::string_view arguments;  ///< "[FILTER...]"
  std::string_view help;       ///< one line
  std::string_view about;      ///< a paragraph, lines of at most 78 columns
  std::span<const Example> examples;
};
[[nodiscard]] std::span<const CommandInfo> commands();
[[nodiscard]] const CommandInfo& info_of(Command command);
[[nodiscard]] std::optional<Command> command_named(std::string_view name);
[[nodiscard]] std::vector<std::string> command_names();

/// In the order of the table.
enum class OptionId : std::uint8_t {
  Recording,
  Netns,
  Json,
  Color,
  Verbose,
  Help,
  Version,
  All,
  Sort,
  Columns,
  NoHeader,
  Wide,
  Width,
  NoOwners,
  NoReach,
  Search,
  Ascii,
  Redact,
  NoRedact,
  Force,
  From,
  In,
  To,
  Graph,
  OutputFile,
  For,
  ReuseAddr,
  NoReuseAddr,
  ReusePort,
  V6Only,
  Device,
  User,
  Timeout,
  Count,
  Every,
  SourceAddress,
  BoundInterface,
  Verify,
  TargetFile,
  Watch,
  Via,
  Exact,
  Daily,
  Keep,
  Learn,
  Format,
  Seed,
  ListAnswers,
};

/// What completes an option's value.
enum class Completes : std::uint8_t {
  Nothing,
  File,
  Netns,
  Interface,
  ColorWords,
  SortKeys,
  FormatWords,
  ColumnWords,
};

/// Which commands take an option: bits of 1 << Command.
constexpr unsigned bit(Command command) {
  return 1U << static_cast<unsigned>(command);
}

struct OptionInfo {
  OptionId id = OptionId::Recording;
  std::string_view name;      ///< without its dashes
  char letter = '\0';         ///< of the short form; none: 0
  std::string_view spelling;  ///< another way to write the name, accepted and not advertised
  std::string_view value;     ///< "FILE"; empty: the option takes none
  std::string_view help;
  unsigned takers = 0;
  Completes completes = Completes::Nothing;
  bool repeats = false;  ///< each time counts; of others the last
};
[[nodiscard]] std::span<const OptionInfo> options();
[[nodiscard]] const OptionInfo& info_of(OptionId option);
[[nodiscard]] bool takes(Command command, const OptionInfo& option);

/// Is this an option of every command?
[[nodiscard]] bool is_global(const OptionInfo& option);

struct SortWord {
  std::string_view word;
  show::SortKey key = show::SortKey::Port;
};
[[nodiscard]] std::span<const SortWord> sort_words();

[[nodiscard]] std::span<const std::string_view> color_words();
/// Of `hark check --format`.
[[nodiscard]] std::span<const std::string_view> format_words();

/// "PROTO/PORT" and the other forms of a filter word, for the help text.
[[nodiscard]] std::span<const Example> filter_forms();

/// "did you mean X" if one of `candidates` is near `word`, else empty.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string> candidates,
                                       std::string_view before = {});

}  // namespace hark::cli
