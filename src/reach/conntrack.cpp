#include "reach/conntrack.h"

#include <algorithm>

#include "reach/clients.h"
#include "reach/nft_numbers.h"

namespace hark::reach {

namespace {

// TCP_CONNTRACK_*
constexpr std::uint8_t kTimeWait = 7;
constexpr std::uint8_t kClose = 8;

Tuple inverse(const Tuple& tuple) {
  return {.source = tuple.destination,
          .destination = tuple.source,
          .source_port = tuple.destination_port,
          .destination_port = tuple.source_port};
}

/// Messages of neighbour discovery and of multicast groups are never tracked: noct_valid_new of
/// nf_conntrack_proto_icmpv6.c.
bool never_tracked(const Packet& packet) {
  return packet.protocol == kIcmp6 &&
         ((packet.icmp_type >= 130 && packet.icmp_type <= 136) || packet.icmp_type == 143);
}

/// Could it be the first packet of a connection? tcp_new(), nf_conntrack_icmp_packet().
bool may_begin(const World& world, const Packet& packet) {
  if (packet.protocol == kTcp) {
    constexpr unsigned kDeciding = kSyn | kAck | kRst | kFin;
    const unsigned flags = packet.tcp_flags & kDeciding;
    if (flags == kSyn) return true;
    // In the middle of a connection: taken up unless the host is told not to.
    return flags == kAck && world.network.settings.conntrack_loose.value_or(1) != 0;
  }
  if (packet.protocol == kIcmp) {
    return packet.icmp_type == 8 || packet.icmp_type == 13 || packet.icmp_type == 15 ||
           packet.icmp_type == 17;
  }
  if (packet.protocol == kIcmp6) return packet.icmp_type == 128 || packet.icmp_type == 139;
  return true;
}

Connection connection_of_entry(const host::ConntrackEntry& entry) {
  Connection out;
  out.protocol = entry.protocol;
  out.original = {.source = entry.source,
                  .destination = entry.destination,
                  .source_port = entry.source_port,
                  .destination_port = entry.destination_port};
  out.reply = {.source = entry.reply_source,
               .destination = entry.reply_destination,
               .source_port = entry.reply_source_port,
               .destination_port = entry.reply_destination_port};
  out.mark = entry.mark;
  out.zone = entry.zone;
  out.destination_nat = (entry.status & kStatusDestinationNat) != 0;
  out.source_nat = (entry.status & kStatusSourceNat) != 0;
  out.destination_nat_done = true;
  out.source_nat_done = true;
  out.confirmed = true;
  out.replied = (entry.status & kStatusSeenReply) != 0;
  out.assured = (entry.status & kStatusAssured) != 0;
  out.existing = true;
  return out;
}

/// A closed TCP connection gives way to a new one with the same tuple.
bool gives_way(const host::ConntrackEntry& entry, const Packet& packet) {
  const bool closed = entry.tcp_state == kTimeWait || entry.tcp_state == kClose;
  return packet.protocol == kTcp && (packet.tcp_flags & (kSyn | kAck)) == kSyn && closed;
}

bool is_connection_of(const Connection& connection, const Packet& packet) {
  return connection.protocol == packet.protocol && connection.zone == packet.ct_zone &&
         (connection.original == packet.tuple || connection.reply == packet.tuple);
}

/// Of many clients those that have a connection already are others.
void tell_apart(const World& world, const Packet& packet, const Connection& connection) {
  if (world.clients == nullptr) return;
  for (const Tuple& tuple : {connection.original, connection.reply}) {
    for (const IpAddress& one : {tuple.source, tuple.destination}) {
      world.clients->split(packet.tuple.source, {one, one});
      world.clients->split(packet.tuple.destination, {one, one});
    }
    for (const std::uint16_t port : {tuple.source_port, tuple.destination_port}) {
      world.clients->split(packet.tuple.source_port, port, port);
      world.clients->split(packet.tuple.destination_port, port, port);
    }
  }
}

/// The entry that the kernel had before this question.
std::optional<Connection> existing(const World& world, const Packet& packet) {
  for (const host::ConntrackEntry& entry : world.network.conntrack) {
    const Connection connection = connection_of_entry(entry);
    tell_apart(world, packet, connection);
    if (is_connection_of(connection, packet) && !gives_way(entry, packet)) return connection;
  }
  return std::nullopt;
}

void assume(World& world, std::string text) {
  if (std::ranges::find(world.assumptions, text) != world.assumptions.end()) return;
  world.assumptions.push_back(std::move(text));
}

/// __nf_conntrack_alloc() and early_drop(): a full table may make room, or not.
bool has_room(World& world) {
  const host::NetSettings& settings = world.network.settings;
  if (!settings.conntrack_count || !settings.conntrack_max || *settings.conntrack_max <= 0 ||
      *settings.conntrack_count < *settings.conntrack_max) {
    return true;
  }
  return world.choices.pick(Condition{.code = "ct-table-full",
                                      .text = "the full table of conntrack makes room",
                                      .key = "ct-table-full",
                                      .doubt = Doubt::Time});
}

/// Of one address at both ends that with one port at both has one tuple for both ways: conntrack
/// takes all that follows its first packet for answers.
void tell_own_port_apart(const World& world, const Tuple& tuple) {
  if (world.clients == nullptr || !world.clients->itself) return;
  if (tuple.source != tuple.destination) return;
  world.clients->split(tuple.source_port, tuple.destination_port, tuple.destination_port);
  world.clients->split(tuple.destination_port, tuple.source_port, tuple.source_port);
}

void see_again(const World& world, Connection& connection, Packet& packet) {
  tell_own_port_apart(world, packet.tuple);
  // Where both tuples are the same that of the answer is found first: it is put before the other
  // (__nf_conntrack_hash_insert).
  packet.ct_reply = connection.original != packet.tuple || connection.reply == packet.tuple;
  if (packet.ct_reply) {
    connection.replied = true;
    packet.ct = CtState::Established;
    return;
  }
  // The acknowledgement that ends the handshake.
  const bool acknowledges = (packet.tcp_flags & (kSyn | kAck | kRst)) == kAck;
  // Of an answer that passed untracked: the table of nf_conntrack_proto_tcp.c has none after SYN.
  if (packet.protocol == kTcp && !connection.replied && acknowledges) {
    packet.ct = CtState::Invalid;
    return;
  }
  packet.ct = connection.replied ? CtState::Established : CtState::New;
  if (packet.protocol == kTcp && connection.replied && acknowledges) connection.assured = true;
}

}  // namespace

bool track(World& world, Packet& packet, ConntrackView& view) {
  if (packet.ct != CtState::None) return true;
  if (never_tracked(packet)) {
    packet.ct = CtState::Untracked;
    return true;
  }
  if (packet.related) {
    // An error about a connection that is not in the table (yet) is invalid.
    const bool known = view.connection && view.connection->confirmed;
    packet.ct = known ? CtState::Related : CtState::Invalid;
    packet.ct_reply = packet.reply;
    return true;
  }
  if (view.connection && view.connection->confirmed && is_connection_of(*view.connection, packet)) {
    see_again(world, *view.connection, packet);
    return true;
  }
  if (std::optional<Connection> known = existing(world, packet)) {
    view.connection = std::move(known);
    see_again(world, *view.connection, packet);
    return true;
  }
  if (!may_begin(world, packet)) {
    packet.ct = CtState::Invalid;
    return true;
  }
  if (!has_room(world)) return false;
  if (world.network.gap(host::NetworkFact::Conntrack) != nullptr) {
    assume(world, "conntrack has no entry for this connection yet");
  }
  view.connection = Connection{.protocol = packet.protocol,
                               .original = packet.tuple,
                               .reply = inverse(packet.tuple),
                               .zone = packet.ct_zone};
  packet.ct = CtState::New;
  packet.ct_reply = false;
  return true;
}

void confirm(const Packet& packet, ConntrackView& view) {
  Connection* connection = connection_of(packet, view);
  if (connection != nullptr && !packet.ct_reply) connection->confirmed = true;
}

Connection* connection_of(const Packet& packet, ConntrackView& view) {
  const bool has = packet.ct == CtState::New || packet.ct == CtState::Established ||
                   packet.ct == CtState::Related;
  return has && view.connection ? &*view.connection : nullptr;
}

std::uint32_t state_bits(const Packet& packet) {
  switch (packet.ct) {
    case CtState::New:
      return kCtNew;
    case CtState::Established:
      return kCtEstablished;
    case CtState::Related:
      return kCtRelated;
    case CtState::Untracked:
      return kCtUntracked;
    case CtState::None:
    case CtState::Invalid:
      break;
  }
  return kCtInvalid;
}

std::uint32_t status_bits(const Connection& connection) {
  std::uint32_t bits = 0;
  if (connection.replied) bits |= kStatusSeenReply;
  if (connection.assured) bits |= kStatusAssured;
  if (connection.confirmed) bits |= kStatusConfirmed;
  if (connection.source_nat) bits |= kStatusSourceNat;
  if (connection.destination_nat) bits |= kStatusDestinationNat;
  if (connection.source_nat_done) bits |= kStatusSourceNatDone;
  if (connection.destination_nat_done) bits |= kStatusDestinationNatDone;
  return bits;
}

}  // namespace hark::reach
