// hark explain: the words of the command line, or standard input, looked up in a table.
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "diagnose/explain.h"
#include "show/explain_json.h"
#include "show/explain_view.h"

namespace hark::cli {
namespace {

constexpr std::size_t kMostRead = 16384;

/// What is longer is no message: its beginning is looked at.
Result<std::string> read_input() {
  std::string out;
  std::array<char, 4096> buffer{};
  while (out.size() < kMostRead) {
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(kernel_error(errno, "standard input"));
    if (count == 0) break;
    out.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return out;
}

Result<std::string> question_of(const Invocation& asked) {
  const bool input = asked.words.empty() || (asked.words.size() == 1 && asked.words[0] == "-");
  if (!input) return join(asked.words, " ");
  if (asked.words.empty() && ::isatty(STDIN_FILENO) == 1) {
    return fail(plain_error("explain", "needs an error", "for example: hark explain ECONNREFUSED"));
  }
  return read_input();
}

}  // namespace

Outcome command_explain(const Invocation& asked, Output& out) {
  const Result<std::string> question = question_of(asked);
  if (!question) {
    const bool kernel = question.error().code != 0;
    return fail_with(kernel ? ExitStatus::CannotTell : ExitStatus::Usage, question.error());
  }
  const diagnose::Explained known = diagnose::explain(*question);
  if (asked.json) {
    show::write_explain_json(known, [&](std::string_view text) { out.write(text); });
  } else {
    out.write(show::explain_text(known, choose_style(asked, look_around())));
  }
  return known.code.empty() ? ExitStatus::No : ExitStatus::Yes;
}

}  // namespace hark::cli
