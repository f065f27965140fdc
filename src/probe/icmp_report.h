// The ICMP error behind an errno: the error queue of a socket. ip(7) IP_RECVERR, ipv6(7)
// IPV6_RECVERR, linux/errqueue.h.
#pragma once

#include <optional>

#include "probe/attempt.h"

namespace hark::probe {

/// Asks the kernel to keep errors of this socket. Before connect(2).
void keep_icmp_errors(int socket, Family family);

/// The first ICMP error that is kept; the queue is empty afterwards. TCP has it since Linux 5.8:
/// before, only the errno is known.
[[nodiscard]] std::optional<IcmpReport> take_icmp_error(int socket);

}  // namespace hark::probe
