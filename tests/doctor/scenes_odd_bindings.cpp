#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

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

/// Bound over /etc/hosts in a mount namespace of the scene's own.
void hosts(const char* text) {
  check(::unshare(CLONE_NEWNS), "unshare");
  check(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "mount");
  std::string path = "/tmp/hark-hosts-XXXXXX";
  const UniqueFd file(check(::mkostemp(path.data(), O_CLOEXEC), "mkostemp"));
  const std::string_view words(text);
  check(static_cast<int>(::write(file.get(), words.data(), words.size())), "write");
  check(::fchmod(file.get(), 0644), "fchmod");
  check(::mount(path.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr), "mount");
  ::unlink(path.c_str());
}
void localhost_is_ipv4(Stage& stage) {
  hosts("127.0.0.1 localhost\n");
  stage.server(80, 16, "::1");
}
void localhost_is_ipv6(Stage& stage) {
  hosts("# by hand\n::1\tip6-localhost localhost\n");
  stage.server(80, 16, "127.0.0.1");
}
void localhost_is_both(Stage& stage) {
  hosts("127.0.0.1 localhost\n::1 localhost\n");
  stage.server(80, 16, "::1");
}
void localhost_is_served_otherwise(Stage& stage) {
  hosts("127.0.0.1 localhost\n");
  stage.server(80, 16, "::1");
  stage.server(80, 16, "127.0.0.1");
}
void localhost_is_nowhere(Stage& stage) {
  hosts("127.0.1.1 web\n");
  stage.server(80, 16, "::1");
}

}  // namespace

std::span<const Scene> odd_binding_scenes() {
  static const std::vector<Scene> scenes = {
      {"OnlyIpv6", only_ipv6, "v6only", 80, "notice"},
      {"BothFamilies", both_families, nullptr},
      {"ASocketForEachFamily", a_socket_each, nullptr},
      {"LocalhostIsIpv4", localhost_is_ipv4, "localhost-elsewhere", 80, "risk"},
      {"LocalhostIsIpv6", localhost_is_ipv6, "localhost-elsewhere", 80, "notice"},
      {"LocalhostIsBoth", localhost_is_both, nullptr},
      {"LocalhostIsServedOtherwise", localhost_is_served_otherwise, nullptr},
      {"LocalhostIsNowhere", localhost_is_nowhere, nullptr},
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
