// The one place that decides "is this loopback only".
#pragma once

#include "host/host.h"

namespace hark::host {

/// Who could reach a socket by its binding alone, firewall and routes apart. A loopback address or
/// a socket bound to `lo` is Loopback; a wildcard with a device is OneInterface; any other address,
/// public, private or link-local alike, is OneAddress.
[[nodiscard]] Scope scope_of(const IpAddress& address, std::string_view interface);

}  // namespace hark::host
