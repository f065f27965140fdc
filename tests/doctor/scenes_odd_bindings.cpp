#include <netinet/in.h>
#include <sys/socket.h>

#include "scenes.h"

namespace hark::doctor {
namespace {

void lan(Stage& stage) {
  stage.neighbour("eth1", "10.9.0.1/24", "10.9.0.9/24");
}

void only_ipv6(Stage& stage) {
  lan(stage);
  Stage::sysctl("ipv6/bindv6only", "1");
  stage.server(80, 16, "::");
}
void both_families(Stage& stage) {
  lan(stage);
  stage.server(80, 16, "::");
}
void a_socket_each(Stage& stage) {
  only_ipv6(stage);
  stage.server(80, 16, "0.0.0.0");
}

void address_gone(Stage& stage) {
  lan(stage);
  stage.server(80, 16, "10.9.0.1");
  Stage::run({"ip", "addr", "flush", "dev", "eth1"});
}
void address_there(Stage& stage) {
  lan(stage);
  stage.server(80, 16, "10.9.0.1");
}
/// It says by IP_FREEBIND that it waits for the address.
void standby(Stage& stage) {
  lan(stage);
  UniqueFd fd(check(::socket(AF_INET, SOCK_STREAM, 0), "socket"));
  const int one = 1;
  check(::setsockopt(fd.get(), IPPROTO_IP, IP_FREEBIND, &one, sizeof one), "IP_FREEBIND");
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(80);
  to.sin_addr.s_addr = htonl(0x0a090007);
  check(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), "bind");
  check(::listen(fd.get(), 16), "listen");
  stage.keep(std::move(fd));
}

void on_device(Stage& stage) {
  lan(stage);
  const int fd = stage.listen(80, 16, "0.0.0.0");
  constexpr std::string_view kDevice = "eth1";
  check(::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, kDevice.data(), kDevice.size()),
        "SO_BINDTODEVICE");
}
void device_down(Stage& stage) {
  on_device(stage);
  Stage::run({"ip", "link", "set", "eth1", "down"});
}
void device_gone(Stage& stage) {
  on_device(stage);
  Stage::run({"ip", "link", "del", "eth1"});
}

}  // namespace

std::span<const Scene> odd_binding_scenes() {
  static const std::vector<Scene> scenes = {
      {"OnlyIpv6", only_ipv6, "v6only", 80, "notice"},
      {"BothFamilies", both_families, nullptr},
      {"ASocketForEachFamily", a_socket_each, nullptr},
      {"AddressGone", address_gone, "addr-absent", 80, "risk"},
      {"AddressThere", address_there, nullptr},
      {"StandbyForAnAddress", standby, nullptr},
      {"DeviceDown", device_down, "link-down", 80, "risk"},
      {"DeviceGone", device_gone, "link-down", 80, "risk"},
      {"DeviceUp", on_device, nullptr},
  };
  return scenes;
}

}  // namespace hark::doctor
