#include "host/kernel_owners.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "host/gaps.h"
#include "host/kernel_makers.h"

namespace hark::host {
namespace {

unsigned bit(Transport transport) {
  return static_cast<unsigned>(transport);
}

unsigned transport_of(const Listener& listener) {
  switch (listener.protocol) {
    case Protocol::Tcp:
    case Protocol::Mptcp:
      return bit(Transport::Tcp);
    case Protocol::Udp:
      return bit(Transport::Udp);
    case Protocol::Udplite:
    case Protocol::Raw:
      break;
  }
  return 0;
}

/// No process was seen to hold it, and nothing says that one does.
bool is_orphan(const Listener& listener) {
  return (!listener.owners || listener.owners->empty()) && listener.kernel_owners.empty() &&
         listener.socket.has_file != true && transport_of(listener) != 0;
}

/// All that could be read was, or the kernel itself says that the socket has no file.
bool has_no_process(const Listener& listener) {
  return listener.owners.has_value() || listener.socket.has_file == false;
}

bool fits(const KernelClaim& claim, const Listener& listener) {
  const decode::KernelSocket& socket = claim.socket;
  const bool udp = listener.protocol == Protocol::Udp;
  if (socket.port != listener.port || udp != (socket.protocol == Protocol::Udp)) return false;
  if (claim.guessed && !has_no_process(listener)) return false;
  const IpAddress bound = listener.address.unmapped();
  // A socket of both families is IPv6 and takes IPv4 as well.
  if (socket.family && *socket.family != bound.family && listener.v6only != false) return false;
  return !socket.address || bound.is_unspecified() || bound == socket.address->unmapped();
}

void add_owner(const KernelClaim& claim, const std::string& elsewhere, Listener& listener) {
  KernelOwner owner = claim.owner;
  owner.detail += elsewhere;
  if (std::ranges::find(listener.kernel_owners, owner) == listener.kernel_owners.end()) {
    listener.kernel_owners.push_back(std::move(owner));
  }
}

/// The host's orphans, by namespace, port and transport, so that each claim finds its own.
using Orphans = std::map<NetnsId, std::multimap<std::uint16_t, std::size_t>>;

Orphans orphans_of(const Host& host, std::size_t namespaces) {
  Orphans out;
  for (std::size_t i = 0; i < host.listeners.size(); ++i) {
    const Listener& listener = host.listeners[i];
    if (!is_orphan(listener) || static_cast<std::size_t>(listener.netns) >= namespaces) continue;
    if (!host.at(listener.netns).entered) continue;
    out[listener.netns].emplace(listener.port, i);
  }
  return out;
}

void apply(const std::vector<KernelClaim>& claims, const std::string& elsewhere,
           const std::multimap<std::uint16_t, std::size_t>& orphans, Host& host) {
  for (const KernelClaim& claim : claims) {
    const auto [begin, end] = orphans.equal_range(claim.socket.port);
    for (auto at = begin; at != end; ++at) {
      Listener& listener = host.listeners[at->second];
      if (!fits(claim, listener)) continue;
      add_owner(claim, elsewhere, listener);
      // Sockets of the kernel are not counted in the table that tells whether there are any.
      if (claim.socket.protocol == Protocol::Mptcp) listener.protocol = Protocol::Mptcp;
    }
  }
}

/// Does the namespace's own name, or its being ours where nothing else is known, make it the
/// host's?
bool is_hosts(const Host& host, NetnsId id) {
  const Netns& netns = host.at(id);
  if (netns.name == "host") return true;
  const bool known =
      std::ranges::any_of(host.namespaces, [](const Netns& each) { return each.name == "host"; });
  return netns.own && !known;
}

/// A gap, if a listener is left that one of those may have opened.
void note_refusals(const KernelAsker& asker,
                   const std::multimap<std::uint16_t, std::size_t>& orphans, Host& host) {
  const bool left = std::ranges::any_of(
      orphans, [&host](const auto& of_port) { return is_orphan(host.listeners[of_port.second]); });
  constexpr std::size_t kNamed = 5;
  const auto& all = asker.refused();
  if (!left || all.empty()) return;
  std::string words = join(std::span(all).first(std::min(all.size(), kNamed)), ", ");
  if (all.size() > kNamed) words += " and " + std::to_string(all.size() - kNamed) + " more";
  host.gaps.push_back(gaps::kernel_ports_not_read(words));
}

std::string called(const Netns& netns) {
  if (!netns.name.empty()) return netns.name;
  return netns.inode ? "net:[" + std::to_string(*netns.inode) + "]" : "another";
}

/// A device elsewhere that would explain sockets here, and the namespaces whose sockets it would.
struct Elsewhere {
  std::size_t netns = 0;  ///< where the device is
  KernelClaim claim;
  std::set<NetnsId> fits_in;
};

bool fits_any(const KernelClaim& claim, const std::multimap<std::uint16_t, std::size_t>& orphans,
              const Host& host) {
  const auto [begin, end] = orphans.equal_range(claim.socket.port);
  return std::any_of(
      begin, end, [&](const auto& of_port) { return fits(claim, host.listeners[of_port.second]); });
}

/// Sockets of devices that were moved to another namespace. A device tells its port, and not where
/// its socket is: it is believed only where one device alone fits one namespace alone.
void ask_the_others(kernel::Source& source, std::span<const kernel::NetnsRef> refs,
                    const Orphans& orphans, Host& host) {
  Orphans waiting;
  for (const auto& [id, ports] : orphans) {
    for (const auto& of_port : ports) {
      const Listener& listener = host.listeners[of_port.second];
      if (!is_orphan(listener) || listener.protocol != Protocol::Udp) continue;
      if (has_no_process(listener)) waiting[id].insert(of_port);
    }
  }
  if (waiting.empty()) return;
  std::vector<Elsewhere> found;
  for (std::size_t other = 0; other < refs.size(); ++other) {
    if (!host.namespaces[other].entered) continue;
    KernelAsker asker(source, refs[other], false);
    std::vector<KernelClaim> claims;
    find_moved_links(asker, claims);
    for (KernelClaim& claim : claims) {
      Elsewhere one{.netns = other, .claim = std::move(claim), .fits_in = {}};
      for (const auto& [id, unexplained] : waiting) {
        if (static_cast<std::size_t>(id) != other && fits_any(one.claim, unexplained, host)) {
          one.fits_in.insert(id);
        }
      }
      if (!one.fits_in.empty()) found.push_back(std::move(one));
    }
  }
  for (const Elsewhere& one : found) {
    const NetnsId id = *one.fits_in.begin();
    const auto rivals = std::ranges::count_if(found, [&](const Elsewhere& other) {
      return other.fits_in.contains(id) && other.claim.socket.port == one.claim.socket.port;
    });
    if (one.fits_in.size() != 1 || rivals != 1) continue;
    apply({one.claim}, " in namespace " + called(host.namespaces[one.netns]), waiting.at(id), host);
  }
}

}  // namespace

void name_kernel_owners(kernel::Source& source, std::span<const kernel::NetnsRef> refs,
                        Host& host) {
  const std::size_t namespaces = std::min(refs.size(), host.namespaces.size());
  const Orphans orphans = orphans_of(host, namespaces);
  for (const auto& [id, ports] : orphans) {
    unsigned wanted = 0;
    for (const auto& of_port : ports) wanted |= transport_of(host.listeners[of_port.second]);
    KernelAsker asker(source, refs[static_cast<std::size_t>(id)], is_hosts(host, id));
    std::vector<KernelClaim> claims;
    for (const KernelMaker& maker : kernel_makers()) {
      if ((wanted & bit(maker.transport)) != 0) maker.find(asker, claims);
    }
    apply(claims, "", ports, host);
    note_refusals(asker, ports, host);
  }
  ask_the_others(source, refs.first(namespaces), orphans, host);
  for (const auto& [id, ports] : orphans) {
    for (const auto& of_port : ports) {
      Listener& listener = host.listeners[of_port.second];
      if (!listener.kernel_owners.empty()) listener.owners.emplace();
    }
  }
}

}  // namespace hark::host
