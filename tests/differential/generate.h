// Random hosts and questions. What is generated is a script (script.h), so that a case can be kept
// and cut down by hand.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dice.h"
#include "script.h"

namespace hark::differential {

/// The `index`-th case of a seed.
[[nodiscard]] Case generate(std::uint64_t seed, std::uint64_t index);

/// What the parts of a random host know of each other.
struct Plan {
  Dice dice;
  Case one;
  unsigned firewall = 0;  ///< how much of each, 0: none
  unsigned nat = 0, routing = 0, sockets = 0, xt = 0, sets = 0;
  bool chance = false;                                    ///< rules may roll dice
  std::vector<std::pair<bool, std::uint16_t>> open = {};  ///< is it UDP, and the port of listeners
  unsigned boxes = 0;                                     ///< containers
  /// Ports of this host that lead to containers, as above.
  std::vector<std::pair<bool, std::uint16_t>> published = {};
  bool marks = false;  ///< rules set marks, and policy rules look at them
  void step(Step::Kind kind, bool late, std::string text, std::string program = {});
  void ip(std::string text) { step(Step::Kind::Ip, true, std::move(text)); }
  void sysctl(std::string text) { step(Step::Kind::Sysctl, true, std::move(text)); }
};

void add_listeners(Plan& plan);
void add_routing(Plan& plan);
void add_nft(Plan& plan);
void add_xt(Plan& plan);
void add_asks(Plan& plan);
/// Containers behind a bridge or a routed pair, with published ports, masquerading and rules for
/// what is forwarded; and questions about them.
void add_boxes(Plan& plan);
void add_box_asks(Plan& plan);

/// Ranges of clients' addresses that rules are about, as they are written, none overlapping
/// another; and the addresses at their ends and just outside.
[[nodiscard]] const std::vector<std::string>& source_ranges(bool v6);
[[nodiscard]] const std::vector<IpAddress>& source_addresses(bool v6);
/// A port, or a range of ports, that rules and listeners are about.
[[nodiscard]] std::string port_word(Dice& dice);
/// Mostly one of the ports of listeners.
[[nodiscard]] std::uint16_t port_number(Dice& dice);

}  // namespace hark::differential
