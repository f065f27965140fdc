#include "wire.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace hark::differential {

namespace {

constexpr std::uint16_t kEthAll = 3;
constexpr std::uint16_t kEthExperiment = 0x88b5;  // IEEE 802: for local experiments
constexpr int kIgnoreOutgoing = 23;               // PACKET_IGNORE_OUTGOING, since Linux 4.20

UniqueFd packet_socket(std::uint16_t protocol) {
  UniqueFd fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(protocol)));
  const int on = 1, size = 64 << 20;
  setsockopt(fd.get(), SOL_PACKET, kIgnoreOutgoing, &on, sizeof on);
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  return fd;
}

bool send_frame(int fd, int index, const Bytes& frame) {
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = index;
  return sendto(fd, frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                sizeof to) >= 0;
}

bool readable(int fd, int wait_ms) {
  pollfd waker{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&waker, 1, wait_ms) > 0;
}

}  // namespace

Wire::Wire(const Place& place, std::vector<IpAddress> dead)
    : dead_(std::move(dead)),
      interfaces_(place.interfaces()),
      frames_(packet_socket(kEthAll)),
      sentinels_(packet_socket(kEthExperiment)) {
  for (unsigned i = 0; i < kLinks; i++) {
    index_.at(i) = static_cast<int>(if_nametoindex(("w" + std::to_string(i)).c_str()));
  }
  sentinel_ = static_cast<int>(if_nametoindex("s1"));
}

void Wire::send(unsigned link, const Bytes& frame) const {
  send_frame(frames_.get(), index_.at(link), frame);
}

void Wire::drain() const {
  Bytes frame(64);
  frame[12] = static_cast<std::byte>(kEthExperiment >> 8);
  frame[13] = static_cast<std::byte>(kEthExperiment & 0xff);
  send_frame(frames_.get(), sentinel_, frame);
  // It always comes; the limit is for a machine that is badly overloaded.
  readable(sentinels_.get(), 5000);
  Bytes got(128);
  while (recv(sentinels_.get(), got.data(), got.size(), 0) > 0) {
  }
}

// Frames that say nothing, such as a sentinel, do not end the wait.
unsigned Wire::read(const std::function<void(unsigned link, const Seen&)>& take, int wait_ms) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::milliseconds(wait_ms);
  while (true) {
    const unsigned count = read_waiting(take);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (count > 0 || left <= 0) return count;
    if (!readable(frames_.get(), static_cast<int>(left))) return 0;
  }
}

unsigned Wire::read_waiting(const std::function<void(unsigned link, const Seen&)>& take) {
  unsigned count = 0;
  Bytes buffer(4096);
  while (true) {
    sockaddr_ll from{};
    socklen_t size = sizeof from;
    const ssize_t got = recvfrom(frames_.get(), buffer.data(), buffer.size(), 0,
                                 reinterpret_cast<sockaddr*>(&from), &size);
    if (got <= 0) return count;
    const auto* at = std::ranges::find(index_, from.sll_ifindex);
    if (at == index_.end()) continue;
    const auto link = static_cast<unsigned>(at - index_.begin());
    const Seen seen = read_frame(ByteView(buffer).first(static_cast<std::size_t>(got)));
    if (seen.kind == Seen::Kind::Other) continue;
    count++;
    if (seen.kind == Seen::Kind::NeighbourAsked) answer(link, seen);
    take(link, seen);
  }
}

void Wire::answer(unsigned link, const Seen& seen) const {
  const auto has_it = [&](const InterfaceNow& one) {
    return std::ranges::find(one.addresses, seen.target) != one.addresses.end();
  };
  // Its own, or a detection of doubles; but one whose local route is gone may be a client's here.
  const bool announces = seen.flow.source == seen.target;
  if (announces && std::ranges::any_of(interfaces_, has_it)) return;
  if (std::ranges::find(dead_, seen.target) != dead_.end()) return;
  IpAddress asker = seen.flow.source;
  if (asker.is_unspecified()) return;
  // Before it sends something from 127.0.0.1 the host asks as 127.0.0.1, and takes no answer to
  // that: one odd question would spoil those behind it.
  if (asker.is_loopback()) {
    const std::string name = "eth" + std::to_string(link);
    for (const InterfaceNow& one : interfaces_) {
      if (one.name == name && !one.addresses.empty()) asker = one.addresses.front();
    }
  }
  if (asker.family != seen.target.family) return;
  send(link, neighbour_answer({host_mac(link), client_mac(link)}, seen.target, asker));
}

}  // namespace hark::differential
