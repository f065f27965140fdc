// All sources at once: which clients get the same outcome for the same reason.
#pragma once

#include <cstdint>
#include <vector>

#include "base/intervals.h"
#include "reach/trace.h"

namespace hark::reach {

/// Where clients send to, and the interface by which they come in.
struct Destination {
  Protocol protocol = Protocol::Tcp;  ///< Tcp or Udp
  IpAddress address;
  std::uint16_t port = 0;
  std::uint32_t interface = 0;  ///< index of a link; loopback: clients on this host
  /// Only clients with one of these addresses are asked about; empty: every one of the family.
  AddressSet sources = {};
  /// What else would block is asked, too; false: Answer::next may be empty, and tells nobody apart.
  bool next = true;
};

/// Clients that fare alike: every one of these addresses with every one of these ports.
struct ReachClass {
  std::uint32_t interface = 0;
  AddressSet addresses;
  PortSet ports;
  Answer answer;  ///< trace() of one of them, the witness: answer.question
};

/// Disjoint classes that together hold every source address that is asked about, and every port.
[[nodiscard]] std::vector<ReachClass> reach(const Tracer& tracer, const Destination& to);

}  // namespace hark::reach
