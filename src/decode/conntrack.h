// Connections that conntrack has. linux/netfilter/nfnetlink_conntrack.h,
// net/netfilter/nf_conntrack_netlink.c.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

/// A connection that conntrack has.
struct ConntrackRecord {
  std::uint8_t protocol = 0;
  IpAddress source, destination;  ///< original direction
  std::uint16_t source_port = 0, destination_port = 0;
  IpAddress reply_source, reply_destination;  ///< reply direction
  std::uint16_t reply_source_port = 0, reply_destination_port = 0;
  std::uint32_t status = 0;  ///< IPS_*
  std::uint32_t mark = 0;
  std::uint16_t zone = 0;
  std::uint8_t tcp_state = 0;
  bool operator==(const ConntrackRecord&) const = default;
};

/// Which connections are asked for: those that began with a packet like this.
struct ConntrackQuery {
  std::uint8_t protocol = 0;
  IpAddress source, destination;
  std::optional<std::uint16_t> source_port = {};  ///< empty: any
  std::uint16_t destination_port = 0;
  bool operator==(const ConntrackQuery&) const = default;
};

/// A dump. The kernel leaves out the others itself (CTA_FILTER, Linux 5.8); an older one tells of
/// all. Needs CAP_NET_ADMIN over the namespace.
[[nodiscard]] Bytes conntrack_request(const ConntrackQuery& query);

/// Those of an answer that the query means. Entries of other families are passed over.
[[nodiscard]] Result<std::vector<ConntrackRecord>> decode_conntrack(ByteView messages,
                                                                    const ConntrackQuery& query);
/// All of them.
[[nodiscard]] Result<std::vector<ConntrackRecord>> decode_conntrack(ByteView messages);

}  // namespace hark::decode
