// How one network namespace calls another: RTM_GETNSID of net/core/net_namespace.c
// (rtnl_net_getid). Nothing gets a number by being asked for. Linux 4.0.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::kernel {

/// Asks for the number of the namespace that `fd` is a file of.
[[nodiscard]] Bytes netns_id_request(int fd);

/// The number in the answer; nothing: it has none there.
[[nodiscard]] std::optional<std::int32_t> netns_id_in(ByteView answer);

}  // namespace hark::kernel
