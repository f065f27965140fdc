// Random sets of sockets that have a port, a random question, and the kernel's own answer to it:
// the judge of src/diagnose/bind_rules.h.
#pragma once

#include <cstdint>
#include <string>

namespace hark::netns {

struct BindSets {
  std::uint64_t seed = 1;
  std::uint32_t sets = 300;
  /// Flags and history from the kernel's tables; false: as sock_diag and the holders tell them,
  /// where an answer may stay open.
  bool exact = true;
};

struct BindTally {
  std::uint32_t sets = 0;
  std::uint32_t agreed = 0;   ///< same outcome, same errno, same call
  std::uint32_t open = 0;     ///< hark could not tell
  std::uint32_t in_use = 0;   ///< of the agreed: EADDRINUSE
  std::uint32_t refused = 0;  ///< of the agreed: another errno
  std::uint32_t holders = 0;  ///< holders that were named
  std::uint32_t proved = 0;   ///< sets whose holders were closed, after which the bind succeeded
  std::string mismatches;     ///< a paragraph each
};

/// Made in network namespaces of processes of its own. Needs root.
[[nodiscard]] BindTally run_bind_sets(const BindSets& wanted);

}  // namespace hark::netns
