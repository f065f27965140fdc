// hark help, and --help of every command.
#include "cli/commands.h"
#include "cli/help.h"

namespace hark::cli {

Outcome command_help(const Invocation& asked, Output& out) {
  // `hark --help` is about hark; `hark list --help` and `hark help list` are about list.
  if (asked.command != Command::Help) {
    out.write(asked.implied ? general_help() : command_help(asked.command));
  } else if (const auto named =
                 asked.words.empty() ? std::nullopt : command_named(asked.words.front())) {
    out.write(command_help(*named));
  } else {
    out.write(asked.help ? command_help(Command::Help) : general_help());
  }
  return ExitStatus::Yes;
}

}  // namespace hark::cli
