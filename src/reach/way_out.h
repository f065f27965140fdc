// From which address this host sends to another, and by which link.
#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "host/host.h"
#include "host/network.h"

namespace hark::reach {

struct WayOut {
  IpAddress source;        ///< that the kernel chooses for a socket that is bound to no address
  std::uint32_t link = 0;  ///< by which it leaves
};

/// `link`: the one that the socket is bound to, 0: none. Of several next hops the first. Nothing:
/// no route leads there.
[[nodiscard]] std::optional<WayOut> way_towards(const host::Host& host,
                                                const host::Network& network,
                                                const IpAddress& destination,
                                                std::uint32_t link = 0);

}  // namespace hark::reach
