// What decides whether a socket could be bound: who has the port already, with the flags that
// bind(2) compares, and the settings of the namespace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/protocol.h"
#include "decode/bound_sockets.h"
#include "decode/route_messages.h"
#include "host/host.h"
#include "host/service_facts.h"
#include "kernel/source.h"

namespace hark::host {

/// A socket that has a port, listening or not.
struct PortSocket {
  decode::BoundRecord bound;
  /// Position in Host::listeners of what is known of its owners; empty: it has no file.
  std::optional<std::size_t> listener = {};
};

/// Sockets of one protocol in one namespace.
struct PortSockets {
  std::vector<decode::BoundRecord> sockets;
  std::vector<BindBucket> buckets;  ///< of TCP
  /// Those of the asked port are told by the kernel's own tables: with their flags, of TCP with
  /// their buckets, of UDP in the order in which they are compared.
  bool exact = false;
  std::optional<Error> error = {};  ///< not all could be read
};

/// ip-sysctl. What could not be read is empty.
struct BindSettings {
  std::optional<std::uint16_t> first_free = {};  ///< ip_unprivileged_port_start
  decode::PortRange local_ports{32768, 60999};   ///< ip_local_port_range
  std::vector<decode::PortRange> reserved = {};  ///< ip_local_reserved_ports
  std::optional<bool> nonlocal4 = {};            ///< ip_nonlocal_bind
  std::optional<bool> nonlocal6 = {};
  std::optional<bool> v6only = {};         ///< bindv6only
  std::optional<bool> l3mdev_accept = {};  ///< tcp_l3mdev_accept; a kernel without VRF has none
  bool autobind_reuse = false;             ///< ip_autobind_reuse
  bool has_ipv6 = false;
};

/// Who would bind.
struct BindUser {
  std::uint32_t uid = 0;
  std::string name = {};
  /// CAP_NET_BIND_SERVICE over the namespace; empty: it cannot be told.
  std::optional<bool> low_ports = {};
};

struct BindFacts {
  NetnsId netns{};
  std::vector<PortSocket> sockets;
  std::vector<BindBucket> buckets;
  bool exact = false;
  BindSettings settings;
  BindUser user;
  std::optional<Error> sockets_error = {};
  RefusedOptions refused = {};  ///< of sockets of the port
  std::vector<Gap> gaps = {};   ///< what else may refuse: security modules
};

/// Ports on either side of the asked one that are read as well, for the nearest that is free.
constexpr std::uint16_t kPortsAround = 100;

/// Port 0: all. Of a recording that holds all ports those are taken.
[[nodiscard]] PortSockets read_port_sockets(kernel::Source& source, const kernel::NetnsRef& netns,
                                            Protocol protocol, std::uint16_t port);

/// Those that no listing of listeners has, as if they were: their owners are looked for with the
/// others'. A port may have thousands of connections, which mostly are one owner's: the first few
/// hundred.
[[nodiscard]] std::vector<Listener> more_to_own(const PortSockets& found, std::uint16_t port,
                                                NetnsId netns, const std::vector<Listener>& listed);

[[nodiscard]] BindSettings read_bind_settings(kernel::Source& source,
                                              const kernel::NetnsRef& netns);

/// `wanted`: a name or a number; empty: who runs hark. The error is one of usage.
[[nodiscard]] Result<BindUser> read_bind_user(kernel::Source& source, const std::string& wanted);

/// Joins all that was read, and asks holders for the flags that are not known.
[[nodiscard]] BindFacts join_bind_facts(kernel::Source& source, const kernel::NetnsRef& netns,
                                        const Host& host, NetnsId id, std::uint16_t port,
                                        PortSockets found, BindUser user);

/// For a recording: asks for the sockets of all ports. What more_to_own() makes of them.
[[nodiscard]] std::vector<Listener> record_port_sockets(kernel::Source& source,
                                                        const kernel::NetnsRef& netns, NetnsId id,
                                                        const std::vector<Listener>& listed);
/// And for their options, once their owners are known; takes them out of the host again.
void record_options(kernel::Source& source, Host& host, const std::set<std::uint32_t>& inodes);
/// And for the rest of what a question about a bind may need.
void record_bind_facts(kernel::Source& source, const kernel::NetnsRef& netns);

}  // namespace hark::host
