// Names of a test's targets to addresses: many at once, since a resolver that does not answer takes
// seconds for each.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace hark::cli {

struct ResolvedName {
  Result<std::vector<IpAddress>> addresses = std::vector<IpAddress>{};
  double elapsed_ms = 0;
};

using ResolvedNames = std::map<std::string, ResolvedName>;

/// Asks `resolve` for each name once, on some threads. Ends early, with some of them missing, when
/// the descriptor `stop` is readable; -1: never.
[[nodiscard]] ResolvedNames resolve_names(
    const std::vector<std::string>& names,
    const std::function<Result<std::vector<IpAddress>>(const std::string&)>& resolve, int stop);

}  // namespace hark::cli
