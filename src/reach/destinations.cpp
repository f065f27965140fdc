#include "reach/destinations.h"

namespace hark::reach {
namespace {

using host::Link;
using host::Network;

constexpr std::uint32_t kIffUp = 0x1;  // IFF_UP of linux/if.h

const char* name_of(Family family) {
  return family == Family::Inet ? "IPv4" : "IPv6";
}

/// The only family whose packets a socket takes; nothing: both.
std::optional<Family> only_family(const host::Listener& listener) {
  const IpAddress bound = listener.address.unmapped();
  const bool both =
      bound.family == Family::Inet6 && bound.is_unspecified() && !listener.v6only.value_or(false);
  return both ? std::nullopt : std::optional(bound.family);
}

}  // namespace

Service service_of(const host::Listener& listener) {
  const bool udp = listener.protocol == Protocol::Udp || listener.protocol == Protocol::Udplite;
  Service out{.protocol = udp ? Protocol::Udp : Protocol::Tcp,
              .port = listener.port,
              .bound = {},
              .family = only_family(listener)};
  const IpAddress bound = listener.address.unmapped();
  if (!bound.is_unspecified()) out.bound = bound;
  return out;
}

bool is_port(const Link& link) {
  return link.master != 0 &&
         (link.slave_kind == "bridge" || link.slave_kind == "bond" || link.slave_kind == "team");
}

bool receives(const Link& link) {
  return (link.flags & kIffUp) != 0 && !is_port(link);
}

std::optional<IpAddress> first_address(const Network& network, const Link& link, Family family,
                                       bool link_local) {
  std::optional<IpAddress> second;
  for (const host::InterfaceAddress& address : network.addresses) {
    if (address.link != link.index || address.address.family != family) continue;
    const bool local = family == Family::Inet6 && address.address.is_link_local();
    if (local == (link_local && family == Family::Inet6)) return address.address;
    if (!second) second = address.address;
  }
  return second;
}

std::optional<Destined> destined(const Network& network, const Link& link, Family family,
                                 const Service& service, bool link_local) {
  const auto& bound = service.bound;
  if (bound && bound->family == family && (link.is_loopback() || !bound->is_loopback())) {
    return Destined{*bound};
  }
  if (const auto own = first_address(network, link, family, link_local)) return Destined{*own};
  for (const Link& other : network.links) {
    if (other.is_loopback()) continue;
    const auto own = first_address(network, other, family);
    if (!own || (family == Family::Inet6 && own->is_link_local())) continue;
    return Destined{*own, link.name + " has no " + name_of(family) + " address: " + own->text() +
                              " of " + other.name + " is asked"};
  }
  return std::nullopt;
}

std::vector<Destination> destinations_of(const Network& network, const Service& service) {
  std::vector<Destination> out;
  for (const Link& link : network.links) {
    if (!receives(link)) continue;
    for (const Family family : {Family::Inet, Family::Inet6}) {
      if (service.family && *service.family != family) continue;
      const auto to = destined(network, link, family, service);
      if (!to) continue;
      out.push_back({.protocol = service.protocol,
                     .address = to->address,
                     .port = service.port,
                     .interface = link.index});
    }
  }
  return out;
}

}  // namespace hark::reach
