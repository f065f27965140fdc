// ADDRESS[:PORT] of --from and --to: one end of a connection, as a person writes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/result.h"

namespace hark::cli {

struct Peer {
  std::string written;
  std::optional<IpAddress> address = {};  ///< empty: `name` has to be resolved
  std::string name = {};
  std::string zone = {};  ///< the interface of "fe80::1%eth0"
  std::optional<std::uint16_t> port = {};
};

/// `10.0.0.9` · `10.0.0.9:40000` · `fd00::9` · `[fd00::9]:40000` · `fe80::9%eth0` · `client.lan` ·
/// `client.lan:40000`. `option` is named by the error: "--from". What looks like an address and is
/// none is an error, not a name; so is a prefix.
[[nodiscard]] Result<Peer> parse_peer(const std::string& option, const std::string& text);

}  // namespace hark::cli
