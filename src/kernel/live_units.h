// Asking systemd. hark itself links no D-Bus library (docs/adr/0002-start-up.md): a small program
// beside it, hark-units, does the talking, and is started only for a question that needs it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::kernel {

/// Where a program of hark's own may stand: hark-units, hark-test. In the order in which it is
/// looked for: beside this program (the build folder), below its prefix, where it was configured to
/// be. Run with more rights than its user has (AT_SECURE), only the last.
[[nodiscard]] std::vector<std::string> program_places(const std::string& name);

/// Nobody but root, and the user that hark runs as, can change this file or the way to it: every
/// folder above is theirs, and no other user may write there.
[[nodiscard]] bool is_trusted_program(const std::string& path);

/// Runs `program` without environment, gives it the names (each ended by a NUL byte) and returns
/// what it says. Waits for `timeout_ms` at most; the program is gone afterwards in any case.
/// The program's exit status is taken for an errno. ETIMEDOUT, or EMSGSIZE where it says too much;
/// ECANCELED: the descriptor `stop` (-1: none) became readable before.
[[nodiscard]] Result<Bytes> run_units_program(const std::vector<std::string>& program,
                                              std::span<const std::string> names,
                                              unsigned timeout_ms, int stop = -1);

/// All of it: Source::ask_units.
[[nodiscard]] Result<Bytes> ask_systemd(std::span<const std::string> names);

}  // namespace hark::kernel
