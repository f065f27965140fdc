#include "reach/packet_bytes.h"

#include <algorithm>

#include "base/address.h"

namespace hark::reach {

namespace nft = decode::nft;

namespace {

constexpr std::size_t kMacLength = 6;
constexpr std::uint16_t kArphrdLoopback = 772;
constexpr std::uint16_t kEtherIp = 0x0800;
constexpr std::uint16_t kEtherArp = 0x0806;
constexpr std::uint16_t kEtherIp6 = 0x86dd;

void add(PacketBytes& to, ByteView bytes, std::uint8_t bits) {
  append(to.bytes, bytes);
  to.bits.resize(to.bytes.size(), bits);
}

void add(PacketBytes& to, const HeaderBytes& header) {
  append(to.bytes, header.bytes);
  to.bits.insert(to.bits.end(), header.bits.begin(), header.bits.end());
}

void add_mac(PacketBytes& to, const std::optional<Bytes>& mac) {
  if (mac && mac->size() == kMacLength) {
    add(to, *mac, 0xff);
  } else {
    add(to, Bytes(kMacLength), 0);
  }
}

/// Ethernet's header: the link's own address is the destination of what comes in, the source of
/// what goes out. lo has addresses of zeros.
void add_link_header(PacketBytes& to, const Packet& packet, const host::Network& network) {
  const host::Link* link = network.link(packet.in != 0 ? packet.in : packet.out);
  std::optional<Bytes> own;
  if (link != nullptr && link->mac.size() == kMacLength) own = link->mac;
  if (link != nullptr && link->type == kArphrdLoopback) {
    add(to, Bytes(2 * kMacLength), 0xff);
  } else if (packet.in != 0) {
    add_mac(to, packet.arp ? std::nullopt : own);
    add_mac(to, packet.source_mac);
  } else {
    add_mac(to, std::nullopt);
    add_mac(to, own);
  }
  const std::uint16_t type = packet.arp                      ? kEtherArp
                             : packet.family == Family::Inet ? kEtherIp
                                                             : kEtherIp6;
  const Bytes protocol = {static_cast<std::byte>(type >> 8U), static_cast<std::byte>(type & 0xffU)};
  add(to, protocol, 0xff);
  to.has_link = true;
}

bool has_ports(const Packet& packet) {
  return packet.protocol == kTcp || packet.protocol == kUdp || packet.protocol == kUdplite;
}

}  // namespace

std::optional<std::size_t> PacketBytes::begin_of(nft::PayloadBase base) const {
  switch (base) {
    case nft::PayloadBase::Link:
      return has_link ? std::optional<std::size_t>(0) : std::nullopt;
    case nft::PayloadBase::Network:
      return network;
    case nft::PayloadBase::Transport:
      return transport;
    case nft::PayloadBase::Inner:
      return inner;
    case nft::PayloadBase::Tunnel:
      break;
  }
  return std::nullopt;
}

PacketBytes bytes_of(const Packet& packet, const host::Network& network) {
  constexpr std::size_t kUsual = 128;
  PacketBytes out;
  out.bytes.reserve(kUsual);
  out.bits.reserve(kUsual);
  if (packet.has_mac && (packet.in != 0 || packet.out != 0)) add_link_header(out, packet, network);
  out.network = out.bytes.size();
  add(out, network_header(packet));
  if (packet.arp) return out;
  out.transport = out.bytes.size();
  add(out, transport_header(packet));
  if (has_ports(packet)) out.inner = out.bytes.size();
  add(out, Bytes(packet.payload_length), 0);
  return out;
}

namespace {

void mark(PacketBytes& bytes, std::size_t at, std::size_t length, std::uint8_t first) {
  for (std::size_t i = 0; i < length && at + i < bytes.bytes.size(); ++i) {
    bytes.clients[at + i].at = static_cast<std::uint8_t>(first + i);
    bytes.bytes[at + i] = std::byte{0};
    bytes.bits[at + i] = 0;
  }
}

/// Where the two addresses begin in the network header: of ARP the sender's and the target's.
std::pair<std::size_t, std::size_t> addresses_at(const Packet& packet) {
  if (packet.arp) return {14, 24};
  return packet.family == Family::Inet ? std::pair<std::size_t, std::size_t>{12, 16}
                                       : std::pair<std::size_t, std::size_t>{8, 24};
}

}  // namespace

void mark_clients(PacketBytes& bytes, const Packet& packet, const Clients& clients) {
  bytes.clients.assign(bytes.bytes.size(), {});
  const Tuple& tuple = packet.tuple;
  const auto [source, destination] = addresses_at(packet);
  const std::size_t length = packet.family == Family::Inet ? 4 : 16;
  const bool nobody =
      packet.arp && tuple.source.is_unspecified() && tuple.destination.is_unspecified();
  if (bytes.network && !nobody) {
    if (tuple.source == clients.address())
      mark(bytes, *bytes.network + source, length, ClientByte::kAddress);
    if (tuple.destination == clients.address())
      mark(bytes, *bytes.network + destination, length, ClientByte::kAddress);
  }
  if (!bytes.transport || !has_ports(packet)) return;
  if (tuple.source_port == clients.port()) mark(bytes, *bytes.transport, 2, ClientByte::kPort);
  if (tuple.destination_port == clients.port())
    mark(bytes, *bytes.transport + 2, 2, ClientByte::kPort);
}

namespace {

/// One byte of a header that Packet has a field for; false: it has none.
bool write_network(Packet& packet, std::size_t at, std::uint8_t value) {
  const bool v4 = packet.family == Family::Inet;
  const std::size_t source = v4 ? 12 : 8;
  const std::size_t length = v4 ? 4 : 16;
  if (at >= source && at < source + length) {
    packet.tuple.source.bytes[at - source] = value;
  } else if (at >= source + length && at < source + 2 * length) {
    packet.tuple.destination.bytes[at - source - length] = value;
  } else if (v4 && at == 1) {
    packet.tos = value;
  } else if (at == (v4 ? 8U : 7U)) {
    packet.ttl = value;
  } else if (!v4 && at == 0) {
    packet.tos = static_cast<std::uint8_t>((packet.tos & 0x0fU) | (value & 0x0fU) << 4U);
  } else if (!v4 && at == 1) {
    packet.tos = static_cast<std::uint8_t>((packet.tos & 0xf0U) | value >> 4U);
  } else {
    // Checksums are kept right by the kernel.
    return v4 && (at == 10 || at == 11);
  }
  return true;
}

std::uint16_t with_byte(std::uint16_t number, bool high, std::uint8_t value) {
  return static_cast<std::uint16_t>(high ? (number & 0x00ffU) | static_cast<unsigned>(value) << 8U
                                         : (number & 0xff00U) | value);
}

bool write_transport(Packet& packet, std::size_t at, std::uint8_t value) {
  if (has_ports(packet) && at < 4) {
    std::uint16_t& port = at < 2 ? packet.tuple.source_port : packet.tuple.destination_port;
    port = with_byte(port, at % 2 == 0, value);
    return true;
  }
  if (packet.protocol == kTcp && at == 13) {
    packet.tcp_flags = value;
    return true;
  }
  if (packet.protocol == kIcmp || packet.protocol == kIcmp6) {
    if (at == 0) packet.icmp_type = value;
    if (at == 1) packet.icmp_code = value;
    return at < 4;
  }
  return packet.protocol == kTcp ? at == 16 || at == 17 : at == 6 || at == 7;
}

}  // namespace

void write_header(Packet& packet, const PacketBytes& bytes, std::size_t at, ByteView value) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto byte = std::to_integer<std::uint8_t>(value[i]);
    const std::size_t place = at + i;
    if (place >= bytes.bytes.size()) return;
    if (bytes.bits[place] == 0xff && bytes.bytes[place] == value[i]) continue;
    bool known = false;
    if (bytes.transport && place >= *bytes.transport) {
      known = write_transport(packet, place - *bytes.transport, byte);
    } else if (bytes.network && place >= *bytes.network) {
      known = write_network(packet, place - *bytes.network, byte);
    }
    if (!known) packet.header_written = true;
  }
}

}  // namespace hark::reach
