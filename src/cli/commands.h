// The commands. Each has a file of its own; run() picks one.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "cli/exit_status.h"
#include "cli/invocation.h"
#include "cli/output.h"
#include "host/collect.h"
#include "host/select.h"
#include "reach/reach_table.h"

namespace hark::cli {

[[nodiscard]] Outcome command_list(const Invocation& asked, Output& out);
[[nodiscard]] Outcome command_why(const Invocation& asked, Output& out);
[[nodiscard]] Outcome command_doctor(const Invocation& asked, Output& out);
[[nodiscard]] Outcome command_bind(const Invocation& asked, Output& out);
[[nodiscard]] Outcome command_explain(const Invocation& asked, Output& out);
[[nodiscard]] Outcome command_save(const Invocation& asked, Output& out);
[[nodiscard]] Outcome command_diff(const Invocation& asked, Output& out);
[[nodiscard]] Outcome command_check(const Invocation& asked, Output& out);
[[nodiscard]] Outcome command_drill(const Invocation& asked, Output& out);
[[nodiscard]] Outcome command_lab(const Invocation& asked, Output& out);
[[nodiscard]] Outcome command_help(const Invocation& asked, Output& out);

/// `hark test`. It needs what hark itself is not linked with (docs/adr/0002-start-up.md): `hark`
/// hands it over to the program hark-test, with all its arguments, and hark-test does it.
using TestCommand = Outcome (*)(std::span<const std::string> arguments, const Invocation& asked,
                                Output& out);
/// Becomes hark-test: returns only where it is not there.
[[nodiscard]] Outcome hand_over_test(std::span<const std::string> arguments,
                                     const Invocation& asked, Output& out);
[[nodiscard]] Outcome command_test(std::span<const std::string> arguments, const Invocation& asked,
                                   Output& out);

/// The whole program: parses, answers, prints messages. The result is the exit status.
[[nodiscard]] int run(std::span<const std::string> arguments, TestCommand test);

/// Ends hark with an answer, and nothing is destroyed: what has to be done in the end is done
/// before.
[[noreturn]] void leave(ExitStatus status, Output& out);

/// Does this question need to know who holds the sockets? Reading that is most of hark's work.
[[nodiscard]] bool needs_owners(const Invocation& asked, const host::Filter& filter);

/// How much has to be read for a question.
struct Need {
  bool owners = true;
  bool details = true;                             ///< more than the usual table shows
  decltype(host::CollectRequest::more) more = {};  ///< as of CollectRequest
};

/// host::collect_with_ways(), with its failure judged: what the question names and does not exist
/// is usage, what could not be read leaves the question open.
[[nodiscard]] tl::expected<host::Collected, Failure> collect_or_fail(
    kernel::Source& source, const host::CollectRequest& request);

/// The same, for a command whose request its invocation tells.
[[nodiscard]] tl::expected<host::Collected, Failure> collect_with_ways(kernel::Source& source,
                                                                       const Invocation& asked,
                                                                       const Need& need);

/// What --verbose says of the gaps: each in full, a line a part.
[[nodiscard]] std::string gaps_text(std::span<const host::Gap> gaps);

/// The matching listeners as JSON; the near misses only where nothing matched.
void print_list_json(const host::Host& host, const std::vector<std::size_t>& selected,
                     std::span<const host::Near> near, Output& out,
                     const reach::ReachTable* reach = nullptr,
                     const std::vector<std::size_t>& published = {});

/// Does this question need to know who reaches a listener? Else rules are asked for what they
/// publish alone.
[[nodiscard]] bool needs_reach(const Invocation& asked, const host::Filter& filter);

}  // namespace hark::cli
