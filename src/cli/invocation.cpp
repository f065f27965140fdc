#include "cli/invocation.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"
#include "show/list_view.h"

namespace hark::cli {
namespace {

constexpr std::size_t kWidest = 100'000;
constexpr std::uint32_t kLongestWatch = 86'400;

Error bad_value(OptionId option, std::string_view value, std::string why, std::string hint) {
  return plain_error("--" + std::string(info_of(option).name) + " " + std::string(value),
                     std::move(why), std::move(hint));
}

/// "did you mean X; there are: a, b, c", or only what there is.
std::string offer(std::string_view word, const std::vector<std::string>& all) {
  const std::string near = did_you_mean(word, all);
  return near.empty() ? "there are: " + join(all, ", ") : near;
}

template <typename Rows, typename Member>
std::vector<std::string> words_of(const Rows& rows, Member member) {
  std::vector<std::string> out;
  for (const auto& row : rows) out.emplace_back(row.*member);
  return out;
}

Result<void> set_color(Invocation& into, const std::string& value) {
  const auto words = color_words();
  const auto found = std::ranges::find(words, value);
  if (found == words.end()) {
    return fail(bad_value(OptionId::Color, value, "no such word",
                          offer(value, std::vector<std::string>(words.begin(), words.end()))));
  }
  into.color = static_cast<ColorWhen>(found - words.begin());
  return {};
}

Result<void> set_format(Invocation& into, const std::string& value) {
  const auto words = format_words();
  if (std::ranges::find(words, value) == words.end()) {
    return fail(bad_value(OptionId::Format, value, "no such format",
                          offer(value, std::vector<std::string>(words.begin(), words.end()))));
  }
  into.format = value;
  return {};
}

Result<void> set_sort(Invocation& into, const std::string& value) {
  std::string_view word = value;
  bool descending = false;
  if (word.starts_with('-')) {
    descending = true;
    word.remove_prefix(1);
  } else if (word.ends_with(":desc")) {
    descending = true;
    word.remove_suffix(5);
  } else if (word.ends_with(":asc")) {
    word.remove_suffix(4);
  }
  const auto rows = sort_words();
  const auto found = std::ranges::find(rows, word, &SortWord::word);
  if (found == rows.end()) {
    return fail(bad_value(OptionId::Sort, value, "no such sort key",
                          offer(word, words_of(rows, &SortWord::word))));
  }
  into.order = {.key = found->key, .descending = descending};
  return {};
}

Result<void> set_columns(Invocation& into, const std::string& value) {
  const std::vector<std::string> known = words_of(show::list_columns(), &show::ListColumn::word);
  into.columns.clear();
  for (const std::string_view piece : split(value, ',')) {
    const std::string word(piece);
    if (std::ranges::find(known, word) == known.end()) {
      return fail(bad_value(OptionId::Columns, value,
                            word.empty() ? "a column's name is missing" : "no column " + word,
                            offer(word, known)));
    }
    // The same column twice is shown once, at its first place.
    if (std::ranges::find(into.columns, word) == into.columns.end()) into.columns.push_back(word);
  }
  return {};
}

Result<void> set_width(Invocation& into, const std::string& value) {
  const auto width = parse_number<std::size_t>(value);
  if (!width || *width == 0 || *width > kWidest) {
    return fail(bad_value(OptionId::Width, value, "no number of columns", "from 1 to 100000"));
  }
  into.width = *width;
  return {};
}

Result<void> set_watch(Invocation& into, const std::string& value) {
  const auto seconds = parse_number<std::uint32_t>(value);
  if (!seconds || *seconds == 0 || *seconds > kLongestWatch) {
    return fail(bad_value(OptionId::For, value, "no number of seconds", "from 1 to 86400"));
  }
  into.watch_seconds = *seconds;
  return {};
}

/// Seconds, perhaps with a fraction, as milliseconds.
template <auto kMember, OptionId kOption>
Result<void> set_seconds(Invocation& into, const std::string& value) {
  constexpr std::uint64_t kSecond = 1000;
  const std::size_t point = value.find('.');
  std::string fraction = point == std::string::npos ? "" : value.substr(point + 1);
  fraction.resize(3, '0');
  const auto whole = parse_number<std::uint32_t>(std::string_view(value).substr(0, point));
  const auto parts = parse_number<std::uint32_t>(fraction);
  const std::uint64_t total = whole && parts ? *whole * kSecond + *parts : 0;
  if (total == 0 || total > kLongestWatch * kSecond || value.ends_with('.')) {
    return fail(bad_value(kOption, value, "no number of seconds", "from 0.001 to 86400"));
  }
  into.*kMember = static_cast<std::uint32_t>(total);
  return {};
}

Result<void> set_count(Invocation& into, const std::string& value) {
  const auto count = parse_number<std::uint32_t>(value);
  if (!count || *count == 0 || *count > kLongestWatch) {
    return fail(bad_value(OptionId::Count, value, "no number of times", "from 1 to 86400"));
  }
  into.count = *count;
  return {};
}

Result<void> set_keep(Invocation& into, const std::string& value) {
  constexpr std::uint32_t kMostDays = 36'500;
  const auto days = parse_number<std::uint32_t>(value);
  if (!days || *days == 0 || *days > kMostDays) {
    return fail(bad_value(OptionId::Keep, value, "no number of days", "from 1 to 36500"));
  }
  into.keep_days = *days;
  return {};
}

Result<void> set_seed(Invocation& into, const std::string& value) {
  into.seed = parse_number<std::uint64_t>(value);
  if (into.seed) return {};
  return fail(bad_value(OptionId::Seed, value, "no such number", "from 0 to 2^64 - 1"));
}

Result<void> set_via(Invocation& into, const std::string& value) {
  into.via.push_back(value);
  return {};
}

Result<void> set_target_file(Invocation& into, const std::string& value) {
  if (value.empty()) return fail(plain_error("--file", "the file's name is empty"));
  into.target_file = value;
  return {};
}

Result<void> set_netns(Invocation& into, const std::string& value) {
  if (value.empty()) {
    return fail(plain_error("--netns", "the name is empty", "all, self, host, NAME, PID or PATH"));
  }
  into.netns = value;
  return {};
}

Result<void> set_recording(Invocation& into, const std::string& value) {
  if (value.empty()) return fail(plain_error("--recording", "the file's name is empty"));
  into.recording = value;
  return {};
}

Result<void> set_search(Invocation& into, const std::string& value) {
  const auto search = kernel::search_named(value);
  if (!search) {
    return fail(
        plain_error("--search " + value, "no such way to search", "survey, tasks, files or proc"));
  }
  into.search = *search;
  return {};
}

template <auto kMember, OptionId kOption>
Result<void> set_text(Invocation& into, const std::string& value) {
  if (value.empty()) {
    const OptionInfo& info = info_of(kOption);
    return fail(
        plain_error("--" + std::string(info.name), "needs a value: " + std::string(info.value)));
  }
  into.*kMember = value;
  return {};
}

template <auto kMember, bool kValue>
Result<void> set_flag(Invocation& into, const std::string&) {
  into.*kMember = kValue;
  return {};
}

using Setter = Result<void> (*)(Invocation&, const std::string&);

/// By OptionId.
constexpr std::array<Setter, 48> kSetters = {
    set_recording,
    set_netns,
    set_flag<&Invocation::json, true>,
    set_color,
    set_flag<&Invocation::verbose, true>,
    set_flag<&Invocation::help, true>,
    set_flag<&Invocation::version, true>,
    set_flag<&Invocation::unfolded, true>,
    set_sort,
    set_columns,
    set_flag<&Invocation::heading, false>,
    set_flag<&Invocation::wide, true>,
    set_width,
    set_flag<&Invocation::owners, false>,
    set_flag<&Invocation::reach, false>,
    set_search,
    set_flag<&Invocation::ascii, true>,
    set_flag<&Invocation::redact, true>,
    set_flag<&Invocation::redact, false>,
    set_flag<&Invocation::force, true>,
    set_text<&Invocation::from, OptionId::From>,
    set_text<&Invocation::interface, OptionId::In>,
    set_text<&Invocation::to, OptionId::To>,
    set_flag<&Invocation::graph, true>,
    set_text<&Invocation::output, OptionId::OutputFile>,
    set_watch,
    set_flag<&Invocation::reuseaddr, true>,
    set_flag<&Invocation::reuseaddr, false>,
    set_flag<&Invocation::reuseport, true>,
    set_flag<&Invocation::v6only, true>,
    set_text<&Invocation::device, OptionId::Device>,
    set_text<&Invocation::user, OptionId::User>,
    set_seconds<&Invocation::timeout_ms, OptionId::Timeout>,
    set_count,
    set_seconds<&Invocation::every_ms, OptionId::Every>,
    set_text<&Invocation::source, OptionId::SourceAddress>,
    set_text<&Invocation::bound_interface, OptionId::BoundInterface>,
    set_flag<&Invocation::verify, true>,
    set_target_file,
    set_flag<&Invocation::watch, true>,
    set_via,
    set_flag<&Invocation::exact, true>,
    set_flag<&Invocation::daily, true>,
    set_keep,
    set_flag<&Invocation::learn, true>,
    set_format,
    set_seed,
    set_flag<&Invocation::list_answers, true>,
};
static_assert(kSetters.size() == static_cast<std::size_t>(OptionId::ListAnswers) + 1);

bool given(const Arguments& arguments, OptionId id) {
  return std::ranges::find(arguments.options, id, &GivenOption::id) != arguments.options.end();
}

Result<void> exclude(const Arguments& arguments, OptionId a, OptionId b) {
  if (!given(arguments, a) || !given(arguments, b)) return {};
  return fail(plain_error("--" + std::string(info_of(b).name),
                          "cannot go with --" + std::string(info_of(a).name)));
}

Error not_taken(const OptionInfo& option, Command command) {
  std::vector<std::string> takers;
  for (const CommandInfo& info : commands()) {
    if (takes(info.id, option)) takers.push_back("hark " + std::string(info.name));
  }
  return plain_error("--" + std::string(option.name),
                     "hark " + std::string(info_of(command).name) + " does not take it",
                     "it is an option of " + join(takers, " and "));
}

Result<void> find_command(const Arguments& arguments, Invocation& into) {
  into.words = arguments.words;
  if (arguments.unmarked == 0) return {};
  const std::string& first = arguments.words.front();
  const std::optional<Command> command = command_named(first);
  if (!command) return {};
  into.command = *command;
  into.implied = false;
  const bool in_one =
      *command == Command::Why || *command == Command::Bind || *command == Command::Check;
  const bool here = *command == Command::Test || *command == Command::Drill;
  if (in_one || here) into.netns = "self";
  into.words.erase(into.words.begin());
  return {};
}

Result<void> check_why(const Invocation& asked) {
  if (asked.words.empty()) {
    return fail(plain_error("why", "needs a TARGET", "for example: hark why 5432 --from 10.0.0.9"));
  }
  if (asked.words.size() > 1) {
    return fail(plain_error(asked.words[1], "why takes one TARGET",
                            "for example: hark why " + asked.words[0] + " --from 10.0.0.9"));
  }
  if (asked.output.empty()) return {};
  if (!asked.graph) {
    return fail(plain_error("--output " + asked.output, "there is nothing to draw",
                            "it goes with --graph"));
  }
  if (asked.output.ends_with(".svg") || asked.output.ends_with(".dot")) return {};
  return fail(plain_error("--output " + asked.output, "unknown kind of picture",
                          "the file's name ends in .svg or .dot"));
}

Result<void> check_doctor(const Invocation& asked) {
  if (asked.words.size() > 1) {
    return fail(plain_error(asked.words[1], "doctor takes one TARGET, or none",
                            "for example: hark doctor " + asked.words[0]));
  }
  if (asked.watch_seconds > 0 && asked.recording) {
    return fail(plain_error("--for", "a recording cannot be watched", "it holds one look"));
  }
  return {};
}

Result<void> check_test(const Invocation& asked) {
  if (asked.words.empty() && !asked.target_file) {
    return fail(plain_error("test", "needs a TARGET", "for example: hark test 8080"));
  }
  if (asked.netns == "all") {
    return fail(plain_error("--netns all", "a connection is made in one namespace",
                            "self, host, NAME, PID or PATH"));
  }
  if (!asked.via.empty() &&
      (asked.watch || asked.count || !asked.source.empty() || !asked.bound_interface.empty())) {
    return fail(plain_error("--via", "one look from each place, as that place sends",
                            "not with --watch, --count, --source or --interface"));
  }
  if (asked.watch && asked.json && !asked.count) {
    return fail(plain_error("--watch", "one JSON object has an end", "say how often: --count N"));
  }
  return {};
}

Result<void> check_bind(const Invocation& asked) {
  if (asked.words.empty()) {
    return fail(plain_error("bind", "needs an ADDRESS:PORT", "for example: hark bind 8080"));
  }
  if (asked.words.size() > 1) {
    return fail(plain_error(asked.words[1], "bind takes one ADDRESS:PORT",
                            "for example: hark bind " + asked.words[0]));
  }
  if (asked.netns == "all") {
    return fail(plain_error("--netns all", "a socket is bound in one namespace",
                            "self, host, NAME, PID or PATH"));
  }
  return {};
}

Result<void> check_drill(const Invocation& asked) {
  constexpr std::uint32_t kMost = 50;
  if (!asked.words.empty()) {
    return fail(plain_error(asked.words.front(), "drill takes no word",
                            "it picks the listeners: hark drill"));
  }
  if (asked.count.value_or(1) <= kMost) return {};
  return fail(plain_error("--count " + std::to_string(*asked.count),
                          "too many questions for five minutes", "from 1 to 50"));
}

Result<void> check_save(const Invocation& asked) {
  if (asked.daily) {
    if (asked.words.empty()) return {};
    return fail(plain_error(asked.words[0], "save --daily takes no FILE",
                            "it writes the day's own recording: see hark save --help"));
  }
  if (asked.words.empty()) {
    return fail(plain_error("save", "needs a FILE", "for example: hark save host.hark"));
  }
  if (asked.words.size() > 1) {
    return fail(plain_error(asked.words[1], "save takes one FILE and no filter",
                            "a recording always holds everything: filter when you ask it"));
  }
  if (asked.words[0].empty()) return fail(plain_error("save", "the file's name is empty"));
  if (asked.words[0] == "-" && asked.json) {
    return fail(plain_error("--json", "standard output takes the recording already",
                            "give save the name of a file"));
  }
  return {};
}

Result<void> check_diff(const Invocation& asked) {
  if (asked.words.empty()) {
    return fail(plain_error("diff", "needs an OLD recording", "for example: hark diff yesterday"));
  }
  if (asked.words.size() > 2) {
    return fail(plain_error(asked.words[2], "diff takes OLD and NEW, no more",
                            "for example: hark diff yesterday last"));
  }
  if (asked.words.size() == 2 && asked.recording) {
    return fail(plain_error("--recording", "NEW is given twice", "leave one of the two out"));
  }
  return {};
}

Result<void> check_check(const Invocation& asked) {
  if (asked.learn) {
    if (asked.words.empty()) return {};
    return fail(plain_error(asked.words[0], "--learn writes a policy and reads none",
                            "hark check --learn > " + asked.words[0]));
  }
  if (asked.words.empty()) {
    return fail(plain_error("check", "needs a POLICY",
                            "hark check --learn > policy.toml writes one of what is there now"));
  }
  if (asked.words.size() > 1) return fail(plain_error(asked.words[1], "check takes one POLICY"));
  if (asked.words[0].empty()) return fail(plain_error("check", "the file's name is empty"));
  if (asked.words[0] == "-" && asked.recording && *asked.recording == "-") {
    return fail(plain_error("check -", "standard input is the recording already",
                            "give check the name of a file"));
  }
  return {};
}

Result<void> check_lab(const Invocation& asked) {
  if (asked.words.size() < 2 || asked.words.front() == "answer") return {};
  return fail(plain_error(asked.words[1], "hark lab takes one NAME", "hark lab lists them"));
}

Result<void> check_help(const Invocation& asked) {
  if (asked.words.empty()) return {};
  if (asked.words.size() > 1) return fail(plain_error(asked.words[1], "help takes one COMMAND"));
  const std::string& word = asked.words[0];
  if (command_named(word)) return {};
  const std::string near = did_you_mean(word, command_names(), "hark help ");
  return fail(plain_error(word, "no such command", near.empty() ? "see hark --help" : near));
}

Result<void> check_words(const Invocation& asked) {
  switch (asked.command) {
    case Command::List:
    case Command::Explain:
      return {};
    case Command::Why:
      return check_why(asked);
    case Command::Test:
      return check_test(asked);
    case Command::Doctor:
      return check_doctor(asked);
    case Command::Bind:
      return check_bind(asked);
    case Command::Save:
      return check_save(asked);
    case Command::Diff:
      return check_diff(asked);
    case Command::Check:
      return check_check(asked);
    case Command::Drill:
      return check_drill(asked);
    case Command::Lab:
      return check_lab(asked);
    case Command::Help:
      return check_help(asked);
  }
  return {};
}

}  // namespace

Result<Invocation> interpret(const Arguments& arguments) {
  Invocation out;
  if (const Result<void> found = find_command(arguments, out); !found) return fail(found.error());
  out.help = given(arguments, OptionId::Help);
  out.version = given(arguments, OptionId::Version);
  if (out.help || out.version) return out;
  for (const GivenOption& option : arguments.options) {
    const OptionInfo& info = info_of(option.id);
    if (!takes(out.command, info)) return fail(not_taken(info, out.command));
    const Setter set = kSetters[static_cast<std::size_t>(option.id)];
    if (const Result<void> done = set(out, option.value); !done) return fail(done.error());
  }
  constexpr std::array kExclusive = {std::pair{OptionId::Redact, OptionId::NoRedact},
                                     std::pair{OptionId::ReuseAddr, OptionId::NoReuseAddr},
                                     std::pair{OptionId::Wide, OptionId::Width},
                                     std::pair{OptionId::Json, OptionId::Graph},
                                     std::pair{OptionId::Json, OptionId::Format},
                                     std::pair{OptionId::Json, OptionId::Learn},
                                     std::pair{OptionId::Format, OptionId::Learn}};
  for (const auto& [a, b] : kExclusive) {
    if (const Result<void> fine = exclude(arguments, a, b); !fine) return fail(fine.error());
  }
  if (given(arguments, OptionId::Keep) && !out.daily) {
    return fail(plain_error("--keep", "it goes with --daily", "hark save --daily --keep 30"));
  }
  if (const Result<void> fine = check_words(out); !fine) return fail(fine.error());
  return out;
}

}  // namespace hark::cli
