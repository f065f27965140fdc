// Who gets a frame that leaves by a link: the other end of a pair, behind a bridge whoever is at
// its ports, and who stands on a link as a VLAN, macvlan or ipvlan. It is followed as one that asks
// everybody for an address; what is for one of them alone goes the same way.
// net/core/dev.c, drivers/net/veth.c, macvlan.c, ipvlan/, bonding/, net/8021q/,
// net/bridge/br_input.c, br_forward.c.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/intervals.h"
#include "host/host.h"
#include "host/networks.h"
#include "reach/spaces.h"

namespace hark::reach {

/// A link that a frame goes through, in the order in which it does.
struct Pass {
  host::LinkEnd at;
  bool out = false;  ///< it leaves the namespace by it
};

/// A place at which IP receives.
struct Station {
  host::LinkEnd at;
  std::vector<Pass> by;    ///< between the first link and this one, both left out
  std::string doubt = {};  ///< what of the way could not be judged, in words; empty: nothing
};

/// Of a bridge its port; 0: none.
[[nodiscard]] inline std::uint32_t port_of(const Station& station) {
  return station.by.empty() ? 0 : station.by.front().at.link;
}

struct Segment {
  std::vector<Station> stations;
  struct Owner {
    IpAddress address;
    std::size_t station = 0;  ///< position in `stations`
    auto operator<=>(const Owner&) const = default;
  };
  std::vector<Owner> owners;         ///< ascending
  std::vector<std::size_t> proxies;  ///< stations that may answer for addresses of others
  bool open = false;                 ///< frames go on out of sight
  /// Where to a namespace that cannot be read: "the other end of veth3"; empty: not so.
  std::string unread;
  /// Addresses whose packets an ipvlan takes that passes them by routing (modes l3 and l3s), which
  /// is not followed: its name.
  std::map<IpAddress, std::string> diverted;

  /// Who has the address.
  [[nodiscard]] std::span<const Owner> owners_of(const IpAddress& address) const;
  /// The addresses of `owners`: all of them, and by the first link of the way there, of a bridge
  /// its port.
  struct Owned {
    AddressSet all;
    std::map<std::uint32_t, AddressSet> by_port;
  };
  /// Worked out when it is first asked: most segments are asked for one owner only.
  [[nodiscard]] const Owned& owned() const;

 private:
  mutable std::optional<Owned> owned_;
};

/// Does it answer for more than its own addresses: as a proxy, or by local routes to prefixes?
[[nodiscard]] bool speaks_for_others(const host::Network& network);
/// From `link` of a namespace, whose network is `from`.
[[nodiscard]] Segment segment_behind(Spaces& spaces, const host::Network& from, std::uint32_t link);

}  // namespace hark::reach
