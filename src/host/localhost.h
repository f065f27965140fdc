// What "localhost" is to a program: in a container, or another root, it may be another thing.
#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

/// What the name mostly means: 127.0.0.1 and ::1, not the addresses of this host's own resolver.
[[nodiscard]] bool is_localhost(const IpAddress& address);

struct Localhost {
  std::uint32_t pid = 0;
  std::vector<IpAddress> addresses = {};  ///< in the order of its /etc/hosts
};

/// As the first server of each listener's owners has it that is bound to 127.0.0.1 or ::1; by pid,
/// of at most kMostAskedForLocalhost processes. Whose /etc/hosts cannot be read, or does not have
/// the name, is left out: a resolver decides then.
constexpr std::size_t kMostAskedForLocalhost = 256;
[[nodiscard]] std::vector<Localhost> read_localhost(kernel::Source& source, const Host& host);

}  // namespace hark::host
