#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "scenes.h"

namespace hark::doctor {
namespace {

int small_receiver(Stage& stage, int bytes) {
  const int fd = stage.bound(SOCK_DGRAM, "127.0.0.1", 80);
  check(::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes), "SO_RCVBUF");
  return fd;
}

/// So many datagrams to port 80.
void send(int count, std::size_t bytes = 1000) {
  const UniqueFd fd(check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(80);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string text(bytes, 'x');
  for (int i = 0; i < count; ++i) {
    // ECONNREFUSED and the like are none: nothing is connected.
    check(static_cast<int>(::sendto(fd.get(), text.data(), text.size(), 0,
                                    reinterpret_cast<const sockaddr*>(&to), sizeof to)),
          "sendto");
  }
}

void full(Stage& stage) {
  small_receiver(stage, 4096);
  send(50, 1);
}

void half_full(Stage& stage) {
  small_receiver(stage, 65536);
  send(10);
}

/// A burst that does not fit, then all that came is read; at the looks there is room.
void bursts(Stage& stage, int datagrams) {
  const int fd = small_receiver(stage, 16384);
  stage.endless([fd, datagrams] {
    constexpr useconds_t kPause = 20'000;
    while (true) {
      send(datagrams);
      char byte = 0;
      while (::recv(fd, &byte, 1, MSG_DONTWAIT) >= 0) {
      }
      ::usleep(kPause);
    }
  });
  stage.give_away(fd);
}

void dropping(Stage& stage) {
  bursts(stage, 100);
}
void reading(Stage& stage) {
  bursts(stage, 3);
}

/// It has dropped once, and does not any more.
void dropped_once(Stage& stage) {
  const int fd = small_receiver(stage, 4096);
  send(50);
  char byte = 0;
  while (::recv(fd, &byte, 1, MSG_DONTWAIT) >= 0) {
  }
}

}  // namespace

std::span<const Scene> full_buffer_scenes() {
  static const std::vector<Scene> scenes = {
      {"ReceiveBufferFull", full, "rcvbuf-full"},
      {"ReceiveBufferHalfFull", half_full, nullptr},
      {"DatagramsDropped", dropping, "udp-drops", 80, "risk"},
      {"DatagramsRead", reading, nullptr},
      {"DatagramsDroppedOnce", dropped_once, nullptr},
  };
  return scenes;
}

}  // namespace hark::doctor
