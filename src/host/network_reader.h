// The parts of read_network(), each in a file of its own. Not for others.
#pragma once

#include <string>
#include <utility>

#include "host/network.h"
#include "kernel/source.h"

namespace hark::host {

/// Netlink families of linux/netlink.h.
constexpr int kNetlinkRoute = 0;
constexpr int kNetlinkXfrm = 6;
constexpr int kNetlinkNetfilter = 12;

/// What every part is handed.
struct NetworkReading {
  kernel::Source& source;
  const kernel::NetnsRef& netns;
  const NetworkRequest& request;
  Network& network;

  [[nodiscard]] Result<Bytes> ask(int protocol, ByteView message) const {
    return source.netlink(netns, protocol, message);
  }
};

/// Notes that a fact could not be read. `what` names it ("routes"), `hides` what follows.
void note_unread(const NetworkReading& reading, NetworkFact fact, const std::string& what,
                 const Error& error);

/// Errors that say "this kernel, or this namespace, has nothing of that kind".
[[nodiscard]] bool says_absent(const Error& error);

void read_links(const NetworkReading& reading);
void read_addresses(const NetworkReading& reading);
/// Addresses, routes, rules, neighbours.
void read_routing(const NetworkReading& reading);
void read_settings(const NetworkReading& reading);
/// Whether rules ever changed; needs links, routing and settings.
void read_rule_history(const NetworkReading& reading);
/// nf_tables, the old iptables, ipsets, conntrack, IPsec.
void read_firewalls(const NetworkReading& reading);
/// BPF and traffic control on links, BPF of cgroups and of the namespace.
void read_programs(const NetworkReading& reading);
/// A Link's settings as the link dump has them.
[[nodiscard]] std::optional<Ipv4Settings> ipv4_settings_of(const decode::LinkFacts& link);
[[nodiscard]] std::optional<Ipv6Settings> ipv6_settings_of(const decode::LinkFacts& link);

}  // namespace hark::host
