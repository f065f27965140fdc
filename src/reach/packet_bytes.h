// A packet as one run of bytes, as nft_payload.c reads it: link-layer header, network header,
// transport header, and payload of which nothing is known.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "decode/nft_operations.h"
#include "host/network.h"
#include "reach/clients.h"
#include "reach/packet.h"

namespace hark::reach {

struct PacketBytes {
  Bytes bytes;
  std::vector<std::uint8_t> bits;             ///< 1: that bit is known
  std::optional<std::size_t> network = {};    ///< where the headers begin
  std::optional<std::size_t> transport = {};  ///< not of ARP
  std::optional<std::size_t> inner = {};      ///< behind TCP's or UDP's header
  bool has_link = false;                      ///< `bytes` begins with a link-layer header
  std::vector<ClientByte> clients = {};       ///< of a trace for many clients: as long as `bytes`

  /// Where `base` begins; nothing where the packet has no such header.
  [[nodiscard]] std::optional<std::size_t> begin_of(decode::nft::PayloadBase base) const;
};

[[nodiscard]] PacketBytes bytes_of(const Packet& packet, const host::Network& network);
/// Where an address or port is the witness's, its bytes become those of any client: not known.
/// An address that is by chance the same is taken for his, which only tells more clients apart.
void mark_clients(PacketBytes& bytes, const Packet& packet, const Clients& clients);

/// Takes over what is written into the bytes of a header, as nft_payload_set_eval does. Fields of
/// which Packet knows nothing set `header_written`.
void write_header(Packet& packet, const PacketBytes& bytes, std::size_t at, ByteView value);

}  // namespace hark::reach
