// Sources that routing cannot tell apart: routes, rules, own addresses, neighbours and the kernel's
// special prefixes cut the addresses of a family into pieces, and pieces that fall under the same
// ones are one class. What firewalls ask is told apart later (clients.h).
#pragma once

#include <vector>

#include "base/intervals.h"
#include "host/network.h"

namespace hark::reach {

/// Disjoint; together every address of the family.
[[nodiscard]] std::vector<AddressSet> routing_classes(const host::Network& network, Family family);

/// The same of ports, for rules of policy routing that ask for them.
[[nodiscard]] std::vector<PortSet> routing_ports(const host::Network& network, Family family);

}  // namespace hark::reach
