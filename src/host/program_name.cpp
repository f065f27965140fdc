// Each runtime is a row: what its options mean, as far as it takes to find the word that names the
// program. java(1), python(1), node(1), ruby(1), php(1), perlrun(1), bash(1), erl(1); `deno run
// --help`, `bun --help`, `dotnet --help`.
#include "host/program_name.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "host/select_text.h"

namespace hark::host {
namespace {

constexpr std::size_t kKernelNameBytes = 15;  // TASK_COMM_LEN of linux/sched.h without the zero

/// Lists are of words parted by one blank.
struct Runtime {
  std::string_view names;        ///< without a version behind
  std::string_view with_value;   ///< options whose value is the next word
  std::string_view code;         ///< options that bring the program's text along
  std::string_view module;       ///< options whose value names the program
  std::string_view script;       ///< options whose value is the script
  std::string_view subcommands;  ///< words before the script that are none
  /// Letters of short options that may stand together in one word: those with a value that may
  /// be the rest of the word, and those of code.
  std::string_view letters_with_value;
  std::string_view letters_of_code;
  Manifest manifest;
  std::string_view vague;  ///< scripts that say little by their name, without their ending
};

constexpr std::string_view kVagueJs = "index server main app start cli run mod bundle";

constexpr std::array<Runtime, 11> kRuntimes = {{
    {"java",
     "-cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules "
     "--limit-modules --add-exports --add-opens --add-reads --patch-module --source "
     "--enable-native-access --describe-module -d",
     "", "-m --module", "-jar", "", "", "", Manifest::None, ""},
    {"python pypy", "--check-hash-based-pycs", "", "", "", "", "mWXQ", "c", Manifest::Pyproject,
     "main app server run start index manage wsgi asgi __main__"},
    {"node nodejs",
     "-r --require --import --loader --experimental-loader -C --conditions --inspect-port "
     "--env-file --env-file-if-exists --watch-path --icu-data-dir --openssl-config --title "
     "--redirect-warnings --trace-event-categories --diagnostic-dir --test-reporter",
     "-e --eval -p --print -pe -i --interactive --run", "", "", "inspect", "", "",
     Manifest::PackageJson, kVagueJs},
    {"deno",
     "-c --config --import-map --location --cert --lock --port --host --env-file --seed --v8-flags "
     "--preload",
     "eval repl", "task", "", "run serve", "", "", Manifest::DenoJson, kVagueJs},
    {"bun",
     "-r --preload --cwd -c --config --port --env-file --define --tsconfig-override --import",
     "-e --eval -p --print", "", "", "run", "", "", Manifest::PackageJson, kVagueJs},
    {"ruby", "--encoding --external-encoding --internal-encoding --enable --disable", "", "", "",
     "", "IrCEFKTWx", "e", Manifest::None, ""},
    {"php php-cgi", "--php-ini --define --docroot --server --zend-extension",
     "-r --run -B -R -E --process-code --process-begin --process-end", "", "-f --file", "", "cdztS",
     "", Manifest::ComposerJson, "index server main app start run artisan console"},
    {"perl", "", "", "", "", "", "ImMFCDxi", "eE", Manifest::None, ""},
    {"dotnet",
     "--roll-forward --fx-version --depsfile --runtimeconfig --additionalprobingpath "
     "--additional-deps",
     "", "", "", "exec", "", "", Manifest::None, ""},
    {"sh bash dash zsh ksh mksh ash", "--rcfile --init-file -O +O -o +o", "", "", "", "", "oO",
     "cs", Manifest::None, ""},
    {"busybox", "", "", "", "", "sh ash", "", "c", Manifest::None, ""},
}};

bool is_one_of(std::string_view list, std::string_view word) {
  if (word.empty()) return false;
  while (!list.empty()) {
    if (next_piece(list, ' ') == word) return true;
  }
  return false;
}

/// "python3.11" → "python", "ruby3" → "ruby", "php8.2" → "php", "java" → "java"
std::string_view without_version(std::string_view name) {
  const std::size_t end = name.find_last_not_of("0123456789.-");
  return end == std::string_view::npos ? name : name.substr(0, end + 1);
}

const Runtime* runtime_of(std::string_view name) {
  const std::string_view plain = without_version(last_part(name));
  const auto found = std::find_if(kRuntimes.begin(), kRuntimes.end(), [&](const Runtime& runtime) {
    return is_one_of(runtime.names, plain);
  });
  return found == kRuntimes.end() ? nullptr : &*found;
}

bool is_beam(std::string_view name) {
  return last_part(name) == "beam" || last_part(name).starts_with("beam.");
}

/// What the words of a command line say, one after the other.
class CommandLine {
 public:
  CommandLine(const Runtime& runtime, std::span<const std::string> words)
      : runtime_(runtime), words_(words) {}

  ProgramGuess program() {
    for (at_ = 1; at_ < words_.size() && !done_;) {
      const std::string& word = words_[at_++];
      if (word == "--") {
        if (at_ < words_.size()) take_script(words_[at_]);
        break;
      }
      if (is_one_of(runtime_.code, word) || word == "-") break;
      if (is_one_of(runtime_.module, word)) {
        take_module(next());
      } else if (is_one_of(runtime_.script, word)) {
        take_script(next());
      } else if (is_one_of(runtime_.with_value, word)) {
        next();
      } else if (word.starts_with('-') || word.starts_with('+')) {
        read_option(word);
      } else if (!is_one_of(runtime_.subcommands, word) && !is_argument_file(word)) {
        take_script(word);
      }
    }
    return std::move(guess_);
  }

