#include "local_client.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "frames.h"
#include "listening.h"
#include "prober.h"

namespace hark::differential {

namespace {

// Errors reported by ICMP are wanted at once and with their type: without IP_RECVERR a TCP socket
// tells them after its first retransmission only.
void want_errors(int socket, Family family) {
  const int on = 1;
  if (family == Family::Inet) setsockopt(socket, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  if (family == Family::Inet6) setsockopt(socket, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

}  // namespace

LocalClient::LocalClient(const Ask& ask, Observation& seen)
    : ask_(ask),
      socket_(socket(ask.source.family == Family::Inet ? AF_INET : AF_INET6,
                     (ask.udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  want_errors(socket_.get(), ask.source.family);
  const SocketAddress here = socket_address(ask.source, seen.source_port);
  const SocketAddress there = socket_address(ask.destination, ask.port);
  if (bind(socket_.get(), here.get(), here.size) != 0) {
    seen.outcome = "invalid";
    seen.error = errno;
    ended_ = true;
    return;
  }
  if (connect(socket_.get(), there.get(), there.size) != 0 && errno != EINPROGRESS) {
    take_error(seen, errno);
  } else if (ask.udp && ::send(socket_.get(), "?", 1, 0) != 1) {
    take_error(seen, errno);
  }
}

void LocalClient::take_error(Observation& seen, int error) {
  // A reset ends a connection that was there; what is refused says ECONNREFUSED.
  if (is_connected() || error == ECONNRESET) connected_ = true;
  if (connected_ && seen.outcome.empty()) seen.outcome = "hangs";
  ended_ = true;
  // The error of an ICMP message may be met before the message itself.
  if (take_queued_error(seen)) return;
  seen.error = error;
  if (!connected_) seen.outcome = error == ECONNREFUSED ? "refused" : "rejected";
}

// An error about a later packet is told to a socket that is connected by then (IP_RECVERR), and
// changes nothing about that: others do not hear of it at all.
bool LocalClient::is_connected() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  return !ask_.udp && getsockopt(socket_.get(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
         info.tcpi_state == TCP_ESTABLISHED;
}

bool LocalClient::take_queued_error(Observation& seen) {
  alignas(cmsghdr) std::array<char, 512> control{};
  std::array<char, 256> data{};
  iovec part{.iov_base = data.data(), .iov_len = data.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (recvmsg(socket_.get(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return false;
  for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr;
       item = CMSG_NXTHDR(&message, item)) {
    const bool v4 = item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_RECVERR;
    const bool v6 = item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_RECVERR;
    if (!v4 && !v6) continue;
    sock_extended_err what{};
    std::memcpy(&what, CMSG_DATA(item), sizeof what);
    if (what.ee_origin != SO_EE_ORIGIN_ICMP && what.ee_origin != SO_EE_ORIGIN_ICMP6) continue;
    if (connected_) return true;
    if (is_connected()) {
      connected_ = true;
      seen.outcome = "hangs";
      (void)::send(socket_.get(), "?", 1, MSG_NOSIGNAL);
      return true;
    }
    ended_ = true;
    seen.error = static_cast<int>(what.ee_errno);
    seen.icmp = icmp_name(ask_.source.family, what.ee_type, what.ee_code);
    seen.outcome = seen.icmp == "port-unreachable" ? "refused" : "rejected";
    return true;
  }
  return false;
}

bool LocalClient::go_on(Observation& seen) {
  if (ended_) return false;
  if (take_queued_error(seen)) return true;
  pollfd waker{.fd = socket_.get(),
               .events = static_cast<short>(connected_ || ask_.udp ? POLLIN : POLLIN | POLLOUT),
               .revents = 0};
  if (poll(&waker, 1, 0) <= 0) return false;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    take_error(seen, error);
    return true;
  }
  if (!ask_.udp && !connected_) {
    if ((waker.revents & POLLOUT) == 0) return false;
    connected_ = true;
    seen.outcome = "hangs";
    return ::send(socket_.get(), "?", 1, MSG_NOSIGNAL) == 1;
  }
  std::array<char, 256> data{};
  const ssize_t got = recv(socket_.get(), data.data(), data.size(), MSG_DONTWAIT);
  if (got < 0) return false;
  ended_ = true;
  if (got == 0) return true;
  seen.listener.assign(data.data(), static_cast<std::size_t>(got));
  seen.outcome = "answered";
  return true;
}

void LocalClient::conclude(Observation& seen) {
  if (seen.outcome.empty()) seen.outcome = "silent";
}

}  // namespace hark::differential
