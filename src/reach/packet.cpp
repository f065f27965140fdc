#include "reach/packet.h"

#include <algorithm>

namespace hark::reach {

namespace {

/// Appends to a header, byte by byte.
class Writer {
 public:
  explicit Writer(HeaderBytes& header) : header_(header) {
    constexpr std::size_t kUsual = 64;
    header_.bytes.reserve(kUsual);
    header_.bits.reserve(kUsual);
  }

  void byte(unsigned value, std::uint8_t known = 0xff) {
    header_.bytes.push_back(static_cast<std::byte>(value & known));
    header_.bits.push_back(known);
  }
  void number(unsigned value) {
    byte(value >> 8U & 0xffU);
    byte(value & 0xffU);
  }
  void open(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) byte(0, 0);
  }
  void zeros(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) byte(0);
  }
  void address(const IpAddress& address) {
    for (std::size_t i = 0; i < address.bits() / 8; ++i) byte(address.bytes[i]);
  }

 private:
  HeaderBytes& header_;
};

constexpr unsigned kNetworkLength4 = 20;
constexpr std::uint8_t kIcmpEcho = 8;
constexpr std::uint8_t kIcmpEchoReply = 0;

bool is_icmp(const Packet& packet) {
  return packet.protocol == kIcmp || packet.protocol == kIcmp6;
}

/// Of an error the header of the packet that caused it, and 8 bytes of that; of neighbour
/// discovery the address asked for. None of it is known.
std::size_t icmp_body(const Packet& packet) {
  if (packet.family == Family::Inet) {
    return packet.icmp_type == kIcmpEcho || packet.icmp_type == kIcmpEchoReply ? 0 : 28;
  }
  return packet.icmp_type < 128 ? 48 : 16;
}

/// As Linux lays them out (tcp_syn_options, tcp_established_options): in a SYN maximum segment
/// size, SACK permitted, timestamps, window scale; later timestamps only; none in a reset.
void tcp_options(Writer& to, const Packet& packet) {
  if ((packet.tcp_flags & kRst) != 0) return;
  if ((packet.tcp_flags & kSyn) == 0) {
    for (const unsigned value : {1U, 1U, 8U, 10U}) to.byte(value);
    to.open(8);
    return;
  }
  to.byte(2);
  to.byte(4);
  to.open(2);
  for (const unsigned value : {4U, 2U, 8U, 10U}) to.byte(value);
  to.open(8);
  for (const unsigned value : {1U, 3U, 3U}) to.byte(value);
  to.open(1);
}

std::size_t tcp_length(const Packet& packet) {
  if ((packet.tcp_flags & kRst) != 0) return 20;
  return (packet.tcp_flags & kSyn) != 0 ? 40 : 32;
}

std::size_t transport_length(const Packet& packet) {
  if (packet.protocol == kTcp) return tcp_length(packet);
  if (packet.protocol == kUdp || packet.protocol == kUdplite) return 8;
  return is_icmp(packet) ? 8 + icmp_body(packet) : 0;
}

void tcp_header(Writer& to, const Packet& packet) {
  to.number(packet.tuple.source_port);
  to.number(packet.tuple.destination_port);
  to.open(4);
  if ((packet.tcp_flags & kAck) != 0) {
    to.open(4);
  } else {
    to.zeros(4);
  }
  to.byte(static_cast<unsigned>(tcp_length(packet) / 4) << 4U);
  to.byte(packet.tcp_flags);
  if ((packet.tcp_flags & kRst) != 0) {
    to.zeros(2);
  } else {
    to.open(2);
  }
  to.open(2);
  to.zeros(2);
  tcp_options(to, packet);
}

void arp_header(Writer& to, const Packet& packet) {
  to.number(1);
  to.number(0x0800);
  to.byte(6);
  to.byte(4);
  if (packet.tuple.source.is_unspecified() && packet.tuple.destination.is_unspecified()) {
    to.byte(0);
    to.byte(0, 0xfc);  // 1 asks, 2 answers
    to.open(20);
    return;
  }
  to.number(packet.arp_reply ? 2 : 1);
  if (packet.source_mac && packet.source_mac->size() == 6) {
    for (const std::byte b : *packet.source_mac) to.byte(std::to_integer<unsigned>(b));
  } else {
    to.open(6);
  }
  to.address(packet.tuple.source);
  if (packet.arp_reply) {
    to.open(6);
  } else {
    to.zeros(6);
  }
  to.address(packet.tuple.destination);
}

/// A rule wrote into the header what is not modelled: whatever follows from no field is open.
void open_what_is_written(HeaderBytes& header, const Packet& packet, std::size_t fixed_from,
                          std::size_t fixed_length) {
  if (!packet.header_written) return;
  for (std::size_t i = 0; i < header.bytes.size(); ++i) {
    if (i >= fixed_from && i < fixed_from + fixed_length) continue;
    header.bits[i] = 0;
    header.bytes[i] = std::byte{0};
  }
}

}  // namespace

HeaderBytes network_header(const Packet& packet) {
  HeaderBytes header;
  Writer to(header);
  const std::size_t behind = transport_length(packet) + packet.payload_length;
  if (packet.arp) {
    arp_header(to, packet);
  } else if (packet.family == Family::Inet) {
    to.byte(0x45);
    to.byte(packet.tos);
    to.number(static_cast<unsigned>(std::min<std::size_t>(kNetworkLength4 + behind, 0xffff)));
    to.open(2);
    // Linux sets "don't fragment" on nearly all it sends; others need not.
    to.byte(0, 0xbf);
    to.byte(0);
    to.byte(packet.ttl);
    to.byte(packet.protocol);
    to.open(2);
    to.address(packet.tuple.source);
    to.address(packet.tuple.destination);
  } else {
    to.byte(0x60U | static_cast<unsigned>(packet.tos >> 4U));
    to.byte(static_cast<unsigned>(packet.tos << 4U) & 0xf0U, 0xf0);
    to.open(2);
    to.number(static_cast<unsigned>(std::min<std::size_t>(behind, 0xffff)));
    to.byte(packet.protocol);
    to.byte(packet.ttl);
    to.address(packet.tuple.source);
    to.address(packet.tuple.destination);
  }
  if (!packet.arp && packet.family == Family::Inet) open_what_is_written(header, packet, 8, 12);
  return header;
}

HeaderBytes transport_header(const Packet& packet) {
  HeaderBytes header;
  Writer to(header);
  if (packet.arp) return header;
  if (packet.protocol == kTcp) {
    tcp_header(to, packet);
    open_what_is_written(header, packet, 0, 14);
  } else if (packet.protocol == kUdp || packet.protocol == kUdplite) {
    to.number(packet.tuple.source_port);
    to.number(packet.tuple.destination_port);
    to.number(std::min(8U + packet.payload_length, 0xffffU));
    to.open(2);
  } else if (is_icmp(packet)) {
    to.byte(packet.icmp_type);
    to.byte(packet.icmp_code);
    to.open(6 + icmp_body(packet));
  }
  return header;
}

}  // namespace hark::reach
