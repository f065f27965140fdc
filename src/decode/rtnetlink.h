// rtnetlink: links. linux/rtnetlink.h, linux/if_link.h, rtnetlink(7).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

struct LinkRecord {
  std::uint32_t index = 0;
  std::string name;         ///< IFLA_IFNAME: any bytes but '/', blanks and NUL
  std::uint32_t flags = 0;  ///< IFF_*
};

/// Asks for one link by its index (not a dump), without statistics.
[[nodiscard]] Bytes link_request(std::uint32_t index);

[[nodiscard]] Result<std::vector<LinkRecord>> decode_links(ByteView messages);

}  // namespace hark::decode
