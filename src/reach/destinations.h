// Where clients send to, if nobody said: by which interfaces packets come in, and which address of
// this host they ask there. docs/contract.md, "sources and destinations".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/protocol.h"
#include "host/host.h"
#include "host/network.h"
#include "reach/reach.h"

namespace hark::reach {

/// What is asked for at the far end.
struct Service {
  Protocol protocol = Protocol::Tcp;  ///< Tcp or Udp
  std::uint16_t port = 0;
  std::optional<IpAddress> bound = {};  ///< the address that its listener has; empty: any
  std::optional<Family> family = {};    ///< the only one that it serves; empty: both
};

/// What a listener serves, by its protocol and binding. MPTCP is asked for as TCP.
[[nodiscard]] Service service_of(const host::Listener& listener);

/// IP receives by the bridge or bond, not by its ports.
[[nodiscard]] bool is_port(const host::Link& link);
/// Up, and IP receives by it.
[[nodiscard]] bool receives(const host::Link& link);

/// The interface's first address. Of IPv6 a link-local one only where `link_local` is wanted or
/// there is no other.
[[nodiscard]] std::optional<IpAddress> first_address(const host::Network& network,
                                                     const host::Link& link, Family family,
                                                     bool link_local = false);

/// The address that is asked at an interface, and what must be said of how it came about.
struct Destined {
  IpAddress address;
  std::string note = {};  ///< "eth1 has no IPv6 address: fd00::5 of eth0 is asked"
};

/// The address that the service is bound to, where it can be asked from there, else the interface's
/// first, else one of another interface. Nothing: there is none.
[[nodiscard]] std::optional<Destined> destined(const host::Network& network, const host::Link& link,
                                               Family family, const Service& service,
                                               bool link_local = false);

/// Where a service can be asked: at every interface by which IP receives, lo included, in every
/// family that it serves.
[[nodiscard]] std::vector<Destination> destinations_of(const host::Network& network,
                                                       const Service& service);

}  // namespace hark::reach
