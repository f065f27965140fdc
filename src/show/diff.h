// What `hark diff` found out: handed to the screen and to the JSON.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "diagnose/changes.h"

namespace hark::show {

/// One of the two moments.
struct DiffSide {
  diagnose::Snapshot snapshot;
  std::string file;  ///< as it was named; empty: this host, now
};

struct DiffReport {
  DiffSide before, after;
  diagnose::Changes changes = {};
};

/// What a person is told in one paragraph: a change, or several that come to the same.
struct DiffRow {
  diagnose::Turn turn = diagnose::Turn::Changed;
  diagnose::Severity severity = diagnose::Severity::Notice;
  std::string subject;               ///< "tcp 80,443 in web"; not escaped
  std::string text;                  ///< a sentence without its full stop; not escaped
  std::vector<std::size_t> changes;  ///< positions in Changes::list
};

/// Every change is in one of them; worst first. Findings that are about no listener are in none.
[[nodiscard]] std::vector<DiffRow> diff_rows(const DiffReport& report, bool ascii);

}  // namespace hark::show
