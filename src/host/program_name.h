// What a person would call a process: "billing.jar", not "java". Pure; programs.h does the reading.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hark::host {

/// Where a runtime's packages say what they are called.
enum class Manifest : std::uint8_t { None, PackageJson, DenoJson, ComposerJson, Pyproject };

struct ProgramGuess {
  /// The jar, main class, script, module or node name; empty: nothing better than the kernel's name
  /// is known.
  std::string name;
  /// The script says little by its name (index.js, main.py): a manifest of this kind in its folder
  /// or one above knows better.
  Manifest manifest = Manifest::None;
  std::string script;  ///< its path as given, only with a manifest
};

/// Does the program run other programs: java, python3.11, node, bash …? Told by the last part of
/// its executable's path or, where that is not known, by the kernel's name for the process. Only
/// then is a command line worth reading.
[[nodiscard]] bool is_runtime(std::string_view exe_or_name);

/// `exe_or_name` as above. A command line that does not tell a program (code on the command line,
/// standard input, a title in its place) gives no name.
[[nodiscard]] ProgramGuess guess_program(std::string_view exe_or_name,
                                         std::span<const std::string> command_line);

/// The kernel keeps 15 bytes of a name: the whole of it, if one of the two begins with these.
[[nodiscard]] std::string_view whole_name(std::string_view kernel_name, std::string_view exe,
                                          std::string_view first_word);

}  // namespace hark::host
