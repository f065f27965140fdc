// Programs that a session of `hark lab` starts: the scripts of a scenario, and the person's shell.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace hark::drill {

/// PATH with what the lab has first, and the places of ip and nft last.
[[nodiscard]] std::string lab_path_variable(const char* outer);

/// Is the program to be found there?
[[nodiscard]] bool lab_has_program(const std::string& name);

struct LabScriptEnd {
  int status = 0;
  std::string messages;  ///< of standard error, the first kilobytes
};

/// Runs shell commands to their end, without a terminal.
[[nodiscard]] LabScriptEnd run_lab_script(const std::string& text);

/// The person's shell: $SHELL where it is one that is known here, else bash or sh; on a terminal
/// with a prompt that says where one is, else it reads commands from standard input. Its pid, or
/// -1.
[[nodiscard]] pid_t start_lab_shell(const std::string& name, bool terminal);

}  // namespace hark::drill
