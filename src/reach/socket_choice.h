// Which socket the kernel gives a packet to. TCP: __inet_lookup_listener and
// inet6_lookup_listener, compute_score of net/ipv4/inet_hashtables.c and inet6_hashtables.c.
// UDP: __udp4_lib_lookup and __udp6_lib_lookup, compute_score of net/ipv4/udp.c and net/ipv6/udp.c.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "host/host.h"
#include "reach/packet.h"
#include "reach/world.h"

namespace hark::reach {

/// The device by which a packet came, as sockets are compared with it: of a link that belongs to a
/// VRF the VRF is `device` and the link itself is `slave`.
struct ReceivingDevice {
  std::uint32_t device = 0;
  std::uint32_t slave = 0;
};
[[nodiscard]] ReceivingDevice receiving_device(const host::Network& network, std::uint32_t in);

/// Positions in Host::listeners of those that may get it, the best ones first: several where the
/// kernel finds them equally good, or meets one that shares its port before a better one. Empty:
/// nobody gets it.
/// Only one namespace's sockets are looked at.
[[nodiscard]] std::vector<std::size_t> best_sockets(const World& world, const Packet& packet);

/// The one that gets it. Of several equally good ones `world.choices` picks.
[[nodiscard]] std::optional<std::size_t> choose_socket(World& world, const Packet& packet);

/// Why nobody gets it: `no-socket` or what comes nearest, with the listener that is meant.
[[nodiscard]] Cause no_socket(const World& world, const Packet& packet);

}  // namespace hark::reach
