// The only file that sees CLI11: it costs three seconds to compile, and it throws. Its exceptions
// end here.
//
// CLI11 is given the options and no positional at all. Whatever it does not know it then hands
// back in order, "--" included, so that unknown options are judged here (with the nearest known
// one) and words after "--" stay words.
#include "cli/parse.h"

#include <CLI/CLI.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace hark::cli {
namespace {

std::string dashed(const OptionInfo& option) {
  return "--" + std::string(option.name);
}

std::string cli11_names(const OptionInfo& option) {
  std::string out = dashed(option);
  if (option.letter != '\0') out = std::string{'-', option.letter, ','} + out;
  if (!option.spelling.empty()) out += ",--" + std::string(option.spelling);
  return out;
}

Error unknown_option(const std::string& written) {
  std::vector<std::string> names;
  for (const OptionInfo& option : options()) names.push_back(dashed(option));
  // Compare "--jsn=x" by its name only; a single dash may be a slip for two.
  std::string name = written.substr(0, written.find('='));
  if (name.size() > 2 && name[1] != '-') name.insert(0, 1, '-');
  const std::string hint = name.size() > 3 ? did_you_mean(name, names) : std::string{};
  return plain_error(written, "unknown option", hint.empty() ? "see hark --help" : hint);
}

/// Does `argument` end in this option's name, with nothing behind it?
bool ends_in(const OptionInfo& option, std::string_view argument) {
  if (argument.starts_with("--")) {
    const std::string_view name = argument.substr(2);
    return !name.empty() && (name == option.name || name == option.spelling);
  }
  return argument.size() >= 2 && argument[0] == '-' && option.letter != '\0' &&
         argument.back() == option.letter;
}

/// "--netns=" with nothing behind it, as a script with an empty variable writes it. CLI11 would
/// take the next word for the value.
std::optional<Error> find_empty_value(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") break;
    if (!argument.ends_with('=')) continue;
    for (const OptionInfo& option : options()) {
      const std::string_view name = std::string_view(argument).substr(0, argument.size() - 1);
      if (!option.value.empty() && name.starts_with("--") && ends_in(option, name)) {
        return plain_error(argument, "needs a value: " + std::string(option.value));
      }
    }
  }
  return std::nullopt;
}

/// What CLI11 calls an argument mismatch is one of two: a value that is missing, which can only be
/// at the end (anywhere else the next word is taken for it), or a value where none belongs.
Error misfit(const std::vector<std::string>& arguments) {
  const std::string& last = arguments.back();
  for (const OptionInfo& option : options()) {
    if (!option.value.empty() && ends_in(option, last)) {
      return plain_error(last, "needs a value: " + std::string(option.value));
    }
  }
  for (const std::string& argument : arguments) {
    const std::string name = argument.substr(0, argument.find('='));
    for (const OptionInfo& option : options()) {
      if (name != argument && option.value.empty() && name == dashed(option)) {
        return plain_error(name, "takes no value");
      }
    }
  }
  return plain_error(last, "does not fit here", "see hark --help");
}

/// Parts what CLI11 did not know into words and unknown options.
Result<void> take_words(const std::vector<std::string>& rest, Arguments& into) {
  bool marked = false;
  for (const std::string& word : rest) {
    if (!marked && word == "--") {
      marked = true;
    } else if (!marked && word.size() > 1 && word[0] == '-') {
      return fail(unknown_option(word));
    } else {
      into.words.push_back(word);
      if (!marked) ++into.unmarked;
    }
  }
  return {};
}

}  // namespace

Result<Arguments> parse_arguments(std::span<const std::string> arguments) {
  Arguments out;
  // The usual question needs no parser, and start-up is part of every answer.
  if (arguments.empty()) return out;
  std::vector<std::string> given(arguments.begin(), arguments.end());
  // An answer in words may name options of other programs: lab answer because ss -ltn shows it.
  if (given.size() > 2 && given[0] == "lab" && given[1] == "answer") {
    given.insert(given.begin() + 2, "--");
  }
  if (const auto empty = find_empty_value(given)) return fail(*empty);
  try {
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    std::vector<CLI::Option*> made;
    made.reserve(options().size());
    for (const OptionInfo& option : options()) {
      if (option.value.empty()) {
        made.push_back(app.add_flag(cli11_names(option))->disable_flag_override());
      } else {
        made.push_back(app.add_option(cli11_names(option))
                           ->expected(1)
                           ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast));
      }
    }
    app.parse(std::vector<std::string>(given.rbegin(), given.rend()));
    for (std::size_t i = 0; i < made.size(); ++i) {
      if (made[i]->count() == 0) continue;
      const OptionInfo& option = options()[i];
      if (option.value.empty()) {
        out.options.push_back({.id = option.id, .value = {}});
        continue;
      }
      // Of most options the last counts; those that may be repeated come one by one.
      const std::vector<std::string>& values = made[i]->results();
      const std::size_t first = option.repeats ? 0 : values.size() - 1;
      for (std::size_t j = first; j < values.size(); ++j) {
        out.options.push_back({.id = option.id, .value = values[j]});
      }
    }
    if (const Result<void> taken = take_words(app.remaining(), out); !taken) {
      return fail(taken.error());
    }
  } catch (const CLI::ArgumentMismatch&) {
    return fail(misfit(given));
  } catch (const CLI::Error& error) {
    return fail(plain_error("command line", error.what(), "see hark --help"));
  }
  return out;
}

}  // namespace hark::cli
