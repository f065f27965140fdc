// What conntrack makes of a packet: net/netfilter/nf_conntrack_core.c and its protocols.
#pragma once

#include <cstdint>

#include "reach/netfilter.h"

namespace hark::reach {

/// At priority -200: finds the packet's connection or makes a new one, and says so in `packet.ct`.
/// A packet that already has a state (on lo, untracked, or made as the answer of a rule) keeps it.
/// False: the packet is dropped, because the table is full.
[[nodiscard]] bool track(World& world, Packet& packet, ConntrackView& view);
/// At the last priority: the first packet of a connection went all the way.
void confirm(const Packet& packet, ConntrackView& view);

/// The packet's connection, where it has one.
[[nodiscard]] Connection* connection_of(const Packet& packet, ConntrackView& view);

/// NF_CT_STATE_BIT of the packet: what `ct state` reads.
[[nodiscard]] std::uint32_t state_bits(const Packet& packet);
/// IPS_* of a connection.
[[nodiscard]] std::uint32_t status_bits(const Connection& connection);

}  // namespace hark::reach
