// Generic netlink: which families a kernel has, and what those say that open sockets by themselves.
// linux/genetlink.h, net/netlink/genetlink.c; the families' own headers are named at each decoder.
//
// Only the list of all families is asked for: asking for one by its name makes the kernel load a
// module of that name (ctrl_getfamily), a dump of all does not (ctrl_dumpfamily).
//
// An answer whose messages are malformed is an error. An attribute of the wrong length is passed
// over: what is left of the record then says less.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/protocol.h"
#include "base/result.h"

namespace hark::decode {

struct GenericFamily {
  std::uint16_t id = 0;  ///< the type of its messages, another one at each boot
  std::string name;      ///< at most 15 bytes
  bool operator==(const GenericFamily&) const = default;
};
[[nodiscard]] Bytes families_request();
[[nodiscard]] Result<std::vector<GenericFamily>> decode_families(ByteView messages);

/// What a part of the kernel says of a socket that it has opened.
struct KernelSocket {
  Protocol protocol = Protocol::Udp;
  std::optional<Family> family;      ///< empty: not told
  std::optional<IpAddress> address;  ///< empty: not told
  std::uint16_t port = 0;            ///< never 0
  std::string name;                  ///< "gue", "tunnel 7", "udp:UDP1"; of any bytes
  bool operator==(const KernelSocket&) const = default;
};

/// The listen port of one WireGuard device, by the link's index (linux/wireguard.h). The answer
/// holds the device's private key, which the source takes out (kernel/wireguard_keys.h).
[[nodiscard]] Bytes wireguard_request(std::uint16_t family, std::uint32_t index);
/// 0: the device has none.
[[nodiscard]] Result<std::uint16_t> decode_wireguard_port(ByteView messages, std::uint16_t family);

/// FOU and GUE ports: linux/fou.h, fou_fill_info of net/ipv4/fou_core.c.
[[nodiscard]] Bytes fou_request(std::uint16_t family);
[[nodiscard]] Result<std::vector<KernelSocket>> decode_fou(ByteView messages, std::uint16_t family);

/// L2TP tunnels over UDP: linux/l2tp.h, l2tp_nl_tunnel_send of net/l2tp/l2tp_netlink.c. Those that
/// a program made have a socket with a descriptor.
[[nodiscard]] Bytes l2tp_request(std::uint16_t family);
[[nodiscard]] Result<std::vector<KernelSocket>> decode_l2tp(ByteView messages,
                                                            std::uint16_t family);

/// TIPC bearers over UDP: linux/tipc_netlink.h, tipc_udp_nl_add_bearer_data of
/// net/tipc/udp_media.c.
[[nodiscard]] Bytes tipc_request(std::uint16_t family);
[[nodiscard]] Result<std::vector<KernelSocket>> decode_tipc(ByteView messages,
                                                            std::uint16_t family);

/// Endpoints of MPTCP's path manager that have a port, for which the kernel listens: linux/mptcp.h,
/// mptcp_nl_fill_addr of net/mptcp/pm_netlink.c.
[[nodiscard]] Bytes mptcp_request(std::uint16_t family);
[[nodiscard]] Result<std::vector<KernelSocket>> decode_mptcp(ByteView messages,
                                                             std::uint16_t family);

/// Listeners of the NFS server: linux/nfsd_netlink.h, since Linux 6.10.
[[nodiscard]] Bytes nfsd_request(std::uint16_t family);
[[nodiscard]] Result<std::vector<KernelSocket>> decode_nfsd(ByteView messages,
                                                            std::uint16_t family);

}  // namespace hark::decode
