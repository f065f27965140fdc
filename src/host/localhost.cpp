#include "host/localhost.h"

#include <set>

#include "decode/services.h"

namespace hark::host {

bool is_localhost(const IpAddress& address) {
  const IpAddress own = address.unmapped();
  return own == *IpAddress::parse("127.0.0.1") || own == *IpAddress::parse("::1");
}

std::vector<Localhost> read_localhost(kernel::Source& source, const Host& host) {
  std::set<std::uint32_t> pids;
  for (const Listener& listener : host.listeners) {
    if (!is_localhost(listener.address) || !listener.owners ||
        pids.size() == kMostAskedForLocalhost)
      continue;
    for (const Owner& owner : *listener.owners) pids.insert(host.at(owner.process).pid);
  }
  std::vector<Localhost> out;
  for (const std::uint32_t pid : pids) {
    const auto file = source.read_file("/proc/" + std::to_string(pid) + "/root/etc/hosts");
    if (!file) continue;
    Localhost one{.pid = pid, .addresses = decode::decode_hosts(*file, "localhost")};
    if (!one.addresses.empty()) out.push_back(std::move(one));
  }
  return out;
}

}  // namespace hark::host
