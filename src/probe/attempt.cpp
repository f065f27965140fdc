#include "probe/attempt.h"

#include <array>

namespace hark::probe {

std::string_view name_of(Reached phase) {
  constexpr std::array<std::string_view, 6> kNames = {"resolve", "route",      "connect",
                                                      "tls",     "first-byte", "application"};
  return kNames[static_cast<std::size_t>(phase)];
}

}  // namespace hark::probe
