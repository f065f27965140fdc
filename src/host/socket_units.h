// For which .socket unit does systemd hold a listener: the addresses of Listen*= against what the
// kernel reports. systemd.socket(5); src/core/socket.c and src/shared/socket-netlink.c of systemd.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "decode/unit_file.h"
#include "host/host.h"
#include "host/unit_files.h"

namespace hark::host {

/// What a .socket unit asks the kernel for.
struct SocketUnit {
  struct Listen {
    Protocol protocol = Protocol::Tcp;
    decode::ListenAddress at;
  };
  std::string name;
  std::vector<Listen> listens;
  std::optional<bool> v6only;    ///< of BindIPv6Only=; nothing: as the system has it
  std::string device;            ///< BindToDevice=
  bool other_namespace = false;  ///< PrivateNetwork=, NetworkNamespacePath=
};

/// Internet sockets alone: a unit without any has no `listens`.
[[nodiscard]] SocketUnit socket_unit_of(const LoadedUnit& unit);

/// The services that it starts: Service=, or its own name; with Accept= a template, of which each
/// connection gets an instance.
[[nodiscard]] std::vector<std::string> services_of(const LoadedUnit& unit);

/// Socket units by port.
class SocketUnits {
 public:
  explicit SocketUnits(std::vector<SocketUnit> units);

  /// Names of the units that a listener fits, sorted. Several: they listen on the same address, and
  /// nothing in their files tells them apart. A unit that names a port alone fits 0.0.0.0 only
  /// where no other fits better: that is what it becomes without IPv6.
  [[nodiscard]] std::vector<std::string> fitting(const Host& host, const Listener& listener) const;

 private:
  struct ByPort {
    std::uint16_t port;
    std::size_t unit;
    std::size_t listen;
  };
  std::vector<SocketUnit> units_;
  std::vector<ByPort> by_port_;
};

}  // namespace hark::host
