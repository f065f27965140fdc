#include "reach/world.h"

#include <algorithm>
#include <array>

namespace hark::reach {

std::string_view name_of(Stage stage) {
  constexpr std::array<std::string_view, 12> kNames = {
      "link",    "xdp",   "tc",     "netdev",    "prerouting", "route",
      "forward", "input", "socket", "handshake", "process",    "reply"};
  return kNames[static_cast<std::size_t>(stage)];
}

bool World::is_waived(std::string_view key) const {
  if (scope.empty()) return std::ranges::find(waived, key) != waived.end();
  return std::ranges::find(waived, scope + std::string(key)) != waived.end();
}

}  // namespace hark::reach
