// An address and port in the kernel's form, for the server and the client of `hark lab`.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.h"

namespace hark::drill {

struct LabEndpoint {
  sockaddr_storage storage{};
  socklen_t length = 0;
  bool udp = false;

  [[nodiscard]] const sockaddr* get() const;
  [[nodiscard]] int family() const { return storage.ss_family; }
};

[[nodiscard]] LabEndpoint lab_endpoint(const IpAddress& address, std::uint16_t port, bool udp);

/// "10.0.0.5:80", "[::]:80", "udp/0.0.0.0:53", "tcp/127.0.0.1:80".
[[nodiscard]] std::optional<LabEndpoint> parse_lab_endpoint(std::string_view text);

}  // namespace hark::drill
