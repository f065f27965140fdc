// Packets that are refused without a word: the kernel sends no ICMP error and no reset about them,
// whatever the way back. icmp_send of net/ipv4/icmp.c, icmp6_send of net/ipv6/icmp.c,
// nf_reject_ipv4.c, nf_reject_ipv6.c, tcp_v6_send_response of net/ipv6/tcp_ipv6.c.
#pragma once

#include <optional>

#include "reach/passage.h"
#include "reach/steps.h"

namespace hark::reach {

/// Who refuses: the route of the packet is known to all but the first.
enum class Refuser : std::uint8_t { RuleBeforeRouting, Rule, Socket };

/// Why the refusal of `packet`, as it came, is never sent; nothing: it is.
[[nodiscard]] std::optional<Blocker> never_refused(World& world, const Packet& packet,
                                                   const Refusal& refusal, Refuser refuser);

/// Why that answer of a UDP server goes astray, whatever the way back: it is sent as IPv4, or to
/// itself, or needs a right that servers do not ask for (udp_sendmsg). Nothing: it is sent. `link`:
/// to which the socket is bound; 0: to none.
[[nodiscard]] std::optional<Blocker> never_answered(World& world, const Packet& reply,
                                                    std::uint32_t link);

/// ipv6_anycast_destination(): an anycast address of ours, or just the address that begins a subnet
/// of a link, by which its routers are meant.
[[nodiscard]] bool is_anycast6(World& world, const IpAddress& address);

}  // namespace hark::reach
