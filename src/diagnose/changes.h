// What came, went or changed between two moments of a host: listeners, published ports, who owns
// them, who reaches them, what is wrong with them. Pure.
//
// What changes by itself is no change: processes that start again, workers and how many there are,
// queues and counters, ports that the kernel chose for the same program, containers that are made
// anew, numbers of namespaces. What could not be read at one of the moments is a gap, no change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "diagnose/finding.h"
#include "host/host.h"
#include "reach/reach_table.h"

namespace hark::diagnose {

/// Everything that is said of a host at one moment.
struct Snapshot {
  const host::Host& host;
  const reach::ReachTable& reach;
  const std::vector<std::size_t>& listeners;  ///< positions in Host::listeners
  std::span<const Finding> findings;
  std::span<const host::Gap> gaps;
};

/// Those behind Findings count only where every fact is asked for.
enum class ChangedField : std::uint8_t {
  Address,
  Interface,
  Owners,
  Reach,
  Scope,
  V6Only,
  LeadsTo,  ///< of a published port, or a door: where it sends on to
  Bypass,   ///< of a published port: it began or ended to go past what the input chain denies
  Findings,
  Pids,
  Fds,
  Inode,
  Cookie,
  Queue,
  State,
  StartedAt,
  Workers,
};
/// "address", "started_at" …
[[nodiscard]] std::string_view name_of(ChangedField field);

enum class Turn : std::uint8_t { Opened, Closed, New, Gone, Moved, Changed };
/// "opened", "gone" …
[[nodiscard]] std::string_view name_of(Turn turn);

/// Of one listener (sockets that share an address, or differ in what does not count), or of one
/// published port.
struct Change {
  Turn turn = Turn::Changed;
  /// Risk: more clients reach it, or somebody else answers them. Broken: fewer do. Notice.
  Severity severity = Severity::Notice;
  bool published = false;
  /// Positions in Host::listeners, or ReachTable::published(). Empty `before`: added; empty
  /// `after`: removed.
  std::vector<std::size_t> before = {}, after = {};
  std::vector<ChangedField> fields = {};  ///< in the order of the enumeration
  std::vector<std::size_t> came = {};     ///< positions in the findings of the new side
  std::vector<std::size_t> went = {};     ///< … and of the old side
  /// The program has moved to another port: the same number, from 1, on what it left and what it
  /// has. 0: it has not.
  std::size_t move = 0;

  [[nodiscard]] bool has(ChangedField field) const;
};

struct Changes {
  bool other_host = false;        ///< by its name
  std::vector<Change> list;       ///< worst first: Risk, Broken, Notice
  std::vector<std::size_t> came;  ///< findings of the new side about no listener
  std::vector<std::size_t> went;  ///< … and of the old side
  std::vector<host::Gap> gaps;    ///< what could not be compared, and why
  std::size_t unchanged = 0;      ///< listeners and published ports that are as they were

  [[nodiscard]] bool none() const { return list.empty() && came.empty() && went.empty(); }
};

/// `exact`: every fact counts, what changes by itself too.
[[nodiscard]] Changes changes_between(const Snapshot& before, const Snapshot& after, bool exact);

}  // namespace hark::diagnose
