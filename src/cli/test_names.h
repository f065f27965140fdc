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

/// Asks `resolve` for each name once, on some threads. Ends at once, with some of them missing,
/// when the descriptor `stop` is readable (-1: never), for which `resolve` has to look as well.
[[nodiscard]] ResolvedNames resolve_names(
    const std::vector<std::string>& names,
    const std::function<Result<std::vector<IpAddress>>(const std::string&, int stop)>& resolve,
    int stop);

}  // namespace hark::cli
