// To whom a port is open, in a form that can be set against that of another moment: clients by
// interface and address, whatever rule lets them in.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "base/intervals.h"
#include "host/host.h"
#include "reach/published.h"
#include "reach/reach_table.h"

namespace hark::diagnose {

/// States that may be over in a moment, such as a full queue, are taken to be over.
struct Opening {
  bool asked = true;  ///< false: of a raw socket nobody can say
  bool known = true;  ///< false: a fact of this host that could not be read decides
  reach::Openness openness = reach::Openness::NotAsked;
  bool here = false;  ///< programs on this host get through
  /// "eth0 inet yes", "eth1 inet6 perhaps: rate-limit" and the prefixes of those clients.
  /// Interfaces of kind veth, which have a new name each time, are one.
  std::map<std::string, AddressSet> ways = {};

  /// Others than this host get through, or that is not known.
  [[nodiscard]] bool is_to_others() const { return openness >= reach::Openness::Unknown; }
};

/// Of listeners of one group; where namespaces are taken for one, of all of them together.
[[nodiscard]] Opening opening_of(const reach::ReachTable& table,
                                 const std::vector<std::size_t>& listeners);
[[nodiscard]] Opening opening_of(const reach::ReachTable& table, const reach::PublishedPort& port);

enum class Trend : unsigned char { Same, Unknown, Wider, Narrower, Other };
[[nodiscard]] Trend trend_of(const Opening& before, const Opening& after);

}  // namespace hark::diagnose
