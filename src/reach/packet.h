// One packet on its way through this host, and what the kernel remembers of it on the way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"

namespace hark::reach {

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kIcmp6 = 58;
constexpr std::uint8_t kUdplite = 136;

/// Bits of a TCP header's flags byte.
constexpr std::uint8_t kFin = 0x01;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kRst = 0x04;
constexpr std::uint8_t kPsh = 0x08;
constexpr std::uint8_t kAck = 0x10;

/// What conntrack says of a packet: bits as in NF_CT_STATE_BIT of nf_conntrack_common.h.
enum class CtState : std::uint8_t { None, Invalid, New, Established, Related, Untracked };

struct Tuple {
  IpAddress source, destination;
  std::uint16_t source_port = 0, destination_port = 0;  ///< host order
  bool operator==(const Tuple&) const = default;
};

/// A connection as conntrack sees it during one question: made by its first packet, and asked for
/// again by the packets that follow and by the replies.
struct Connection {
  std::uint8_t protocol = 0;
  Tuple original;  ///< as the first packet came
  Tuple reply;     ///< what an answer must look like: original turned around, after NAT
  std::uint32_t mark = 0;
  std::uint16_t zone = 0;
  bool destination_nat = false;
  bool source_nat = false;
  bool destination_nat_done = false;  ///< decided, perhaps that there is none
  bool source_nat_done = false;
  bool confirmed = false;  ///< its first packet went all the way
  bool replied = false;    ///< a packet was seen in the other direction
  Bytes labels = {};       ///< 16 bytes where set
  bool assured = false;    ///< IPS_ASSURED: the handshake was seen to end
  bool existing = false;   ///< the kernel had it before this question
  bool operator==(const Connection&) const = default;
};

/// A TCP option or IPv6 extension header is never asked for by its place; `header` builds bytes.
struct Packet {
  Family family = Family::Inet;
  std::uint8_t protocol = kTcp;
  Tuple tuple;  ///< as the header says now
  std::uint8_t tcp_flags = kSyn;
  std::uint8_t icmp_type = 0;
  std::uint8_t icmp_code = 0;
  std::uint8_t ttl = 64;
  std::uint8_t tos = 0;              ///< DSCP and ECN as one byte
  std::uint16_t payload_length = 0;  ///< behind the transport header
  bool header_written = false;       ///< a rule wrote something into it that is not modelled

  std::uint32_t in = 0;    ///< index of the link it came in by; 0: made here
  std::uint32_t port = 0;  ///< where `in` is a bridge, the port of it that it came by; 0: not known
  std::uint32_t out = 0;   ///< index of the link it leaves by, once routed
  std::optional<IpAddress> gateway = {};  ///< the router it goes to, once routed
  std::uint32_t mark = 0;
  std::uint32_t priority = 0;            ///< skb->priority: tc class
  std::optional<Bytes> source_mac = {};  ///< empty: not known, or there is none
  bool has_mac = true;                   ///< it has a link-layer header at all
  bool reply = false;    ///< runs against the direction of the connection's first packet
  bool related = false;  ///< an ICMP error about the connection

  CtState ct = CtState::None;  ///< None: conntrack has not seen it yet
  /// The socket that sends it; only of packets made here.
  std::optional<std::uint32_t> socket_uid = {};
  std::optional<std::uint32_t> socket_gid = {};
  std::string socket_cgroup = {};
  std::uint32_t socket_mark = 0;
  bool from_socket = false;
  bool to_all = false;  ///< it came to the link-layer's broadcast address, whatever NAT makes of it
  bool has_socket = false;  ///< behind routing it has its connection's socket (early demux)
  bool arp = false;         ///< an ARP request or reply: ports and protocol do not count
  /// Of ARP: an answer. The addresses of `tuple` are the sender's and the target's; where both are
  /// left out, neither they nor this are known.
  bool arp_reply = false;
  std::uint16_t ct_zone = 0;  ///< a rule chose it before conntrack saw the packet
  bool ct_reply = false;      ///< conntrack found it to run in the reply direction

  [[nodiscard]] bool made_here() const { return in == 0; }
  bool operator==(const Packet&) const = default;
};

/// The bytes of its IP header (20 or 40), as far as they are determined by the packet. Bits whose
/// value is open (id, checksum) are told by `bits`.
struct HeaderBytes {
  Bytes bytes;
  /// As long as `bytes`, 1: that bit is determined. Where fields share a byte (DSCP and the flow
  /// label of IPv6) one may be open.
  std::vector<std::uint8_t> bits = {};
};
/// Of ARP, where the packet is that: all behind the link-layer header.
[[nodiscard]] HeaderBytes network_header(const Packet& packet);
/// The transport header: TCP with the options that Linux sends in a SYN, UDP, ICMP; without
/// payload.
[[nodiscard]] HeaderBytes transport_header(const Packet& packet);

}  // namespace hark::reach
