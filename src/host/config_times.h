// When the configuration files of servers that run were last written: what a file says counts only
// once its server has read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

/// The file of a server that was written last, of those that server_files.h knows of.
struct ConfigTime {
  std::uint32_t pid = 0;
  std::string file;   ///< as the process sees it
  std::string found;  ///< as hark finds it
  std::int64_t written_at_ms = 0;
  /// The server has left a mark when it read its files last; nothing: it leaves none.
  std::optional<std::int64_t> read_at_ms = {};
  bool operator==(const ConfigTime&) const = default;
};

/// At most so many servers are looked at.
constexpr std::size_t kMostConfigured = 64;

/// Of owners of listeners, by pid. Of processes that were started with the same words in the same
/// cgroup the oldest: the others are its children.
[[nodiscard]] std::vector<ConfigTime> read_config_times(kernel::Source& source, const Host& host);

}  // namespace hark::host
