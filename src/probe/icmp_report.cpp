#include "probe/icmp_report.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "reach/icmp_words.h"

namespace hark::probe {
namespace {

/// struct sock_extended_err of linux/errqueue.h. Behind it stands the address of who complained.
struct ExtendedError {
  std::uint32_t number;  // an errno
  std::uint8_t origin;
  std::uint8_t type;
  std::uint8_t code;
  std::uint8_t pad;
  std::uint32_t info;
  std::uint32_t data;
};
constexpr std::uint8_t kOriginIcmp = 2;   // SO_EE_ORIGIN_ICMP
constexpr std::uint8_t kOriginIcmp6 = 3;  // SO_EE_ORIGIN_ICMP6

template <typename T>
std::optional<T> value_at(const cmsghdr* message, std::size_t offset) {
  if (message->cmsg_len < CMSG_LEN(offset + sizeof(T))) return std::nullopt;
  T out;
  std::memcpy(&out, CMSG_DATA(message) + offset, sizeof out);
  return out;
}

std::optional<IpAddress> offender_of(const cmsghdr* message, Family family) {
  IpAddress out{.family = family};
  if (family == Family::Inet) {
    const auto address = value_at<sockaddr_in>(message, sizeof(ExtendedError));
    if (!address || address->sin_family != AF_INET) return std::nullopt;
    std::memcpy(out.bytes.data(), &address->sin_addr, 4);
    return out;
  }
  const auto address = value_at<sockaddr_in6>(message, sizeof(ExtendedError));
  if (!address || address->sin6_family != AF_INET6) return std::nullopt;
  std::memcpy(out.bytes.data(), &address->sin6_addr, 16);
  return out;
}

std::optional<IcmpReport> report_of(const cmsghdr* message) {
  const bool inet = message->cmsg_level == IPPROTO_IP && message->cmsg_type == IP_RECVERR;
  const bool inet6 = message->cmsg_level == IPPROTO_IPV6 && message->cmsg_type == IPV6_RECVERR;
  if (!inet && !inet6) return std::nullopt;
  const auto error = value_at<ExtendedError>(message, 0);
  if (!error) return std::nullopt;
  if (error->origin != kOriginIcmp && error->origin != kOriginIcmp6) return std::nullopt;
  const Family family = error->origin == kOriginIcmp ? Family::Inet : Family::Inet6;
  return IcmpReport{.name = std::string(reach::icmp_name(family, error->type, error->code)),
                    .from = offender_of(message, family),
                    .port = reach::is_port_unreachable(family, error->type, error->code),
                    .error = static_cast<int>(error->number)};
}

}  // namespace

void keep_icmp_errors(int socket, Family family) {
  const int on = 1;
  if (family == Family::Inet) {
    static_cast<void>(::setsockopt(socket, IPPROTO_IP, IP_RECVERR, &on, sizeof on));
  } else {
    static_cast<void>(::setsockopt(socket, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on));
  }
}

std::optional<IcmpReport> take_icmp_error(int socket) {
  std::optional<IcmpReport> out;
  for (;;) {
    std::array<char, 512> payload{};
    alignas(cmsghdr) std::array<char, 512> control{};
    iovec data{.iov_base = payload.data(), .iov_len = payload.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return out;
    for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
      auto report = report_of(one);
      if (report && !out) out = std::move(report);
    }
  }
}

}  // namespace hark::probe
