// rtnetlink: links. linux/rtnetlink.h, linux/if_link.h, rtnetlink(7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

/// A UDP port that the kernel itself opens for a link while it is up.
struct TunnelPort {
  std::uint16_t port = 0;
  std::optional<Family> family;      ///< empty: of either, or both
  std::optional<IpAddress> address;  ///< the link's own end, where it was given one

  bool operator==(const TunnelPort&) const = default;
};

struct LinkRecord {
  std::uint32_t index = 0;
  std::string name;         ///< 1 to 15 bytes of any kind but '/', blanks and NUL; not "." or ".."
  std::uint32_t flags = 0;  ///< IFF_*
  std::string kind = {};    ///< IFLA_INFO_KIND: "vxlan"; empty: none told
  /// Its sockets are in another namespace: it was moved here after it was made.
  bool sockets_elsewhere = false;
  std::vector<TunnelPort> ports = {};  ///< of the kinds that tunnel through UDP

  bool operator==(const LinkRecord&) const = default;
};

/// Asks for one link by its index (not a dump), without statistics.
[[nodiscard]] Bytes link_request(std::uint32_t index);

/// Asks for all links (a dump), without statistics.
[[nodiscard]] Bytes links_request();

/// The links of an answer. What a link says of its kind is of its driver, and passed over where it
/// is not understood. Any other malformed message is an error.
[[nodiscard]] Result<std::vector<LinkRecord>> decode_links(ByteView messages);

}  // namespace hark::decode
