// Sockets that share an address and a port by SO_REUSEPORT: the kernel hands each the same share of
// the clients (reuseport_select_sock of net/core/sock_reuseport.c).
#pragma once

#include <cstddef>
#include <vector>

#include "diagnose/finding.h"

namespace hark::diagnose {

/// Does the kernel give each socket of one place its share of the clients? Two of TCP cannot listen
/// there otherwise. Of UDP sockets that share by SO_REUSEADDR the last one gets all, but for
/// multicast and broadcast, of which each has a copy.
[[nodiscard]] bool divides_clients(const Facts& facts, const host::Listener& listener);

/// The listeners of the group, this one among them; one alone: it shares with nobody. Of UDP only
/// those of which the option is known: there SO_REUSEADDR allows the same, and shares nothing.
[[nodiscard]] std::vector<std::size_t> sharing_the_port(const Facts& facts, std::size_t listener);

}  // namespace hark::diagnose
