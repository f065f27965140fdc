// TARGET: what a person wants to reach. The words are those of a filter (select.h); what of them
// names something that a packet can be sent to is a target.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/host.h"
#include "host/select.h"

namespace hark::host {

struct Target {
  std::string written;
  Filter filter;  ///< the one term that it is
  /// It names a port, which is asked whether somebody listens there or not. False: it names a
  /// process, unit or container, and means their listeners.
  bool endpoint = false;
  std::uint16_t port = 0;                 ///< of an endpoint
  std::optional<Protocol> protocol = {};  ///< of an endpoint: Tcp or Udp; empty: not said
  std::optional<IpAddress> address = {};  ///< of an endpoint, no wildcard; empty: not said
  std::optional<Family> family = {};      ///< by the address, wildcards too
  std::string device = {};                ///< of "fe80::1%eth0"
};

/// `8080` · `tcp/8080` · `udp/53` · `10.0.0.5:443` · `[::1]:80` · `udp/[::]:53` · `*:80` ·
/// `pid:812` · `ssh.service` · `container:NAME` · any other word or field of a filter that names
/// somebody. mptcp/8080 means tcp. What names no port and nobody ("tcp", "10.0.0.0/8",
/// "8000-9000", "raw/1") is an error that says what is missing.
[[nodiscard]] Result<Target> parse_target(const std::string& word);

/// The listeners that it means, in one namespace: those of the endpoint's port, protocol and
/// address, or all of who is named; of a bare word the whole names before parts of names. TCP,
/// MPTCP and UDP. Positions in Host::listeners, ascending.
[[nodiscard]] std::vector<std::size_t> listeners_of(const Host& host, NetnsId netns,
                                                    const Target& target);

/// Near misses of a target without a listener in that namespace.
[[nodiscard]] std::vector<Near> near_targets(const Host& host, NetnsId netns, const Target& target);

}  // namespace hark::host
