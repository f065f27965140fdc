// BPF programs of type sk_lookup: asked for a packet of no connection, before the listeners are
// (inet_lookup_run_sk_lookup of linux/filter.h). Each may hand it to a socket of one of its maps,
// whatever address and port that has; drop it, as if nobody listened; or leave it to the listeners.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "host/host.h"
#include "host/network.h"
#include "reach/packet.h"
#include "reach/service.h"
#include "reach/world.h"

namespace hark::reach {

/// What programs make of a packet.
struct Steered {
  enum class To : std::uint8_t { Listeners, Socket, Nobody, Unknown };
  To to = To::Listeners;
  std::size_t listener = 0;  ///< of Socket
  Blocker blocker = {};      ///< of Nobody and Unknown
};
[[nodiscard]] Steered steer(World& world, const Packet& packet);

[[nodiscard]] bool is_sk_lookup(const host::AttachedProgram& program);
/// "BPF program 12 \"dispatch\" (sk_lookup)"
[[nodiscard]] std::string words_of(const host::AttachedProgram& program);

/// Listeners, by position, among the sockets of its maps, in the order of the host.
[[nodiscard]] std::vector<std::size_t> steers_to(const host::Host& host,
                                                 const host::AttachedProgram& program);
/// It may have other sockets besides those that steers_to() tells.
[[nodiscard]] bool has_unknown_sockets(const host::Host& host,
                                       const host::AttachedProgram& program);

}  // namespace hark::reach
