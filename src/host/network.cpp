#include "host/network.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "host/network_reader.h"

namespace hark::host {
namespace {

/// What is called how, and what cannot be concluded without it.
struct FactWords {
  NetworkFact fact;
  const char* code;
  const char* hides;
};
constexpr std::array<FactWords, 16> kFacts = {{
    {NetworkFact::Links, "links-not-read", "by which interfaces packets come and go"},
    {NetworkFact::Addresses, "addresses-not-read", "which addresses are this host's own"},
    {NetworkFact::Routes, "routes-not-read", "which way packets go"},
    {NetworkFact::Rules, "rules-not-read", "which routing tables are asked"},
    {NetworkFact::Neighbours, "neighbours-not-read", "which neighbours are known"},
    {NetworkFact::Settings, "settings-not-read", "which checks the kernel makes on packets"},
    {NetworkFact::Nftables, "nftables-not-read", "what rules of nftables do to packets"},
    {NetworkFact::Legacy, "iptables-not-read", "what rules of the old iptables do to packets"},
    {NetworkFact::IpSets, "ipsets-not-read", "which addresses are in sets that rules ask"},
    {NetworkFact::Conntrack, "conntrack-not-read", "whether the connection is known already"},
    {NetworkFact::Xfrm, "xfrm-not-read", "whether policies of IPsec stop packets"},
    {NetworkFact::LinkPrograms, "link-programs-not-read",
     "what programs on the interfaces do to packets"},
    {NetworkFact::CgroupPrograms, "cgroup-programs-not-read",
     "what programs of cgroups do to packets"},
    {NetworkFact::NamespacePrograms, "namespace-programs-not-read",
     "what programs of the namespace do to packets"},
    {NetworkFact::SocketOptions, "socket-options-not-read",
     "whether a socket turns clients away by itself, and from which address it answers"},
    {NetworkFact::Ipvs, "ipvs-not-read", "which ports IPVS serves"},
}};

std::string remedy_for(const Error& error) {
  if (error.code == EPERM || error.code == EACCES) return "run as root to see them";
  if (error.code == 0 && error.why == "not recorded") return "record again with this hark";
  return {};
}

}  // namespace

const Link* Network::link(std::uint32_t index) const {
  const auto found = std::ranges::lower_bound(links, index, {}, &Link::index);
  return found != links.end() && found->index == index ? &*found : nullptr;
}

const Link* Network::link(std::string_view name) const {
  const auto found = std::ranges::find(links, name, &Link::name);
  return found != links.end() ? &*found : nullptr;
}

const Gap* Network::gap(NetworkFact fact) const {
  const auto found = std::ranges::find(unread, fact, &std::pair<NetworkFact, Gap>::first);
  return found != unread.end() ? &found->second : nullptr;
}

void note_unread(const NetworkReading& reading, NetworkFact fact, const std::string& what,
                 const Error& error) {
  const auto words = std::ranges::find(kFacts, fact, &FactWords::fact);
  Gap gap{.code = words->code,
          .what = what + ": " + reason(error),
          .hides = words->hides,
          .remedy = remedy_for(error)};
  // One of a kind is enough: a question needs to know that the fact is not whole.
  if (reading.network.gap(fact) == nullptr) {
    reading.network.unread.emplace_back(fact, std::move(gap));
  }
}

/// EOPNOTSUPP: netlink has no such request, or nfnetlink no such subsystem. EAFNOSUPPORT: no such
/// family. EPROTONOSUPPORT: no such netlink family. ENOENT: no such file or table.
bool says_absent(const Error& error) {
  return error.code == EOPNOTSUPP || error.code == EAFNOSUPPORT || error.code == EPROTONOSUPPORT ||
         error.code == ENOENT;
}

NetworkRequest network_request(const Host& host, NetnsId netns) {
  std::set<std::string> cgroups;
  for (const Listener& listener : host.listeners) {
    if (listener.netns == netns && listener.socket.cgroup) cgroups.insert(*listener.socket.cgroup);
  }
  NetworkRequest request;
  request.cgroups.assign(cgroups.begin(), cgroups.end());
  return request;
}

namespace {

Network read_part(kernel::Source& source, const kernel::NetnsRef& netns, NetnsId id,
                  void (*read)(const NetworkReading&)) {
  Network network;
  network.netns = id;
  const NetworkRequest request;
  read({.source = source, .netns = netns, .request = request, .network = network});
  return network;
}

}  // namespace

Network read_only_links(kernel::Source& source, const kernel::NetnsRef& netns, NetnsId id) {
  return read_part(source, netns, id, read_links);
}

Network read_addresses(kernel::Source& source, const kernel::NetnsRef& netns, NetnsId id) {
  return read_part(source, netns, id, read_addresses);
}

Network read_network(kernel::Source& source, const kernel::NetnsRef& netns, NetnsId id,
                     const NetworkRequest& request) {
  Network network;
  network.netns = id;
  const NetworkReading reading{
      .source = source, .netns = netns, .request = request, .network = network};
  source.visit(netns, [&] {
    read_links(reading);
    read_routing(reading);
    read_settings(reading);
    read_rule_history(reading);
    if (request.firewalls) read_firewalls(reading);
    if (request.programs) read_programs(reading);
  });
  return network;
}

}  // namespace hark::host
