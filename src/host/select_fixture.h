// A small host for the tests of filters and near misses.
#pragma once

#include <string>
#include <vector>

#include "host/scope.h"
#include "host/select.h"

namespace hark::host {

/// Puts a host together: processes first, then listeners that name their owners by pid.
class HostBuilder {
 public:
  HostBuilder();

  Process& process(std::uint32_t pid, const char* name, const char* exe, const char* unit = "");
  /// Owners by pid; call .owners.reset() on what is returned for "could not be read".
  Listener& listener(Protocol protocol, const char* address, std::uint16_t port,
                     const std::vector<std::uint32_t>& owners, const char* interface = "");

  Host host;
};

/// nginx on tcp 80 and 443, sshd on 22 (dual stack), postgres on 127.0.0.1:5432 and ::1,
/// dnsmasq on udp 10.0.0.5:53, a container's redis on 6379 in the namespace blue, an unseen
/// owner on 8080 as v4-mapped, a raw ICMP socket, wireguard without owner on udp 51820.
[[nodiscard]] Host example_host();

/// Positions in example_host().
enum Example : std::size_t {
  kHttp,
  kHttps,
  kSsh,
  kPostgres4,
  kPostgres6,
  kDns,
  kRedis,
  kUnseen,
  kRaw,
  kWireguard,
  kExamples
};

}  // namespace hark::host
