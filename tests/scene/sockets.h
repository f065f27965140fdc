// Makes one socket as a line of a scene describes it, and says what the kernel then says of it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "line.h"

namespace hark::scene {

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

/// "10.0.0.5:80", "[::1]:80", "[fe80::1%eth0]:80"; the device must exist in this namespace.
[[nodiscard]] Result<SocketAddress> parse_endpoint(const std::string& text);
[[nodiscard]] socklen_t length_of(const SocketAddress& address);

/// PROTOCOL ENDPOINT with the options
///   v6only=0|1 device=NAME reuseport backlog=N   before bind(2), listen(2)
///   minttl=N pktinfo   IP_MINTTL, IP_PKTINFO
///   no-listen     TCP: bound and no more
///   connect=ENDPOINT  UDP: connected
///   auto          UDP: not bound, the kernel chooses a port at the first datagram
/// of the line's words from `first` on. PROTOCOL: tcp mptcp udp udplite raw; raw takes the IP
/// protocol number as port.
[[nodiscard]] Result<UniqueFd> make_socket(const Line& line, std::size_t first);

/// "inode=… address=… port=… v6only=… device=… cookie=…" of a socket, as the kernel tells its
/// holder. v6only is - for IPv4, device is - for none.
[[nodiscard]] Result<std::string> describe_socket(int fd);

/// The inode of whatever a descriptor leads to.
[[nodiscard]] unsigned long long inode_of(int fd);

}  // namespace hark::scene
