// Ethernet frames as the prober makes and reads them: ARP, neighbour discovery, TCP, UDP, and ICMP
// errors about those.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/address.h"
#include "base/bytes.h"

namespace hark::differential {

using Mac = std::array<std::uint8_t, 6>;

/// One end of a flow, and the other.
struct Flow {
  IpAddress source, destination;
  std::uint16_t source_port = 0, destination_port = 0;
};

/// What a frame says, as far as the prober cares.
struct Seen {
  enum class Kind : std::uint8_t {
    Other,
    NeighbourAsked,    ///< ARP request or neighbour solicitation for `target`
    NeighbourAnswers,  ///< that `target` is at `sender`
    Tcp,
    Udp,
    IcmpError,
  };
  Kind kind = Kind::Other;
  Mac sender{};
  Flow flow;         ///< of IcmpError: of the packet that it is about
  IpAddress target;  ///< asked for, or answered
  std::uint8_t tcp_flags = 0;
  std::uint32_t sequence = 0, acknowledged = 0;
  std::string payload = {};
  bool udp = false;  ///< of IcmpError: the packet it is about
  std::uint8_t icmp_type = 0, icmp_code = 0;
};
[[nodiscard]] Seen read_frame(ByteView frame);

/// "host-unreachable", "admin-prohibited" … as in contract.md; the bare numbers where that has no
/// word.
[[nodiscard]] std::string icmp_name(Family family, std::uint8_t type, std::uint8_t code);

struct Envelope {
  Mac to{}, from{};
};
struct TcpPart {
  std::uint8_t flags = 0;
  std::uint32_t sequence = 0, acknowledged = 0;
  std::string payload = {};
};
[[nodiscard]] Bytes tcp_frame(const Envelope& envelope, const Flow& flow, const TcpPart& part);
[[nodiscard]] Bytes udp_frame(const Envelope& envelope, const Flow& flow, std::string_view payload);
/// ARP request or neighbour solicitation by `asker` for `target`.
[[nodiscard]] Bytes neighbour_question(const Mac& from, const IpAddress& asker,
                                       const IpAddress& target);
/// To `asker`: `target` is at `from`.
[[nodiscard]] Bytes neighbour_answer(const Envelope& envelope, const IpAddress& target,
                                     const IpAddress& asker);

}  // namespace hark::differential
