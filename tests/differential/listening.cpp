#include "listening.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace hark::differential {

namespace {

bool set_option(int socket, int level, int name, int value) {
  return setsockopt(socket, level, name, &value, sizeof value) == 0;
}

Error socket_error(const ListenSpec& spec) {
  return kernel_error(errno, "listener " + spec.name);
}

// Where its own host reaches it.
SocketAddress reach(const ListenSpec& spec) {
  IpAddress to = spec.address;
  if (to.is_unspecified()) {
    to = *IpAddress::parse(to.family == Family::Inet ? "127.0.0.1" : "::1");
  }
  return socket_address(to, spec.port);
}

// How many wait to be accepted, and how many may at most: tcp_get_info() of one that listens.
std::optional<tcp_info> queue_of(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  return info;
}

// One connection that nobody takes, or an accept queue that is full: listen(N) takes N + 1. Others
// that share the port may get some of them.
bool fill_queue(int fd, const ListenSpec& spec) {
  constexpr int kMost = 200;
  const SocketAddress to = reach(spec);
  for (int i = 0; i < kMost; i++) {
    const auto queue = queue_of(fd);
    if (!queue) return false;
    if (queue->tcpi_unacked > (spec.full ? queue->tcpi_sacked : 0)) return true;
    const int client = socket(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connect(client, to.get(), to.size) != 0 && errno != EINPROGRESS) return false;
    pollfd waker{.fd = client, .events = POLLOUT, .revents = 0};
    // It stays open for as long as the process lives.
    if (poll(&waker, 1, 2000) != 1) return false;
  }
  return false;
}

void fill_buffer(const ListenSpec& spec) {
  const SocketAddress to = reach(spec);
  const UniqueFd client(socket(to.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const std::array<char, 1000> piece{};
  for (int i = 0; i < 100; i++) {
    sendto(client.get(), piece.data(), piece.size(), 0, to.get(), to.size);
  }
}

bool set_filter(int fd, const std::string& kind) {
  std::vector<sock_filter> filter;
  const sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_filter accept = BPF_STMT(BPF_RET | BPF_K, 0xffff);
  if (kind == "short") {
    filter = {BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
              BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1000, 0, 1), drop, accept};
  } else {
    filter = {kind == "accept" ? accept : drop};
  }
  const sock_fprog program{.len = static_cast<unsigned short>(filter.size()),
                           .filter = filter.data()};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

// What makes a socket turn clients away that its firewall lets through.
bool set_obstacles(int fd, const ListenSpec& spec) {
  const bool v6 = spec.address.family == Family::Inet6;
  bool ok = true;
  if (spec.min_ttl != 0) {
    ok = set_option(fd, IPPROTO_IP, IP_MINTTL, spec.min_ttl);
    if (v6) ok = ok && set_option(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, spec.min_ttl);
  }
  if (spec.defer) ok = ok && set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 10);
  if (spec.mark != 0) ok = ok && set_option(fd, SOL_SOCKET, SO_MARK, spec.mark);
  if (!spec.filter.empty()) ok = ok && set_filter(fd, spec.filter);
  if (spec.md5) {
    tcp_md5sig key{};
    const SocketAddress peer = socket_address(*spec.md5, 0);
    std::memcpy(&key.tcpm_addr, &peer.storage, sizeof peer.storage);
    key.tcpm_keylen = 3;
    key.tcpm_key[0] = 'k';
    ok = ok && setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key) == 0;
  }
  return ok;
}

Result<void> set_options(int fd, const ListenSpec& spec) {
  const bool v6 = spec.address.family == Family::Inet6;
  bool ok = set_option(fd, SOL_SOCKET, SO_REUSEADDR, spec.udp ? 0 : 1);
  if (spec.reuseport) ok = ok && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (v6) ok = ok && set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, spec.v6only.value_or(false) ? 1 : 0);
  if (!spec.device.empty()) {
    ok = ok && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, spec.device.data(),
                          static_cast<socklen_t>(spec.device.size())) == 0;
  }
  if (spec.transparent) {
    ok = ok && set_option(fd, v6 ? int{IPPROTO_IPV6} : int{IPPROTO_IP},
                          v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, 1);
  }
  if (spec.udp && spec.full) ok = ok && set_option(fd, SOL_SOCKET, SO_RCVBUF, 1);
  if (spec.udp && spec.packet_info) {
    ok = ok && set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
    if (v6) ok = ok && set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  }
  if (!ok || !set_obstacles(fd, spec)) return fail(socket_error(spec));
  return {};
}

struct Served {
  int fd = -1;
  const ListenSpec* spec = nullptr;
  bool connection = false;
};

class Loop {
 public:
  Loop(const std::vector<ListenSpec>& specs, const std::vector<UniqueFd>& sockets, int control)
      : poller_(epoll_create1(EPOLL_CLOEXEC)), control_(control) {
    watch({control, nullptr, false});
    for (std::size_t i = 0; i < specs.size(); i++) {
      const bool serves = !specs[i].bound && !specs[i].full && !specs[i].idle;
      if (serves) watch({sockets[i].get(), &specs[i], false});
    }
  }

  void run() {
    while (turn(-1)) {
    }
  }

