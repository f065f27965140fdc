// ICMP errors by the contract's names, and what a client's connect() or recv() makes of them.
// icmp(7), linux/icmp.h, net/ipv4/icmp.c (icmp_err_convert), net/ipv6/icmp.c (icmpv6_err_convert).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/address.h"

namespace hark::reach {

/// "host-unreachable", "admin-prohibited" …; empty: no error of the contract.
[[nodiscard]] std::string_view icmp_name(Family family, std::uint8_t type, std::uint8_t code);

/// The errno that a client gets; 0: none.
[[nodiscard]] int icmp_errno(Family family, std::uint8_t type, std::uint8_t code);

/// What an error is, by its family: of ICMP or of ICMPv6.
struct IcmpKind {
  std::uint8_t type = 0, code = 0;
};
/// Nobody listens there, and: nobody has the next hop's address.
[[nodiscard]] IcmpKind port_unreachable(Family family);
[[nodiscard]] IcmpKind host_unreachable(Family family);

/// A port that is closed, said by ICMP.
[[nodiscard]] bool is_port_unreachable(Family family, std::uint8_t type, std::uint8_t code);

}  // namespace hark::reach
