#include <unistd.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/parse.h"

namespace hark::cli {
namespace {

int number_of(ExitStatus status) {
  return static_cast<int>(status);
}

Outcome answer(std::span<const std::string> arguments, const Invocation& asked, TestCommand test,
               Output& out) {
  if (asked.help) return command_help(asked, out);
  if (asked.version) {
    out.write(version_text());
    return ExitStatus::Yes;
  }
  switch (asked.command) {
    case Command::List:
      return command_list(asked, out);
    case Command::Why:
      return command_why(asked, out);
    case Command::Test:
      return test(arguments, asked, out);
    case Command::Doctor:
      return command_doctor(asked, out);
    case Command::Bind:
      return command_bind(asked, out);
    case Command::Explain:
      return command_explain(asked, out);
    case Command::Save:
      return command_save(asked, out);
    case Command::Diff:
      return command_diff(asked, out);
    case Command::Check:
      return command_check(asked, out);
    case Command::Drill:
      return command_drill(asked, out);
    case Command::Lab:
      return command_lab(asked, out);
    case Command::Help:
      return command_help(asked, out);
  }
  return ExitStatus::Usage;
}

Outcome parse_and_answer(std::span<const std::string> arguments, TestCommand test, Output& out) {
  const Result<Arguments> parsed = parse_arguments(arguments);
  if (!parsed) return fail_with(ExitStatus::Usage, parsed.error());
  const Result<Invocation> asked = interpret(*parsed);
  if (!asked) return fail_with(ExitStatus::Usage, asked.error());
  return answer(arguments, *asked, test, out);
}

/// Writes what is left and prints what went wrong; the exit status.
int finish(const Outcome& outcome, Output& out) {
  if (!outcome) {
    print_message(message_text(outcome.error().error));
    return number_of(outcome.error().status);
  }
  const int error = out.finish();
  if (error == 0) return number_of(*outcome);
  // The reader has what it wanted and is gone: no reason to complain.
  if (error == EPIPE) return number_of(ExitStatus::ClosedPipe);
  print_message(message_text(kernel_error(error, "standard output")));
  return number_of(ExitStatus::CannotTell);
}

}  // namespace

int run(std::span<const std::string> arguments, TestCommand test) {
  guard_standard_descriptors();
  Output out(STDOUT_FILENO);
  return finish(parse_and_answer(arguments, test, out), out);
}

// A survey is tens of thousands of small pieces of memory, and descriptors and mappings: to give
// back each costs a tenth of a short answer's time, and the kernel takes them all at once.
void leave(ExitStatus status, Output& out) {
  ::_exit(finish(status, out));
}

}  // namespace hark::cli
