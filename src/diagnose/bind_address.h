// May a socket be bound to this address, and which device does that bind it to? The checks of
// bind(2) that come before it looks at the port.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "diagnose/bind.h"

namespace hark::diagnose {

/// What stops it; `error` empty: it cannot be told.
struct BindObstacle {
  std::optional<int> error;
  BindCall call = BindCall::Bind;
  reach::Cause cause;
  std::optional<host::Gap> gap = {};
};

struct BindPlace {
  std::optional<BindObstacle> obstacle;  ///< the first that the kernel comes to
  std::uint32_t device = 0;              ///< sk_bound_dev_if; 0: none
};

/// The whole of the checks but for the comparison with other sockets.
[[nodiscard]] BindPlace check_address(const BindWorld& world, const BindQuestion& question);

/// CAP_NET_BIND_SERVICE, where the port needs it.
[[nodiscard]] std::optional<BindObstacle> check_right(const BindWorld& world, std::uint16_t port);

/// The VRF of a device, or of which it is a part; 0: of none.
[[nodiscard]] std::uint32_t vrf_of(const host::Network& network, std::uint32_t device);

}  // namespace hark::diagnose
