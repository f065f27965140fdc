// [PROTO/]ADDRESS:PORT of `hark bind`, as a person writes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/protocol.h"
#include "base/result.h"

namespace hark::cli {

struct BindTarget {
  std::string written;
  Protocol protocol = Protocol::Tcp;
  /// Empty: every address, unless there is a `name`.
  std::optional<IpAddress> address = {};
  std::string name = {};  ///< has to be resolved
  std::string zone = {};  ///< behind the %
  std::uint16_t port = 0;
};

/// `8080` · `:8080` · `udp/53` · `*:80` · `10.0.0.5:443` · `[::1]:80` · `[fe80::1%eth0]:80` ·
/// `*%eth0:67` · `localhost:80`. Port 0 is the one that the kernel picks. The error names the word
/// and what of it is wrong.
[[nodiscard]] Result<BindTarget> parse_bind_target(const std::string& word);

}  // namespace hark::cli
