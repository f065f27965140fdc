// What stands between a socket and somebody who serves it: queues, signatures, filters, and the
// processes that hold it. net/ipv4/tcp_input.c (tcp_conn_request), net/ipv4/udp.c
// (__udp_enqueue_schedule_skb), proc(5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "host/host.h"
#include "host/network.h"
#include "reach/packet.h"
#include "reach/world.h"

namespace hark::reach {

/// Something in the way, and how it is taken for removed (World::waived).
struct Blocker {
  Cause cause;
  std::string key;       ///< for World::waived
  bool passing = false;  ///< a state that may be gone in a moment: a full queue, a stopped process
  bool placed = false;   ///< it says in which namespace (sites.h)
};

/// Does the socket take this first packet? Nothing if it does.
[[nodiscard]] std::optional<Blocker> socket_refuses(World& world, const host::Listener& listener,
                                                    const Packet& packet);

/// Will somebody serve what the socket took? Nothing if so, or if that cannot be known (then
/// `world.assumptions` says what was assumed).
[[nodiscard]] std::optional<Blocker> nobody_serves(World& world, const host::Listener& listener);

/// The same facts, for who has no packet to ask about. `network` is that of the listener. Nothing:
/// it is not so, or it was not read.
[[nodiscard]] std::optional<Blocker> accept_queue_full(const host::Listener& listener);
[[nodiscard]] std::optional<Blocker> syn_queue_full(const host::Network& network,
                                                    const host::Listener& listener);
[[nodiscard]] std::optional<Blocker> receive_buffer_full(const host::Network& network,
                                                         const host::Listener& listener);
/// What systemd would start for this listener cannot start.
[[nodiscard]] std::optional<Blocker> activation_fails(const host::Host& host,
                                                      const host::Listener& listener);
/// Of a UDP socket: would even a small datagram be dropped?
[[nodiscard]] bool is_receive_buffer_full(std::uint64_t used, std::uint64_t limit);
/// Why this process does not serve now: stopped, frozen, without descriptors.
[[nodiscard]] std::optional<Blocker> process_idle(const host::Network& network,
                                                  const host::Process& process);

}  // namespace hark::reach
