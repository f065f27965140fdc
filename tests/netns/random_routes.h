// Namespaces with links, addresses, routes, rules and settings by chance, as a list of commands.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/address.h"

namespace hark::netns {

/// The same seed gives the same everywhere: std::mt19937 is fixed, distributions are not.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  /// 0 to ways-1
  unsigned roll(unsigned ways) { return static_cast<unsigned>(engine_()) % ways; }
  bool chance(unsigned percent) { return roll(100) < percent; }
  template <typename T>
  const T& of(const std::vector<T>& all) {
    return all[roll(static_cast<unsigned>(all.size()))];
  }

 private:
  std::mt19937 engine_;
};

struct RandomRoutes {
  std::string links;           ///< for ip -batch, before the settings
  std::string batch4, batch6;  ///< for ip -batch and ip -6 -batch, after them
  std::vector<std::pair<std::string, std::string>> settings;  ///< path below /proc/sys/net, value
  std::vector<std::string> links_down;                        ///< set down after all else
  bool rules4 = false;                                        ///< some rule of IPv4 was added
};

[[nodiscard]] RandomRoutes random_routes(Dice& dice);

/// An address that is likely to be of interest there.
[[nodiscard]] IpAddress random_address(Dice& dice, Family family);

constexpr unsigned kRandomLinks = 4;  ///< v0 to v3, each with a peer w0 to w3

}  // namespace hark::netns
