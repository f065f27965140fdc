#include "sockets.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/text.h"

namespace hark::scene {

namespace {

constexpr int kIpprotoUdplite = 136;
constexpr int kIpprotoMptcp = 262;

struct Kind {
  std::string_view word;
  int type;
  int protocol;
};
constexpr std::array kKinds = {
    Kind{"tcp", SOCK_STREAM, 0}, Kind{"mptcp", SOCK_STREAM, kIpprotoMptcp},
    Kind{"udp", SOCK_DGRAM, 0},  Kind{"udplite", SOCK_DGRAM, kIpprotoUdplite},
    Kind{"raw", SOCK_RAW, -1},
};

Result<void> set(int fd, int level, int option, int value, const char* what) {
  if (setsockopt(fd, level, option, &value, sizeof value) == 0) return {};
  return fail(kernel_error(errno, what));
}

Result<void> set_options(int fd, const Line& line) {
  if (const std::string v6only = line.value("v6only"); !v6only.empty()) {
    const auto done = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6only == "1" ? 1 : 0, "IPV6_V6ONLY");
    if (!done) return done;
  }
  if (line.has("reuseport")) {
    const auto done = set(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
    if (!done) return done;
  }
  if (line.has("pktinfo")) {
    const auto done = set(fd, IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO");
    if (!done) return done;
  }
  if (const auto ttl = parse_number<int>(line.value("minttl")); ttl) {
    const auto done = set(fd, IPPROTO_IP, IP_MINTTL, *ttl, "IP_MINTTL");
    if (!done) return done;
  }
  if (const std::string device = line.value("device"); !device.empty()) {
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device.data(),
                   static_cast<socklen_t>(device.size())) != 0) {
      return fail(kernel_error(errno, "SO_BINDTODEVICE " + device));
    }
  }
  return {};
}

// A datagram to the discard port of this host makes the kernel choose a port for the socket.
Result<void> send_first_datagram(int fd, sa_family_t family) {
  SocketAddress to{};
  if (family == AF_INET) {
    to.v4.sin_family = AF_INET;
    to.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.v4.sin_port = htons(9);
  } else {
    to.v6.sin6_family = AF_INET6;
    to.v6.sin6_addr = in6addr_loopback;
    to.v6.sin6_port = htons(9);
  }
  if (sendto(fd, "x", 1, 0, &to.any, length_of(to)) != 1) {
    return fail(kernel_error(errno, "sendto"));
  }
  return {};
}

Result<void> bind_and_more(int fd, const Line& line, const Kind& kind, SocketAddress address) {
  if (line.has("auto")) {
    return send_first_datagram(fd, address.any.sa_family);
  }
  if (kind.type == SOCK_RAW) {
    (address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port) = 0;
  }
  if (bind(fd, &address.any, length_of(address)) != 0) return fail(kernel_error(errno, "bind"));
  if (const std::string peer = line.value("connect"); !peer.empty()) {
    const Result<SocketAddress> to = parse_endpoint(peer);
    if (!to) return fail(to.error());
    if (connect(fd, &to->any, length_of(*to)) != 0) return fail(kernel_error(errno, "connect"));
  }
  if (kind.type != SOCK_STREAM || line.has("no-listen")) return {};
  const int backlog = parse_number<int>(line.value("backlog", "128")).value_or(128);
  if (listen(fd, backlog) != 0) return fail(kernel_error(errno, "listen"));
  return {};
}

}  // namespace

Result<SocketAddress> parse_endpoint(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return fail(plain_error(text, "no port"));
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  if (!port) return fail(plain_error(text, "not a port"));
  std::string host = text.substr(0, colon);
  SocketAddress address{};
  if (!host.starts_with('[')) {
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(*port);
    if (inet_pton(AF_INET, host.c_str(), &address.v4.sin_addr) == 1) return address;
    return fail(plain_error(text, "not an address"));
  }
  if (!host.ends_with(']')) return fail(plain_error(text, "no closing bracket"));
  host = host.substr(1, host.size() - 2);
  address.v6.sin6_family = AF_INET6;
  address.v6.sin6_port = htons(*port);
  if (const std::size_t percent = host.find('%'); percent != std::string::npos) {
    address.v6.sin6_scope_id = if_nametoindex(host.substr(percent + 1).c_str());
    if (address.v6.sin6_scope_id == 0) return fail(kernel_error(errno, text));
    host.resize(percent);
  }
  if (inet_pton(AF_INET6, host.c_str(), &address.v6.sin6_addr) == 1) return address;
  return fail(plain_error(text, "not an address"));
}

socklen_t length_of(const SocketAddress& address) {
  return address.any.sa_family == AF_INET ? sizeof address.v4 : sizeof address.v6;
}

Result<UniqueFd> make_socket(const Line& line, std::size_t first) {
  const std::string protocol = line.word(first);
  const Kind* kind = nullptr;
  for (const Kind& candidate : kKinds) {
    if (candidate.word == protocol) kind = &candidate;
  }
  if (kind == nullptr) return fail(plain_error(protocol, "not a protocol"));
  const Result<SocketAddress> address = parse_endpoint(line.word(first + 1));
  if (!address) return fail(address.error());
  const in_port_t port =
      address->any.sa_family == AF_INET ? address->v4.sin_port : address->v6.sin6_port;
  UniqueFd made(socket(address->any.sa_family, kind->type | SOCK_CLOEXEC,
                       kind->protocol < 0 ? ntohs(port) : kind->protocol));
  if (!made.valid()) return fail(kernel_error(errno, "socket " + protocol));
  if (const auto done = set_options(made.get(), line); !done) return fail(done.error());
  if (const auto done = bind_and_more(made.get(), line, *kind, *address); !done) {
    return fail(done.error());
  }
  return made;
}

Result<std::string> describe_socket(int fd) {
  SocketAddress address{};
  socklen_t length = sizeof address;
  if (getsockname(fd, &address.any, &length) != 0) return fail(kernel_error(errno, "getsockname"));
  const bool v4 = address.any.sa_family == AF_INET;
  char text[INET6_ADDRSTRLEN] = {};
  if (v4) {
    inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof text);
  }
  std::string v6only = "-";
  if (!v4) {
    int value = 0;
    length = sizeof value;
    if (getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &length) != 0) {
      return fail(kernel_error(errno, "IPV6_V6ONLY"));
    }
    v6only = value != 0 ? "1" : "0";
  }
  std::uint64_t cookie = 0;
  length = sizeof cookie;
  if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0) {
    return fail(kernel_error(errno, "SO_COOKIE"));
  }
  char device[IFNAMSIZ] = {};
  length = sizeof device;
  if (getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &length) != 0) {
    return fail(kernel_error(errno, "SO_BINDTODEVICE"));
  }
  return "inode=" + std::to_string(inode_of(fd)) + " address=" + text +
         " port=" + std::to_string(ntohs(v4 ? address.v4.sin_port : address.v6.sin6_port)) +
         " v6only=" + v6only + " device=" + (device[0] == '\0' ? "-" : device) +
         " cookie=" + std::to_string(cookie);
}

unsigned long long inode_of(int fd) {
  struct stat seen {};
  return fstat(fd, &seen) == 0 ? seen.st_ino : 0;
}

}  // namespace hark::scene
