// An address and port, of either family, as sockets want them.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace hark {

struct Endpoint {
  sockaddr_in6 six{};
  sockaddr_in four{};
  int family = AF_INET;

  Endpoint(const std::string& address, const std::string& port) {
    const auto port_be = htons(static_cast<std::uint16_t>(std::stoi(port)));
    if (address.find(':') != std::string::npos) {
      family = six.sin6_family = AF_INET6;
      six.sin6_port = port_be;
      ::inet_pton(AF_INET6, address.c_str(), &six.sin6_addr);
    } else {
      four.sin_family = AF_INET;
      four.sin_port = port_be;
      ::inet_pton(AF_INET, address.c_str(), &four.sin_addr);
    }
  }
  [[nodiscard]] const sockaddr* get() const {
    return family == AF_INET6 ? reinterpret_cast<const sockaddr*>(&six)
                              : reinterpret_cast<const sockaddr*>(&four);
  }
  [[nodiscard]] socklen_t size() const { return family == AF_INET6 ? sizeof six : sizeof four; }
};

/// A socket that listens there, of that family alone; -1: errno.
inline int listening_socket(const Endpoint& at) {
  const int out = ::socket(at.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (at.family == AF_INET6) ::setsockopt(out, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const bool ready = ::bind(out, at.get(), at.size()) == 0 && ::listen(out, 16) == 0;
  return ready ? out : -1;
}

}  // namespace hark
