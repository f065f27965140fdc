#include "diagnose/from_world.h"

#include <algorithm>

namespace hark::diagnose {
namespace {

constexpr std::uint8_t kUnicast = 1;  // RTN_UNICAST of linux/rtnetlink.h
/// A VPN takes over the default route with two that are half as wide.
constexpr unsigned kWidestDefault = 1;

AddressSet of_prefixes(std::initializer_list<const char*> texts) {
  std::vector<AddressRange> ranges;
  for (const char* text : texts) ranges.push_back(range_of(*Prefix::parse(text)));
  return AddressSet(std::move(ranges));
}

/// Which part of all addresses of its family.
double part_of_all(const AddressSet& set) {
  double sum = 0;
  for (const Prefix& one : prefixes_of(set)) {
    double part = 1;
    for (unsigned bit = 0; bit < one.length; ++bit) part /= 2;
    sum += part;
  }
  return sum;
}

}  // namespace

const AddressSet& public_addresses(IpFamily family) {
  static const AddressSet v4 =
      all_addresses(IpFamily::Inet)
          .minus(of_prefixes({"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
                              "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3"}));
  static const AddressSet v6 = of_prefixes({"2000::/3"});
  return family == IpFamily::Inet ? v4 : v6;
}

bool leads_to_world(const host::Network& network, std::uint32_t link, IpFamily family) {
  return std::ranges::any_of(network.routes, [&](const host::Route& route) {
    return route.family == family && route.type == kUnicast &&
           route.destination.length <= kWidestDefault &&
           std::ranges::any_of(route.hops,
                               [link](const host::NextHop& hop) { return hop.link == link; });
  });
}

FromWorld from_world(const host::Network& network, const reach::Reachability& one,
                     IpFamily family) {
  FromWorld out;
  const AddressSet& world = public_addresses(family);
  const double whole = part_of_all(world);
  double most_open = 0;
  double most_closed = 0;
  for (std::size_t at = 0; at < one.clients.places.size(); ++at) {
    const reach::ClientPlace& place = one.clients.places[at];
    if (place.loopback || place.to.address.family != family) continue;
    if (!leads_to_world(network, place.interface, family)) continue;
    out.asked = true;
    double open_here = 0;
    for (std::size_t i = 0; i < one.clients.parts.size(); ++i) {
      const reach::ClientPart& part = one.clients.parts[i];
      if (part.place != at || part.addresses.empty()) continue;
      const double size = part_of_all(part.addresses.intersect(world)) / whole;
      const bool open = one.through[i] == reach::Through::Yes;
      double& most = open ? most_open : most_closed;
      if (size > most) (open ? out.open : out.closed) = part.cls;
      most = std::max(most, size);
      if (open) open_here += size;
    }
    const Share share = open_here > 0.5 ? Share::Most : open_here > 0 ? Share::Few : Share::None;
    out.through = std::max(out.through, share);
  }
  return out;
}

}  // namespace hark::diagnose
