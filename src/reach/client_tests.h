// Tests of an address or a port of a packet. Where it is the client's and the trace is one for many
// clients (clients.h), those leave for whom the test comes out otherwise.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "reach/world.h"

namespace hark::reach {

/// Is `asked` the same as `wanted` in the bits of `mask`?
[[nodiscard]] bool masked_equal(World& world, const IpAddress& asked, const IpAddress& wanted,
                                const IpAddress& mask);
[[nodiscard]] bool lies_between(World& world, const IpAddress& asked, const IpAddress& first,
                                const IpAddress& last);
[[nodiscard]] bool lies_within(World& world, const IpAddress& asked, const Prefix& prefix);
[[nodiscard]] bool lies_between(World& world, std::uint16_t asked, std::uint32_t first,
                                std::uint32_t last);

}  // namespace hark::reach
