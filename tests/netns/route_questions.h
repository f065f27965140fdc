// The kernel's own answer to "which way would this packet go": RTM_GETROUTE, with an input
// interface and without. inet_rtm_getroute of net/ipv4/route.c, inet6_rtm_getroute of
// net/ipv6/route.c.
#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "kernel/live_netlink.h"
#include "reach/routing.h"

namespace hark::netns {

struct KernelRoute {
  int error = 0;          ///< errno; 0: it has a route
  std::uint8_t type = 0;  ///< RTN_*
  std::uint32_t link = 0;
  std::optional<IpAddress> gateway = {};
  std::optional<IpAddress> source = {};  ///< RTA_PREFSRC
  bool operator==(const KernelRoute&) const = default;
};

/// In the namespace that the socket was opened in.
[[nodiscard]] KernelRoute ask_kernel(kernel::NetlinkSocket& socket, const reach::Flow& flow);

}  // namespace hark::netns
