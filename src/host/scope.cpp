#include "host/scope.h"

namespace hark::host {

Scope scope_of(const IpAddress& address, std::string_view interface) {
  if (address.is_loopback() || interface == "lo") return Scope::Loopback;
  const bool wildcard = address.is_unspecified() || address.unmapped().is_unspecified();
  if (!wildcard) return Scope::OneAddress;
  return interface.empty() ? Scope::All : Scope::OneInterface;
}

}  // namespace hark::host
