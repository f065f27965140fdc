// Ports that IPVS serves (ipvs.h), as published ports.
#include <algorithm>
#include <string>

#include "base/text.h"
#include "reach/ipvs.h"
#include "reach/published.h"

namespace hark::reach {
namespace {

using decode::IpvsBackend;
using decode::IpvsMethod;

LeadsTo lead_of(const IpvsBackend& server) {
  LeadsTo out;
  out.address = server.address;
  // Only what is rewritten comes to another port.
  if (server.port != 0 && server.method == IpvsMethod::Masq) out.port = server.port;
  out.server = server;
  return out;
}

}  // namespace

std::vector<PublishedPort> ipvs_ports(const host::Network& network, std::size_t most) {
  std::vector<PublishedPort> out;
  const bool kube_proxy = has_kube_ipvs(network);
  for (const host::IpvsService& service : network.ipvs) {
    if (service.protocol != kTcp && service.protocol != kUdp) continue;
    if (out.size() == most) break;
    PublishedPort port;
    port.netns = network.netns;
    port.protocol = service.protocol == kTcp ? Protocol::Tcp : Protocol::Udp;
    port.family = service.address.family;
    port.addresses = AddressSet({service.address, service.address});
    const bool every = service.port == 0;
    port.ports = every ? PortSet({1, 0xffff}) : PortSet({service.port, service.port});
    RulePlace place = place_of(service);
    std::string told = words_of(place);
    port.rules.push_back({std::move(place), std::move(told), Translation::Kind::Ipvs});
    for (const IpvsBackend& server : service.backends) port.leads_to.push_back(lead_of(server));
    std::ranges::stable_sort(
        port.leads_to, {}, [](const LeadsTo& lead) { return std::pair(lead.address, lead.port); });
    port.chance = ipvs_servers(service).size() > 1;
    port.sticky = service.persistent;
    port.ipvs = service;
    port.kube_proxy = kube_proxy;
    out.push_back(std::move(port));
  }
  return out;
}

std::string ipvs_marks(const host::Network& network) {
  constexpr std::size_t kMost = 3;
  std::vector<std::string> words;
  const auto all = static_cast<std::size_t>(std::ranges::count_if(
      network.ipvs, [](const host::IpvsService& service) { return service.mark != 0; }));
  for (const host::IpvsService& service : network.ipvs) {
    if (service.mark != 0 && words.size() < kMost) words.push_back(std::to_string(service.mark));
  }
  std::string out = join(words, ", ");
  if (all > words.size()) out += " and " + std::to_string(all - words.size()) + " more";
  return out;
}

}  // namespace hark::reach
