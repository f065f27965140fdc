// The two halves of every packet's way: in from a link up to the sockets, and out from the sockets
// to a link. A refusal made on the way in is handed back, so that it can be sent out.
// net/core/dev.c, net/ipv4/ip_input.c, ip_forward.c, ip_output.c and their IPv6 twins.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "reach/netfilter.h"
#include "reach/packet.h"
#include "reach/routing.h"
#include "reach/service.h"
#include "reach/world.h"

namespace hark::reach {

/// What this host answers instead of delivering.
struct Refusal {
  bool tcp_reset = false;
  std::uint8_t icmp_type = 0, icmp_code = 0;  ///< of ICMP, or ICMPv6 for IPv6 packets
};

/// What routing asks of a packet, as it is.
[[nodiscard]] Flow flow_of(const Packet& packet);

struct Arrival {
  enum class To : std::uint8_t {
    Local,    ///< up to the sockets
    Forward,  ///< out again: to another host, or a namespace behind a link
    Lost,
    Refused,
    Unseen,  ///< IPVS sends it on
  };
  To to = To::Lost;
  std::optional<Blocker> blocker = {};  ///< of Lost, Refused and Unseen
  Refusal refusal = {};
  RouteIn route = {};
};

/// Follows `packet`, which came in by packet.in, and changes it as rules do. Steps go to
/// `world.path`.
[[nodiscard]] Arrival arrive(World& world, Packet& packet, ConntrackView& view);

/// Follows a packet that arrived to be forwarded: FORWARD, POSTROUTING, egress. Nothing: it left.
/// `bridged`: it is passed from port to port of a bridge all the same, and is not routed.
[[nodiscard]] std::optional<Arrival> forward(World& world, Packet& packet, ConntrackView& view,
                                             const FibResult& fib, bool bridged);

/// The next hop does not answer: whoever sent the packet here is told so.
[[nodiscard]] Arrival not_there(const Packet& packet, Blocker blocker);

/// A frame goes through a port of a bridge, out of the namespace or into it: its device's rules and
/// programs. Nothing: it goes on.
[[nodiscard]] std::optional<Arrival> pass_port(World& world, Packet& packet, ConntrackView& view,
                                               std::uint32_t port, bool out);

struct Departure {
  std::optional<Blocker> blocker = {};
  /// What the sender gets at once where a rule refuses or no route leads out: an errno.
  int error = 0;
  bool sent =
      false;  ///< it had a route at first: a connecting TCP socket hears of nothing any more
  /// A rule rejected it: the sender is told by this host itself.
  std::optional<Refusal> refusal = {};
  bool unseen = false;  ///< IPVS sends it on
  RouteOut route = {};
};

/// Sends `packet`, which was made here, on its way. `bound` is the link that its socket is bound
/// to. Up to and with egress; of a packet to this host itself: up to lo, where it has still to
/// arrive. A source of 0.0.0.0 or :: lets routing choose. Steps are of `stage`.
[[nodiscard]] Departure depart(World& world, Packet& packet, ConntrackView& view,
                               std::uint32_t bound, Stage stage);

/// Can a client on the link's own subnet learn the link-layer address of `target`? ARP or neighbour
/// discovery, and the rules that see them. Nothing if so.
[[nodiscard]] std::optional<Blocker> unresolvable(World& world, std::uint32_t link,
                                                  const IpAddress& asker, const IpAddress& target);

/// What an end of a hook means as a cause. `packet` is as it was there.
[[nodiscard]] Blocker blocker_of(const World& world, HookPoint hook, const Packet& packet,
                                 const HookResult& result);

}  // namespace hark::reach