 private:
  [[nodiscard]] bool is_java() const { return runtime_.names == "java"; }
  /// java @argfiles: what they hold is not looked at.
  [[nodiscard]] bool is_argument_file(std::string_view word) const {
    return is_java() && word.starts_with('@');
  }

  std::string_view next() {
    return at_ < words_.size() ? std::string_view(words_[at_++]) : std::string_view();
  }

  /// -um module, -W ignore, -Ilib, -ne CODE; --long[=value]
  void read_option(std::string_view word) {
    const std::size_t equals = word.find('=');
    if (word.starts_with("--") && equals != std::string_view::npos) {
      const std::string_view name = word.substr(0, equals);
      if (is_one_of(runtime_.module, name)) take_module(word.substr(equals + 1));
      if (is_one_of(runtime_.code, name)) done_ = true;
      return;
    }
    if (word.starts_with("--")) return;
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string_view letter = word.substr(i, 1);
      if (runtime_.letters_of_code.find(letter) != std::string_view::npos) {
        done_ = true;
        return;
      }
      if (runtime_.letters_with_value.find(letter) == std::string_view::npos) continue;
      const bool attached = i + 1 < word.size();
      // Some take a value only in the same word: then the next word is none.
      const std::string_view value =
          attached || takes_only_attached(letter) ? word.substr(i + 1) : next();
      if (letter == "m" && runtime_.names.starts_with("python")) take_module(value);
      return;
    }
  }

  /// perl -MModule, -i.bak, -C7; ruby -W2, -x, -K, -T, -F
  [[nodiscard]] bool takes_only_attached(std::string_view letter) const {
    if (runtime_.names == "perl") return letter != "I";
    if (runtime_.names == "ruby") return std::string_view("IrCE").find(letter) == letter.npos;
    return false;
  }

  void take_module(std::string_view name) {
    done_ = true;
    // java -m module/main.Class
    if (is_java()) name = last_part(name);
    guess_.name = name;
  }

  void take_script(std::string_view path) {
    done_ = true;
    while (path.ends_with('/')) path.remove_suffix(1);
    std::string_view name = last_part(path);
    // A main class has dots, and a slash where it was given as a file.
    guess_.name = name;
    if (runtime_.manifest == Manifest::None) return;
    const std::string_view stem = name.substr(0, name.rfind('.'));
    if (!is_one_of(runtime_.vague, lower(stem))) return;
    guess_.manifest = runtime_.manifest;
    guess_.script = path;
  }

  const Runtime& runtime_;
  std::span<const std::string> words_;
  std::size_t at_ = 1;
  bool done_ = false;
  ProgramGuess guess_;
};

/// erl(1): flags of the emulator, then `--`, then those of the node: -sname web, -name web@host,
/// -s module; of Elixir behind -extra: a task of mix or a script.
ProgramGuess guess_beam(std::span<const std::string> words) {
  ProgramGuess out;
  std::string module;
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    const std::string& value = words[i + 1];
    if (words[i] == "-sname" || words[i] == "-name") {
      out.name = value.substr(0, value.find('@'));
      return out;
    }
    if (words[i] == "-s" && module.empty() && value != "elixir") module = value;
    if (words[i] != "-extra") continue;
    for (std::size_t k = i + 1; k < words.size(); ++k) {
      if (words[k].starts_with('-')) continue;
      out.name = last_part(words[k]);
      if (out.name == "mix" && k + 1 < words.size()) out.name += " " + words[k + 1];
      return out;
    }
  }
  out.name = module;
  return out;
}

/// A program that rewrote its title: "gunicorn: master [app]", in one word as a rule.
bool is_title(std::span<const std::string> words) {
  return words.size() < 2 || words.front().find(": ") != std::string::npos ||
         words.front().ends_with(':');
}

}  // namespace

bool is_runtime(std::string_view exe_or_name) {
  return is_beam(exe_or_name) || runtime_of(exe_or_name) != nullptr;
}

ProgramGuess guess_program(std::string_view exe_or_name,
                           std::span<const std::string> command_line) {
  if (is_title(command_line)) return {};
  if (is_beam(exe_or_name)) return guess_beam(command_line);
  const Runtime* runtime = runtime_of(exe_or_name);
  if (runtime == nullptr) return {};
  // One program that is many: only as a shell does it run others.
  if (runtime->names == "busybox" &&
      !is_one_of("busybox sh ash -sh", last_part(command_line.front()))) {
    return {};
  }
  return CommandLine(*runtime, command_line).program();
}

std::string_view whole_name(std::string_view kernel_name, std::string_view exe,
                            std::string_view first_word) {
  if (kernel_name.size() < kKernelNameBytes) return kernel_name;
  for (const std::string_view path : {exe, first_word}) {
    const std::string_view candidate = last_part(path);
    if (candidate.size() > kernel_name.size() && candidate.starts_with(kernel_name)) {
      return candidate;
    }
  }
  return kernel_name;
}

}  // namespace hark::host
