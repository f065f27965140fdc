// Who connects to "localhost" and is refused, though the service runs: the name means the address
// of the other family.
//
// glibc reads a line "::1 localhost" as one for 127.0.0.1 too where IPv4 is asked for (parse_line
// of its nss/nss_files/files-hosts.c); Go and musl do not, and nobody does the reverse.
#include <algorithm>

#include "diagnose/families.h"
#include "diagnose/words.h"

namespace hark::diagnose {
namespace {

using host::Listener;

const host::Localhost* localhost_of(const Facts& facts, const Listener& listener) {
  if (!listener.owners) return nullptr;
  for (const host::Owner& owner : *listener.owners) {
    const auto found = std::ranges::lower_bound(facts.localhost, facts.host.at(owner.process).pid,
                                                {}, &host::Localhost::pid);
    const bool its =
        found != facts.localhost.end() && found->pid == facts.host.at(owner.process).pid;
    if (its) return &*found;
  }
  return nullptr;
}

bool serves(const Listener& listener, const IpAddress& address) {
  const IpAddress bound = listener.address.unmapped();
  if (!bound.is_unspecified()) return bound == address;
  return bound.family == address.family ||
         (bound.family == IpFamily::Inet6 && listener.v6only == false);
}

/// Somebody else may: clients of that name are served then, if by another program.
bool is_served(const Facts& facts, const Listener& listener, const IpAddress& address) {
  return std::ranges::any_of(facts.host.listeners, [&](const Listener& other) {
    return other.netns == listener.netns && is_stream(other) && other.port == listener.port &&
           serves(other, address);
  });
}

std::string names_of(const std::vector<IpAddress>& addresses) {
  std::string out;
  for (const IpAddress& one : addresses) out += (out.empty() ? "" : ", ") + one.text();
  return out;
}

}  // namespace

std::vector<Finding> local_names(const Facts& facts) {
  std::vector<Finding> out;
  for (const std::size_t i : facts.listeners) {
    const Listener& listener = facts.listener(i);
    const IpAddress address = listener.address.unmapped();
    if (!is_stream(listener) || !is_localhost(address)) continue;
    const host::Localhost* localhost = localhost_of(facts, listener);
    if (localhost == nullptr) continue;
    const bool served = std::ranges::any_of(localhost->addresses, [&](const IpAddress& one) {
      return is_served(facts, listener, one.unmapped());
    });
    if (served) continue;
    const bool ipv4 = address.family == IpFamily::Inet;
    const std::string means = names_of(localhost->addresses);
    const std::string file = "/proc/" + std::to_string(localhost->pid) + "/root/etc/hosts";
    Finding one{.code = "localhost-elsewhere",
                .severity = ipv4 ? Severity::Notice : Severity::Risk,
                .listener = i,
                .text = host::holder_words(facts.host, i) + " listens on " + address.text() +
                        ", and localhost is " + means + " alone: " +
                        (ipv4 ? "programs that take /etc/hosts at its word (Go, musl) are refused"
                              : "whoever connects to localhost is refused")};
    one.evidence.push_back({.fact = "localhost is " + means,
                            .where = "/etc/hosts",
                            .verify = "grep localhost " + file});
    one.evidence.push_back({.fact = "bound to " + address.text(),
                            .where = "socket",
                            .verify = socket_command(listener)});
    one.remedy =
        "give localhost both 127.0.0.1 and ::1 in /etc/hosts, or let the program listen "
        "on both, or connect to " +
        address.text();
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace hark::diagnose
