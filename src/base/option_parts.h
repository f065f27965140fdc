// What a source says of the options of one socket (kernel/source.h, SocketHolder): parts
// (base/parts.h), one for each option that was asked for, each the bytes of getsockopt(2)'s answer
// or the errno with which the kernel refused. socket(7), ip(7), ipv6(7), tcp(7).
//
// The numbers are part of the recording format: tags may be added, never renumbered.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hark {

/// Every answer is an int, but for Filter.
enum class OptionPart : std::uint16_t {
  ReuseAddress = 1,
  ReusePort = 2,
  DontRoute = 3,
  Broadcast = 4,
  Mark = 5,
  BoundDevice = 6,  ///< SO_BINDTOIFINDEX
  LockFilter = 7,
  /// SO_GET_FILTER: array of struct sock_filter, empty where there is none. EACCES: it is an eBPF
  /// program, which the kernel does not give out.
  Filter = 8,

  Tos = 9,
  Ttl = 10,
  MinTtl = 11,
  PacketInfo = 12,  ///< IP_PKTINFO
  OriginalDestination = 13,
  FreeBind = 14,
  Transparent = 15,
  MulticastAll = 16,

  // Of sockets of IPv6 only; these have those of IPv4 as well, for packets of IPv4.
  V6Only = 17,
  TrafficClass = 18,
  HopLimit = 19,  ///< IPV6_UNICAST_HOPS
  MinHopCount = 20,
  PacketInfo6 = 21,     ///< IPV6_RECVPKTINFO
  OldPacketInfo6 = 22,  ///< IPV6_2292PKTINFO, the same under an older name
  OriginalDestination6 = 23,

  // Of TCP only.
  DeferAccept = 24,
  FastOpen = 25,
};
constexpr std::size_t kOptionParts = 26;  ///< the greatest tag, and one

}  // namespace hark
