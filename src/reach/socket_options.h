// What a socket's own options do to clients. net/ipv4/tcp_ipv4.c (tcp_v4_rcv), net/core/filter.c
// (sk_filter_trim_cap), net/ipv4/ip_sockglue.c, net/ipv6/datagram.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "decode/socket_options.h"
#include "host/host.h"
#include "reach/packet.h"
#include "reach/service.h"
#include "reach/world.h"

namespace hark::reach {

/// Null: they could not be read.
[[nodiscard]] const decode::SocketOptions* options_of(const World& world,
                                                      const host::Listener& listener);
/// An option of the socket; empty: not known.
[[nodiscard]] std::optional<std::int32_t> option(const World& world, const host::Listener& listener,
                                                 OptionPart part);

/// IP_MINTTL and IPV6_MINHOPCOUNT, of TCP.
[[nodiscard]] std::optional<Blocker> ttl_too_small(World& world, const host::Listener& listener,
                                                   const Packet& packet);
/// A filter that may drop packets, or does.
struct SocketFilter {
  std::string what;      ///< "the socket's filter (3 instructions of BPF)"
  bool certain = false;  ///< it drops every packet
  Evidence evidence;
};
[[nodiscard]] std::optional<SocketFilter> socket_filter(const host::Listener& listener,
                                                        const decode::SocketOptions& options);
/// SO_ATTACH_FILTER and SO_ATTACH_BPF.
[[nodiscard]] std::optional<Blocker> filter_drops(World& world, const host::Listener& listener,
                                                  const Packet& packet);

/// Tells that the program hears of a connection only when its client has sent something.
void tell_deferred_accept(World& world, const host::Listener& listener);

/// Does the answer to a datagram come from another address than the one that was asked? So it is
/// of a socket on every address whose program does not ask at which address datagrams came
/// (IP_PKTINFO): routing chooses the source of its answers then. One that asks is taken to answer
/// from there. Where its options could not be read, `world.choices` picks. `bound` is the link that
/// answers leave by, 0: any.
[[nodiscard]] std::optional<Blocker> other_source(World& world, const host::Listener& listener,
                                                  const Packet& packet, std::uint32_t bound);
/// It is known of the socket's program that it leaves the source of its answers to routing.
[[nodiscard]] bool is_source_routed(const World& world, const host::Listener& listener,
                                    const Packet& packet);

}  // namespace hark::reach
