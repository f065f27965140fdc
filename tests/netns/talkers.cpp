#include "talkers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace hark::netns {

Talkers::Talkers(const std::string& path, const std::vector<Role>& roles)
    : stop_(::eventfd(0, EFD_CLOEXEC)) {
  std::thread([&] {
    const UniqueFd netns(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(::setns(netns.get(), CLONE_NEWNET), 0) << path;
    for (const Role& role : roles) open(role);
  }).join();
  thread_ = std::thread([this] { run(); });
}

Talkers::~Talkers() {
  const std::uint64_t one = 1;
  EXPECT_EQ(::write(stop_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  thread_.join();
}

void Talkers::open(const Role& role) {
  const bool udp = role.manner == Manner::Echo || role.manner == Manner::Deaf;
  UniqueFd fd(::socket(AF_INET6, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
  const int on = 1;
  const int off = 0;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  sockaddr_in6 at{};
  at.sin6_family = AF_INET6;
  at.sin6_port = htons(role.port);
  if (role.address != nullptr) ::inet_pton(AF_INET6, role.address, &at.sin6_addr);
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0) << role.port;
  if (!udp) {
    ASSERT_EQ(::listen(fd.get(), 64), 0) << role.port;
  }
  sockets_.push_back({std::move(fd), role.manner, !udp});
}

void Talkers::wait_for_goodbyes(unsigned count) {
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(
      changed_.wait_for(lock, std::chrono::seconds(30), [&] { return goodbyes_ >= count; }));
}

void Talkers::run() {
  for (;;) {
    std::vector<pollfd> waits = {{.fd = stop_.get(), .events = POLLIN, .revents = 0}};
    for (const Socket& socket : sockets_) {
      const bool deaf =
          socket.manner == Manner::Deaf || (socket.manner == Manner::Mute && !socket.listens);
      waits.push_back({.fd = deaf ? -1 : socket.fd.get(), .events = POLLIN, .revents = 0});
    }
    if (::poll(waits.data(), waits.size(), -1) < 0 || waits.front().revents != 0) return;
    // Serving adds sockets behind those that were waited for.
    for (std::size_t i = 1; i < waits.size(); ++i) {
      if (waits[i].revents != 0) serve(sockets_[i - 1]);
    }
    std::erase_if(sockets_, [](const Socket& socket) { return !socket.fd.valid(); });
  }
}

void Talkers::serve(Socket& socket) {
  std::array<char, 2048> bytes{};
  if (socket.manner == Manner::Echo) {
    sockaddr_in6 from{};
    socklen_t size = sizeof from;
    const ssize_t got = ::recvfrom(socket.fd.get(), bytes.data(), bytes.size(), 0,
                                   reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return;
    ::sendto(socket.fd.get(), bytes.data(), static_cast<std::size_t>(got), 0,
             reinterpret_cast<const sockaddr*>(&from), size);
    return;
  }
  if (socket.listens) {
    greet(socket);
    return;
  }
  if (::recv(socket.fd.get(), bytes.data(), bytes.size(), 0) > 0) return;
  socket.fd.reset();
  const std::lock_guard lock(mutex_);
  ++goodbyes_;
  changed_.notify_all();
}

void Talkers::greet(Socket& socket) {
  UniqueFd client(::accept4(socket.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!client.valid()) return;
  if (socket.manner == Manner::Reset) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return;
  }
  if (socket.manner == Manner::Banner) {
    constexpr std::string_view kBanner = "SSH-2.0-Test_1\r\n";
    ::send(client.get(), kBanner.data(), kBanner.size(), MSG_NOSIGNAL);
  }
  sockets_.push_back({std::move(client), socket.manner, false});
}

}  // namespace hark::netns
