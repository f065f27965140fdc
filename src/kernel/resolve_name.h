// Names of hosts to addresses, by the system's resolver.
//
// That resolver is getaddrinfo(3), and it loads what /etc/nsswitch.conf names with dlopen(3): a
// static program cannot have it (docs/adr/0002-start-up.md). So getent(1) of the C library is
// asked, which calls it and prints what it gets. No fact of a host is learnt by this, and nothing
// of it is recorded: whose name it is, is a question of who asks.
#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace hark::kernel {

/// What `getent ahosts` prints: "10.0.0.9      STREAM db.lan". Each address once, in its order;
/// IPv4 addresses in IPv6 form as IPv4. Lines that begin with no address are passed over.
[[nodiscard]] std::vector<IpAddress> addresses_of_getent(std::string_view text);

/// Waits for five seconds at most. ENOENT: there is no such name, or no getent; ETIMEDOUT;
/// ECANCELED: the descriptor `stop` (-1: none) became readable before.
[[nodiscard]] Result<std::vector<IpAddress>> resolve_name(const std::string& name, int stop = -1);

}  // namespace hark::kernel
