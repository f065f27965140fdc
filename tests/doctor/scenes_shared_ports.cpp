#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scenes.h"

namespace hark::doctor {
namespace {

constexpr uid_t kSomebody = 65534;

void lan(Stage& stage) {
  stage.neighbour("eth1", "10.9.0.1/24", "10.9.0.9/24");
  Stage::run({"ip", "-6", "addr", "add", "fd00:9::1/64", "dev", "eth1", "nodad"});
}

/// TCP lets two listen side by side only if both ask for it.
UniqueFd sharing(const char* address) {
  UniqueFd fd(check(::socket(AF_INET, SOCK_STREAM, 0), "socket"));
  const int one = 1;
  check(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &one, sizeof one), "SO_REUSEPORT");
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(80);
  to.sin_addr.s_addr = ::inet_addr(address);
  check(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), "bind");
  check(::listen(fd.get(), 16), "listen");
  return fd;
}

/// A process of that user that holds such a socket, alone.
void holder(Stage& stage, const char* address, uid_t user) {
  const UniqueFd fd = sharing(address);
  stage.process([user] { check(::setuid(user), "setuid"); });
}

void loopback_twin(Stage& stage) {
  lan(stage);
  holder(stage, "127.0.0.1", 0);
  holder(stage, "0.0.0.0", 0);
}

/// One process has both.
void both_of_one(Stage& stage) {
  lan(stage);
  stage.keep(sharing("127.0.0.1"));
  stage.keep(sharing("0.0.0.0"));
}

void another_address(Stage& stage) {
  lan(stage);
  stage.server(80, 16, "127.0.0.1");
  stage.server(80, 16, "10.9.0.1");
}

int only_ipv6(Stage& stage, std::uint16_t port, const in6_addr& address) {
  UniqueFd fd(check(::socket(AF_INET6, SOCK_STREAM, 0), "socket"));
  const int one = 1;
  check(::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one), "IPV6_V6ONLY");
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(port);
  to.sin6_addr = address;
  check(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), "bind");
  check(::listen(fd.get(), 16), "listen");
  const int out = fd.get();
  stage.keep(std::move(fd));
  return out;
}

/// 127.0.0.1 and [::], a slip of the configuration.
void other_family_open(Stage& stage) {
  lan(stage);
  stage.listen(80, 16, "127.0.0.1");
  only_ipv6(stage, 80, in6addr_any);
}
void both_families_here(Stage& stage) {
  lan(stage);
  stage.listen(80, 16, "127.0.0.1");
  only_ipv6(stage, 80, in6addr_loopback);
}

/// Two processes with a socket each, of one SO_REUSEPORT group.
void strangers(Stage& stage) {
  holder(stage, "127.0.0.1", 0);
  holder(stage, "127.0.0.1", kSomebody);
}
void workers(Stage& stage) {
  holder(stage, "127.0.0.1", 0);
  holder(stage, "127.0.0.1", 0);
}

}  // namespace

std::span<const Scene> shared_port_scenes() {
  static const std::vector<Scene> scenes = {
      {"LoopbackTwin", loopback_twin, "loopback-twin", 80, "risk"},
      {"LoopbackAndAllOfOneProcess", both_of_one, nullptr},
      {"LoopbackBesideAnotherAddress", another_address, nullptr},
      {"OtherFamilyOpen", other_family_open, "loopback-twin", 80, "risk"},
      {"BothFamiliesHere", both_families_here, nullptr},
      {"ReuseportOfStrangers", strangers, "reuseport-strangers", 80, "risk"},
      {"ReuseportOfWorkers", workers, nullptr},
  };
  return scenes;
}

}  // namespace hark::doctor
