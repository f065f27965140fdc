#include "bind_world.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace hark::netns {
namespace {

using diagnose::BindCall;

constexpr unsigned kNoIndex = 9999;  // no interface has it
constexpr const char* kRange = "/proc/sys/net/ipv4/ip_local_port_range";
constexpr const char* kUsualRange = "30000 31000";

union Name {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

struct Place {
  Name name{};
  socklen_t size = 0;
};

Place place_of(const IpAddress& address, std::uint16_t port, const std::string& zone) {
  Place out;
  if (address.family == Family::Inet) {
    out.name.v4.sin_family = AF_INET;
    out.name.v4.sin_port = htons(port);
    std::memcpy(&out.name.v4.sin_addr, address.bytes.data(), 4);
    out.size = sizeof out.name.v4;
    return out;
  }
  out.name.v6.sin6_family = AF_INET6;
  out.name.v6.sin6_port = htons(port);
  std::memcpy(&out.name.v6.sin6_addr, address.bytes.data(), 16);
  if (!zone.empty()) {
    const unsigned index = ::if_nametoindex(zone.c_str());
    out.name.v6.sin6_scope_id = index == 0 ? kNoIndex : index;
  }
  out.size = sizeof out.name.v6;
  return out;
}

std::uint32_t inode_of(int fd) {
  struct stat status {};
  ::fstat(fd, &status);
  return static_cast<std::uint32_t>(status.st_ino);
}

bool connected(int fd, const Place& to) {
  if (::connect(fd, &to.name.any, to.size) == 0) return true;
  if (errno != EINPROGRESS) return false;
  constexpr int kWait = 100;  // on this host it takes no time at all
  pollfd one{.fd = fd, .events = POLLOUT, .revents = 0};
  int error = 0;
  socklen_t size = sizeof error;
  return ::poll(&one, 1, kWait) == 1 &&
         ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

/// What is bound to a device other than lo has no way to this host itself.
bool reaches_itself(const Wanted& wanted) {
  return wanted.device.empty() || wanted.device == "lo";
}

/// Where a client reaches a socket of this address.
IpAddress reached(const IpAddress& address) {
  if (!address.unmapped().is_unspecified()) return address.unmapped();
  return *IpAddress::parse(address.unmapped().family == Family::Inet ? "127.0.0.1" : "::1");
}

void write_file(const char* path, const char* text) {
  const UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
  if (file.valid()) static_cast<void>(!::write(file.get(), text, std::strlen(text)));
}

}  // namespace

void set_option(int fd, int level, int name, int value) {
  static_cast<void>(::setsockopt(fd, level, name, &value, sizeof value));
}

std::string describe(const Wanted& wanted) {
  std::string out = wanted.udp ? "udp/" : "tcp/";
  out += diagnose::endpoint_text(wanted.address, wanted.port);
  if (!wanted.zone.empty()) out += " zone " + wanted.zone;
  if (!wanted.device.empty()) out += " device " + wanted.device;
  if (wanted.reuseaddr) out += " reuseaddr";
  if (wanted.reuseport) out += " reuseport";
  if (wanted.v6only) out += " v6only";
  return out + " uid " + std::to_string(wanted.uid);
}

diagnose::BindQuestion question_of(const Wanted& wanted) {
  return {.protocol = wanted.udp ? Protocol::Udp : Protocol::Tcp,
          .address = wanted.address,
          .port = wanted.port,
          .zone = wanted.zone,
          .device = wanted.device,
          .reuseaddr = wanted.reuseaddr,
          .reuseport = wanted.reuseport,
          .v6only = wanted.v6only};
}

Happened make_socket(const Wanted& wanted, bool listens, UniqueFd& out) {
  struct AsUser {
    explicit AsUser(uid_t uid) { static_cast<void>(!::seteuid(uid)); }
    ~AsUser() { static_cast<void>(!::seteuid(0)); }
  } as_user(wanted.uid);
  const bool v6 = wanted.address.family == Family::Inet6;
  out =
      UniqueFd(::socket(v6 ? AF_INET6 : AF_INET,
                        (wanted.udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!out.valid()) return {errno, BindCall::Socket};
  const int fd = out.get();
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, wanted.reuseaddr ? 1 : 0);
  set_option(fd, SOL_SOCKET, SO_REUSEPORT, wanted.reuseport ? 1 : 0);
  if (v6) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, wanted.v6only ? 1 : 0);
  if (!wanted.device.empty() && ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, wanted.device.c_str(),
                                             static_cast<socklen_t>(wanted.device.size())) != 0) {
    return {errno, BindCall::SetSockOpt};
  }
  const Place at = place_of(wanted.address, wanted.port, wanted.zone);
  if (::bind(fd, &at.name.any, at.size) != 0) return {errno, BindCall::Bind};
  if (listens && !wanted.udp && ::listen(fd, 8) != 0) return {errno, BindCall::Listen};
  return {};
}

Happened try_bind(const Wanted& wanted) {
  UniqueFd fd;
  return make_socket(wanted, true, fd);
}

Held& SocketSet::keep(UniqueFd fd, std::string told) {
  const std::uint32_t inode = inode_of(fd.get());
  all.push_back({std::move(fd), inode, std::move(told)});
  return all.back();
}

/// To a server of its own, which stays.
bool SocketSet::connect_from(int fd, const Wanted& wanted) {
  if (!reaches_itself(wanted)) return false;
  Wanted server{.udp = wanted.udp,
                .address = reached(wanted.address),
                .port = 0,
                .zone = wanted.zone,
                .device = {},
                .reuseaddr = false,
                .reuseport = false,
                .v6only = false,
                .uid = 0};
  UniqueFd listener;
  if (make_socket(server, true, listener).error != 0) return false;
  Place to = place_of(server.address, 0, wanted.zone);
  if (::getsockname(listener.get(), &to.name.any, &to.size) != 0) return false;
  if (wanted.address.family == Family::Inet6 && server.address.family == Family::Inet) {
    Name mapped{};
    mapped.v6.sin6_family = AF_INET6;
    mapped.v6.sin6_port = to.name.v4.sin_port;
    mapped.v6.sin6_addr.s6_addr[10] = 0xff;
    mapped.v6.sin6_addr.s6_addr[11] = 0xff;
    std::memcpy(mapped.v6.sin6_addr.s6_addr + 12, &to.name.v4.sin_addr, 4);
    to = {mapped, sizeof mapped.v6};
  }
  const bool done = connected(fd, to);
  keep(std::move(listener), "  a server on another port");
  return done;
}

bool SocketSet::add_connection(int listener, const Wanted& wanted, Story story, uid_t accepts) {
  if (!reaches_itself(wanted)) return false;
  const IpAddress to = reached(wanted.address);
  const bool v6 = to.family == Family::Inet6;
  UniqueFd client(::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!wanted.device.empty()) {
    static_cast<void>(::setsockopt(client.get(), SOL_SOCKET, SO_BINDTODEVICE, wanted.device.c_str(),
                                   static_cast<socklen_t>(wanted.device.size())));
  }
  if (!connected(client.get(), place_of(to, wanted.port, wanted.zone))) return false;
  if (story == Story::Waits) {
    keep(std::move(client), "  the client of a connection that waits");
    return true;
  }
  static_cast<void>(!::seteuid(accepts));
  UniqueFd server(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  static_cast<void>(!::seteuid(0));
  if (!server.valid()) return false;
  if (story == Story::Closes || story == Story::Half) {
    server = UniqueFd();
    if (story == Story::Half) keep(std::move(client), "  the client of a connection half closed");
    return true;
  }
  keep(std::move(client), "  a client");
  keep(std::move(server), "  a connection, accepted by " + std::to_string(accepts));
  return true;
}

void SocketSet::tell(const Wanted& wanted, Story story, uid_t accepts) {
  UniqueFd fd;
  const bool listens = story > Story::Connects;
  const Happened made = make_socket(wanted, listens, fd);
  if (made.error != 0) return;
  constexpr std::array<const char*, kStories> kWords = {
      "bound", "connects", "listens", "serves", "leaves", "closes", "half", "waits", "shuts down"};
  std::string told = "  " + describe(wanted) + " " + kWords[static_cast<std::size_t>(story)];
  if (story == Story::Connects && !connect_from(fd.get(), wanted)) told += " (in vain)";
  if (story > Story::Listens && story != Story::ShutsDown &&
      !add_connection(fd.get(), wanted, story, accepts)) {
    told += " (in vain)";
  }
  if (story == Story::ShutsDown) ::shutdown(fd.get(), SHUT_RDWR);
  Held& held = keep(std::move(fd), std::move(told));
  if (story == Story::Leaves) close(held);
}

void SocketSet::close(Held& held) {
  if (!held.fd.valid()) return;
  held.fd = UniqueFd();
  held.told += " (closed)";
}

bool SocketSet::close_named() {
  for (const decode::BoundRecord& one : named) {
    const auto found = std::ranges::find_if(
        all, [&](const Held& held) { return held.fd.valid() && held.inode == one.socket.inode; });
    if (found == all.end()) return false;
    // Without TIME_WAIT.
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    static_cast<void>(
        ::setsockopt(found->fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
    close(*found);
  }
  return true;
}

std::string SocketSet::text() const {
  std::string out;
  for (const Held& held : all) {
    out += "  " + held.told + ", inode " + std::to_string(held.inode) + "\n";
  }
  for (const decode::BoundRecord& one : named) {
    out += "    named: " + diagnose::endpoint_text(one.socket.local, one.socket.local_port) +
           " state " + std::to_string(one.socket.state) + " inode " +
           std::to_string(one.socket.inode) + " uid " + std::to_string(one.socket.uid) + " reuse " +
           std::to_string(one.reuse.value_or(false)) + " reuseport " +
           std::to_string(one.reuseport.value_or(false)) + "\n";
  }
  return out;
}

bool make_place(const PlaceSettings& settings) {
  if (::unshare(CLONE_NEWNET) != 0) return false;
  // A kernel without VRF does without: then there is no device of that name.
  std::string script =
      "set -e; cd /proc/sys/net; echo 0 > ipv6/conf/all/accept_dad;"
      "echo 0 > ipv6/conf/default/accept_dad; echo 1 > ipv6/conf/default/addr_gen_mode;"
      "ip link set lo up; ip link add one type veth peer name other;"
      "ip link add two type veth peer name another;"
      "if ip link add vrf9 type vrf table 9 2>/dev/null; then"
      "  ip link set vrf9 up; ip link set two master vrf9; fi;"
      "ip address add 10.9.0.1/24 brd + dev one; ip address add 10.9.1.1/24 dev two;"
      "for link in one other two another; do ip link set $link up; done;"
      "ip -6 address add fd09::1/64 dev one nodad; ip -6 address add fe80::9/64 dev one nodad;"
      "ip -6 address add fd09:1::1/64 dev two nodad;";
  const auto set = [&script](const char* file, int value) {
    script += "echo " + std::to_string(value) + " > " + file + ";";
  };
  set("ipv4/tcp_l3mdev_accept", settings.l3mdev_accept ? 1 : 0);
  set("ipv4/ip_nonlocal_bind", settings.nonlocal ? 1 : 0);
  set("ipv6/ip_nonlocal_bind", settings.nonlocal ? 1 : 0);
  set("ipv4/ip_unprivileged_port_start", settings.first_free);
  set("ipv4/ip_autobind_reuse", settings.autobind_reuse ? 1 : 0);
  if (std::system(script.c_str()) != 0) return false;
  write_file(kRange, kUsualRange);
  return true;
}

NarrowRange::NarrowRange(std::uint16_t first) : narrowed_(first != 0) {
  if (narrowed_) {
    write_file(kRange, (std::to_string(first) + " " + std::to_string(first + 1)).c_str());
  }
}

NarrowRange::~NarrowRange() {
  if (narrowed_) write_file(kRange, kUsualRange);
}

}  // namespace hark::netns
