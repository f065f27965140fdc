// UNIX sockets of a namespace and what waits in them: linux/unix_diag.h, net/unix/diag.c,
// sock_diag(7). Asked only to find descriptors that are under way in one.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

struct UnixSocketRecord {
  std::uint32_t inode = 0;
  std::uint8_t type = 0;    ///< SOCK_STREAM and so on
  std::uint8_t state = 0;   ///< as of TCP: 1 connected, 7 not, 10 listens
  std::uint32_t queue = 0;  ///< bytes that wait, connections of one that listens; 0: not told
  bool operator==(const UnixSocketRecord&) const = default;

  /// May hold a descriptor: something waits, or it is of a kind that takes messages without bytes.
  [[nodiscard]] bool may_hold_descriptors() const;
};

[[nodiscard]] Bytes unix_diag_request();
/// Any malformed message is an error.
[[nodiscard]] Result<std::vector<UnixSocketRecord>> decode_unix_diag(ByteView messages);

}  // namespace hark::decode
