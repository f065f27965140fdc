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
  std::string name;         ///< 1 to 15 bytes of any kind but '/', blanks and NUL; not "." or ".."
  std::uint32_t flags = 0;  ///< IFF_*

  bool operator==(const LinkRecord&) const = default;
};

/// Asks for one link by its index (not a dump), without statistics.
[[nodiscard]] Bytes link_request(std::uint32_t index);

/// The links of an answer. Any malformed message is an error.
[[nodiscard]] Result<std::vector<LinkRecord>> decode_links(ByteView messages);

}  // namespace hark::decode
