// The wire between kernel::Source::netns_ids and host: an array of these, one for each namespace
// that has a number. It is part of the recording format.
#pragma once

#include <cstdint>

namespace hark {

/// As one namespace calls another: IFLA_LINK_NETNSID and the like are such numbers.
struct NetnsNumber {
  std::uint64_t inode = 0;  ///< of the other one
  std::int32_t number = 0;
  std::uint32_t unused = 0;
  bool operator==(const NetnsNumber&) const = default;
};
static_assert(sizeof(NetnsNumber) == 16);

}  // namespace hark
