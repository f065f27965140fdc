// Which packets a rule may be about, by where they are sent: protocol, address and port, as far as
// the words of the rule and of those that lead to it tell. What else a rule asks is not judged
// here: that is for a trace. So an Aim never holds too little, and may hold too much.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/intervals.h"
#include "base/protocol.h"
#include "decode/xt_table.h"

namespace hark::reach {

struct Aim {
  bool tcp = true, udp = true;
  bool inet = true, inet6 = true;
  std::optional<AddressSet> addresses = {};  ///< empty: any
  bool local = false;                        ///< addresses of this host alone
  PortSet ports = all_ports();
  bool conditional = false;  ///< it asks for something else besides
  bool unread = false;       ///< a set that was not read could say more
  bool chance = false;       ///< chance or a hash picks among several ways
  bool sticky = false;       ///< a client that was here before is remembered

  /// Each says what else must hold. False: nothing is left.
  bool ask_protocol(std::uint8_t number, bool negated = false);
  bool ask_family(Family family, bool negated = false);
  /// Addresses of one family, which alone has them.
  bool ask_addresses(const AddressSet& some, bool negated = false);
  bool ask_ports(const PortSet& some, bool negated = false);
  bool ask_match(const decode::nft::XtMatch& match);
  /// A rule of a legacy table, its matches and its target apart.
  bool ask_rule(const decode::xt::Rule& rule);

  [[nodiscard]] bool empty() const {
    return (!tcp && !udp) || (!inet && !inet6) || ports.empty() ||
           (addresses && addresses->empty());
  }
};

/// Addresses with (address & mask) == wanted; those of a mask that is no prefix, too. Nothing: too
/// many ranges to say.
[[nodiscard]] std::optional<AddressSet> masked_addresses(const IpAddress& wanted,
                                                         const IpAddress& mask);

}  // namespace hark::reach
