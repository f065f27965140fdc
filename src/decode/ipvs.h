// IPVS, the kernel's load balancer: /proc/net/ip_vs, ip_vs_info_seq_show of
// net/netfilter/ipvs/ip_vs_ctl.c. One text holds all services of a namespace and needs no right;
// generic netlink would want CAP_NET_ADMIN and a request for each service. What the text leaves
// out: the family of a service that goes by mark, "ops" of IPv6, and which servers are overloaded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

/// IP_VS_CONN_F_FWD_MASK of linux/ip_vs.h
enum class IpvsMethod : std::uint8_t {
  Masq,    ///< its destination is rewritten
  Local,   ///< as it is, to the sockets of this host
  Tunnel,  ///< as it is, in a packet to the server
  Route,   ///< as it is, by the server's link-layer address
  Other,
};

/// A real server.
struct IpvsBackend {
  IpAddress address;
  std::uint16_t port = 0;  ///< 0: the one that was asked for
  IpvsMethod method = IpvsMethod::Other;
  std::int64_t weight = 0;  ///< 0: it gets no new clients
  bool operator==(const IpvsBackend&) const = default;
};

struct IpvsService {
  /// IPPROTO_*; 0: it takes what has `mark`, whatever it is.
  std::uint8_t protocol = 0;
  IpAddress address = {};      ///< with a protocol
  std::uint16_t port = 0;      ///< 0: every one that no other service of the address has
  std::uint32_t mark = 0;      ///< without one
  std::string scheduler = {};  ///< "rr", "wlc"; "none"
  bool one_packet = false;     ///< each datagram is sent to a server anew
  bool persistent = false;     ///< clients come back to the server that they had
  std::vector<IpvsBackend> backends = {};
  bool operator==(const IpvsService&) const = default;
};

/// Ordered by mark, protocol, address and port. Services of a protocol that is none of TCP, UDP and
/// SCTP are passed over. An error: a line is not of its form, or there are more than 200,000.
[[nodiscard]] Result<std::vector<IpvsService>> decode_ipvs(ByteView text);

/// "Masq", as ipvsadm says it.
[[nodiscard]] std::string_view name_of(IpvsMethod method);

}  // namespace hark::decode
