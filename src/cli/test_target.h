// What a person wants tested: a TARGET of hark why, or another host's port, or a URL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/protocol.h"
#include "base/result.h"
#include "host/target.h"
#include "probe/conversation.h"

namespace hark::cli {

struct TestTarget {
  std::string written;
  /// A port, process, unit or container: its listeners are meant. Empty: one host's port.
  std::optional<host::Target> listeners = {};
  probe::Scheme scheme = probe::Scheme::None;
  Protocol protocol = Protocol::Tcp;
  std::optional<IpAddress> address = {};  ///< empty: `name` has to be resolved
  std::string name = {};
  std::string zone = {};  ///< the interface of "fe80::1%eth0"
  std::uint16_t port = 0;
  std::string path = {};  ///< of a URL, from its first slash
};

/// `8080` · `udp/53` · `nginx` · `pid:812` · `container:web` · `*:80` (listeners of this host) ·
/// `10.0.0.5:443` · `udp/[::1]:53` · `db.lan:5432` · `http://host:8080/path` · `https://host` ·
/// `tls://host:993`. The error names the word and what of it is wrong.
[[nodiscard]] Result<TestTarget> parse_test_target(const std::string& word);

/// A target a line; blank lines and what follows a # are passed over. Errors name `file` and the
/// line: "targets:3".
[[nodiscard]] Result<std::vector<TestTarget>> parse_test_targets(std::string_view text,
                                                                 const std::string& file);

}  // namespace hark::cli
