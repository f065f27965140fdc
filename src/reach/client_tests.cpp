#include "reach/client_tests.h"

#include <algorithm>

#include "reach/clients.h"

namespace hark::reach {

bool masked_equal(World& world, const IpAddress& asked, const IpAddress& wanted,
                  const IpAddress& mask) {
  if (world.clients != nullptr && !world.clients->split_masked(asked, wanted, mask)) {
    const std::string text =
        "bits of the client's address: " + wanted.text() + " in those of " + mask.text();
    return world.choices.pick(
        {.code = "client", .text = text, .key = text, .doubt = Doubt::Packet});
  }
  for (std::size_t i = 0; i < mask.bytes.size(); ++i) {
    if (((asked.bytes[i] ^ wanted.bytes[i]) & mask.bytes[i]) != 0) return false;
  }
  return true;
}

bool lies_between(World& world, const IpAddress& asked, const IpAddress& first,
                  const IpAddress& last) {
  if (world.clients != nullptr && first <= last) world.clients->split(asked, {first, last});
  return first <= asked && asked <= last;
}

bool lies_within(World& world, const IpAddress& asked, const Prefix& prefix) {
  if (asked.family != prefix.address.family) return false;
  if (world.clients != nullptr && prefix.length != 0) {
    world.clients->split(asked, range_of(prefix));
  }
  return prefix.contains(asked);
}

bool lies_between(World& world, std::uint16_t asked, std::uint32_t first, std::uint32_t last) {
  constexpr std::uint32_t kMost = 65535;
  if (world.clients != nullptr && first <= last && first <= kMost && (first != 0 || last < kMost)) {
    world.clients->split(asked, static_cast<std::uint16_t>(first),
                         static_cast<std::uint16_t>(std::min(last, kMost)));
  }
  return asked >= first && asked <= last;
}

}  // namespace hark::reach