 private:
  void watch(const Served& served) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = served_.size();
    served_.push_back(served);
    epoll_ctl(poller_.get(), EPOLL_CTL_ADD, served.fd, &event);
  }

  // One wait. False: the end, or with a timeout, that there was nothing.
  bool turn(int timeout) {
    std::array<epoll_event, 64> events{};
    const int count = epoll_wait(poller_.get(), events.data(), int{events.size()}, timeout);
    bool asked = false, did = false;
    for (int i = 0; i < count; i++) {
      const Served one = served_[events.at(static_cast<std::size_t>(i)).data.u64];
      if (one.spec == nullptr) {
        asked = true;
      } else {
        did = true;
        serve_one(one);
      }
    }
    if (timeout == 0) return did;
    return !asked || answer();
  }

  // Everything that is there was asked for: goes on until there is nothing, and then tells.
  bool answer() {
    char byte = 0;
    if (read(control_, &byte, 1) != 1) return false;
    while (turn(0)) {
    }
    deliveries_ += "\n";
    const auto size = static_cast<ssize_t>(deliveries_.size());
    const bool told = write(control_, deliveries_.data(), deliveries_.size()) == size;
    deliveries_.clear();
    return told;
  }

  void note(const ListenSpec& spec, const SocketAddress& peer) {
    const auto [address, port] = read_socket_address(peer);
    deliveries_ += spec.name + (spec.udp ? " udp " : " tcp ") + address.text() + " " +
                   std::to_string(port) + "\n";
  }

  void serve_one(const Served& one) {
    if (one.spec->udp) return serve_datagram(one);
    if (one.connection) return serve_connection(one);
    const int fd = accept4(one.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) watch({fd, one.spec, true});
  }

  void serve_connection(const Served& one) {
    std::array<char, 256> piece{};
    if (read(one.fd, piece.data(), piece.size()) <= 0) {
      close(one.fd);
      return;
    }
    SocketAddress peer;
    peer.size = sizeof peer.storage;
    if (getpeername(one.fd, peer.get(), &peer.size) == 0) note(*one.spec, peer);
    send(one.fd, one.spec->name.data(), one.spec->name.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  // Answers from the address that was asked, as a server of several addresses must; with nopktinfo
  // from any.
  void serve_datagram(const Served& one) {
    std::array<char, 2048> piece{};
    alignas(cmsghdr) std::array<char, 256> control{};
    SocketAddress peer;
    iovec part{.iov_base = piece.data(), .iov_len = piece.size()};
    msghdr message{};
    message.msg_name = peer.get();
    message.msg_namelen = sizeof peer.storage;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (recvmsg(one.fd, &message, MSG_DONTWAIT) < 0) return;
    // Two servers whom a forged source has introduced would talk forever.
    if (piece[0] != '?') return;
    peer.size = message.msg_namelen;
    note(*one.spec, peer);
    for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr;
         item = CMSG_NXTHDR(&message, item)) {
      if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
        // The kernel has put the address to answer from into ipi_spec_dst.
        reinterpret_cast<in_pktinfo*>(CMSG_DATA(item))->ipi_ifindex = 0;
      } else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
        reinterpret_cast<in6_pktinfo*>(CMSG_DATA(item))->ipi6_ifindex = 0;
      }
    }
    iovec reply{.iov_base = const_cast<char*>(one.spec->name.data()),
                .iov_len = one.spec->name.size()};
    message.msg_iov = &reply;
    message.msg_flags = 0;
    sendmsg(one.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  UniqueFd poller_;
  int control_;
  std::vector<Served> served_;
  std::string deliveries_;
};

}  // namespace

SocketAddress socket_address(const IpAddress& address, std::uint16_t port) {
  SocketAddress out;
  if (address.family == Family::Inet) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    std::memcpy(&v4->sin_addr, address.bytes.data(), 4);
    out.size = sizeof *v4;
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    std::memcpy(&v6->sin6_addr, address.bytes.data(), 16);
    out.size = sizeof *v6;
  }
  return out;
}

std::pair<IpAddress, std::uint16_t> read_socket_address(const SocketAddress& from) {
  IpAddress address;
  if (from.storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&from.storage);
    std::memcpy(address.bytes.data(), &v4->sin_addr, 4);
    return {address, ntohs(v4->sin_port)};
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&from.storage);
  address.family = Family::Inet6;
  std::memcpy(address.bytes.data(), &v6->sin6_addr, 16);
  return {address.unmapped(), ntohs(v6->sin6_port)};
}

Result<UniqueFd> open_listener(const ListenSpec& spec) {
  const int family = spec.address.family == Family::Inet ? AF_INET : AF_INET6;
  const int type = (spec.udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
  UniqueFd fd(socket(family, type, 0));
  if (!fd.valid()) return fail(socket_error(spec));
  if (auto done = set_options(fd.get(), spec); !done) return fail(done.error());
  const SocketAddress here = socket_address(spec.address, spec.port);
  if (bind(fd.get(), here.get(), here.size) != 0) return fail(socket_error(spec));
  if (spec.peer) {
    const SocketAddress peer = socket_address(*spec.peer, spec.peer_port);
    if (connect(fd.get(), peer.get(), peer.size) != 0) return fail(socket_error(spec));
  }
  const bool listens = !spec.udp && !spec.bound;
  if (listens && listen(fd.get(), spec.backlog) != 0) return fail(socket_error(spec));
  if (spec.full && spec.udp) fill_buffer(spec);
  if ((spec.full || spec.idle) && !spec.udp && !fill_queue(fd.get(), spec)) {
    return fail(plain_error("listener " + spec.name, "its queue did not fill"));
  }
  return fd;
}

void serve(const std::vector<ListenSpec>& specs, const std::vector<UniqueFd>& sockets,
           int control) {
  Loop(specs, sockets, control).run();
}

}  // namespace hark::differential
