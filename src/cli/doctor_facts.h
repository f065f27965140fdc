// Reads what the families of findings need, and nothing else.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/why_engine.h"
#include "diagnose/finding.h"
#include "host/collect.h"
#include "host/config_times.h"
#include "host/container_ends.h"
#include "host/declared_ports.h"
#include "host/localhost.h"
#include "host/looks.h"
#include "host/oom_kills.h"
#include "host/process_health.h"
#include "host/process_waits.h"
#include "kernel/source.h"
#include "reach/reach_table.h"

namespace hark::cli {

struct Watching {
  bool again = true;          ///< false: a recording, which holds one look
  std::uint32_t seconds = 0;  ///< how long; 0: a moment
  bool note_one_look = true;  ///< a gap says what one look hides
  /// Those without listeners, too: what is published there, and by whom it is reached.
  bool all_namespaces = false;
};

/// Everything but the listing itself. Refers to the Host that it was read for.
struct DoctorFacts {
  reach::ReachTable reach;  ///< about clients only, and what blocks them first
  std::vector<host::ProcessHealth> health = {};
  std::vector<host::ProcessHealth> health_again = {};
  std::vector<host::ProcessWaits> waits = {};
  std::vector<host::ProcessWaits> waits_again = {};
  std::vector<host::Look> looks = {};
  std::vector<host::DeclaredPort> declared = {};
  std::vector<host::Localhost> localhost = {};
  std::vector<host::ConfigTime> configs = {};
  std::vector<host::OomKill> oom_kills = {};
  std::vector<host::ContainerEnd> container_ends = {};
  std::vector<host::Gap> gaps = {};  ///< of the reading, and what a single look hides
};

/// `needs` are bits of diagnose::Need. Takes as long as it watches.
[[nodiscard]] DoctorFacts read_doctor_facts(kernel::Source& source,
                                            const host::Collected& collected,
                                            const std::vector<std::size_t>& listeners,
                                            unsigned needs, const Watching& watching);

/// The same, with every need and one look, to be recorded.
void record_doctor_facts(kernel::Source& source, const host::Collected& collected);

}  // namespace hark::cli
