// Everything that hark says of a host at one moment: who listens, who reaches it, what is
// published, what is wrong. For commands that set the whole of it against something else.
#pragma once

#include <memory>
#include <vector>

#include "cli/doctor_facts.h"
#include "cli/exit_status.h"
#include "cli/invocation.h"
#include "diagnose/finding.h"
#include "host/collect.h"
#include "host/target.h"
#include "kernel/source.h"

namespace hark::cli {

/// Its parts refer to each other: it stays where it was made.
struct Survey {
  host::Collected collected;
  /// Positions in Host::listeners: those of the target, and without one all that are no clients.
  std::vector<std::size_t> listeners = {};
  std::unique_ptr<DoctorFacts> facts = {};
  std::vector<diagnose::Finding> findings = {};
  std::vector<host::Gap> gaps = {};  ///< of all that was read, each once

  [[nodiscard]] const host::Host& host() const { return collected.host; }
  [[nodiscard]] const reach::ReachTable& reach() const { return facts->reach; }
};

/// Takes as long as it watches. `target` nullptr: every listener of every namespace that `asked`
/// names. Fails as collect_with_ways().
[[nodiscard]] tl::expected<std::unique_ptr<Survey>, Failure> survey(kernel::Source& source,
                                                                    const Invocation& asked,
                                                                    const host::Target* target,
                                                                    const Watching& watching);

}  // namespace hark::cli
