// Which socket of this host a packet belongs to, for rules that ask (nft `socket`, `tproxy`):
// nf_socket_ipv4.c, nf_tproxy_ipv4.c, inet_hashtables.c, udp.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "reach/packet.h"
#include "reach/world.h"

namespace hark::reach {

/// What rules can ask of it. Empty: not known.
struct SocketView {
  std::optional<bool> transparent = {};    ///< IP_TRANSPARENT
  std::optional<std::uint32_t> mark = {};  ///< SO_MARK
  bool wildcard = false;                   ///< bound to no address
  std::optional<std::string> cgroup = {};  ///< its path below the root of cgroup v2
};

/// The socket that would get the packet as its header is now; nothing: none would.
[[nodiscard]] std::optional<SocketView> find_socket(World& world, const Packet& packet);

/// To which address a tproxy rule without one leads: nf_tproxy_laddr4(), nf_tproxy_laddr6().
[[nodiscard]] IpAddress tproxy_address(const host::Network& network, const Packet& packet);

}  // namespace hark::reach
