#include "base/protocol.h"

#include <array>

namespace hark {
namespace {
constexpr std::array<std::string_view, 5> kNames = {"tcp", "mptcp", "udp", "udplite", "raw"};
}

std::string_view name_of(Protocol protocol) {
  return kNames[static_cast<std::size_t>(protocol)];
}

std::optional<Protocol> protocol_named(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Protocol>(i);
  }
  return std::nullopt;
}

}  // namespace hark
