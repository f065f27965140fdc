// What `hark doctor` found out: handed to the screen and to the JSON.
#pragma once

#include <cstddef>
#include <vector>

#include "diagnose/finding.h"
#include "host/host.h"
#include "host/select.h"
#include "host/target.h"

namespace hark::show {

struct DoctorReport {
  const host::Host& host;
  const host::Target* target = nullptr;     ///< nullptr: everything was asked about
  std::vector<std::size_t> listeners = {};  ///< that were looked at
  std::vector<diagnose::Finding> findings = {};
  std::vector<host::Near> near = {};  ///< only where the target means no listener
  std::vector<host::Gap> gaps = {};   ///< all, each once
};

/// Does the gap hide something that would have been looked at? Processes that could not be looked
/// into do not matter where the owners of every listener in question are known without them.
[[nodiscard]] bool matters(const DoctorReport& report, const host::Gap& gap);

}  // namespace hark::show
