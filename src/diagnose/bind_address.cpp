#include "diagnose/bind_address.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "reach/fib.h"
#include "reach/routing.h"

namespace hark::diagnose {
namespace {

constexpr std::uint8_t kScopeLink = 253;  // RT_SCOPE_LINK, RT_SCOPE_HOST of linux/rtnetlink.h
constexpr std::uint8_t kScopeHost = 254;
constexpr std::uint32_t kTentative = 0x40;  // IFA_F_TENTATIVE, IFA_F_OPTIMISTIC of linux/if_addr.h
constexpr std::uint32_t kOptimistic = 0x04;
constexpr std::uint32_t kVrfTableOfNone = 0;

BindObstacle obstacle(int error, std::string code, std::string text,
                      std::vector<reach::Evidence> evidence, BindCall call = BindCall::Bind) {
  return {.error = error,
          .call = call,
          .cause = {std::move(code), std::move(text), std::move(evidence)}};
}

BindObstacle open_question(const host::Gap& gap, std::string text) {
  return {.error = std::nullopt, .cause = {gap.code, std::move(text), {}}, .gap = gap};
}

reach::Evidence no_address(const IpAddress& address) {
  return {address.text() + " is on no interface", "addresses", "ip -br address"};
}

BindObstacle not_local(const IpAddress& address, std::string why = {}) {
  std::string text = address.text() + " is no address of this host";
  if (!why.empty()) text = std::move(why);
  return obstacle(EADDRNOTAVAIL, "address-not-local", std::move(text), {no_address(address)});
}

BindObstacle no_device(const std::string& name, BindCall call) {
  return obstacle(ENODEV, "no-such-device", "there is no interface " + name,
                  {{"no interface " + name, "links", "ip -br link"}}, call);
}

/// inet_addr_type_table(): RTN_*, by the table of the VRF that the device is of.
std::uint8_t type_of(const BindWorld& world, const IpAddress& address, std::uint32_t device) {
  const std::uint32_t vrf = vrf_of(world.network, device);
  const host::Link* link = vrf == 0 ? nullptr : world.network.link(vrf);
  const std::uint8_t usual = reach::address_type(world.network, address);
  if (link == nullptr || link->vrf_table == kVrfTableOfNone || usual == reach::fib::kMulticast ||
      address.is_unspecified()) {
    return usual;
  }
  const host::Route* best = nullptr;
  for (const host::Route& route : world.network.routes) {
    if (route.family != Family::Inet || route.table != link->vrf_table ||
        !route.destination.contains(address)) {
      continue;
    }
    if (best == nullptr || route.destination.length > best->destination.length) best = &route;
  }
  return best == nullptr ? reach::fib::kUnicast : best->type;
}

std::optional<BindObstacle> check_v4(const BindWorld& world, const IpAddress& address,
                                     std::uint32_t device) {
  if (address.is_unspecified()) return std::nullopt;
  const std::uint8_t type = type_of(world, address, device);
  const bool fine = type == reach::fib::kLocal || type == reach::fib::kMulticast ||
                    type == reach::fib::kBroadcast;
  if (fine || world.facts.settings.nonlocal4 == true) return std::nullopt;
  if (const host::Gap* gap = world.network.gap(host::NetworkFact::Routes)) {
    return open_question(*gap, "it is not known which addresses are this host's own");
  }
  const std::uint32_t vrf = vrf_of(world.network, device);
  const host::Link* link = vrf == 0 ? nullptr : world.network.link(vrf);
  if (link != nullptr) {
    return not_local(address, address.text() + " is no address in the VRF " + link->name);
  }
  return not_local(address);
}

/// ipv6_chk_addr()
bool has_v6(const BindWorld& world, const IpAddress& address, std::uint32_t device) {
  const std::uint32_t vrf = vrf_of(world.network, device);
  return std::ranges::any_of(world.network.addresses, [&](const host::InterfaceAddress& one) {
    if (one.address != address || vrf_of(world.network, one.link) != vrf) return false;
    if ((one.flags & kTentative) != 0 && (one.flags & kOptimistic) == 0) return false;
    const bool of_its_link = one.scope == kScopeLink || one.scope == kScopeHost;
    return device == 0 || one.link == device || !of_its_link;
  });
}

/// Why an address of IPv6 that is there does not count.
std::string why_not_v6(const BindWorld& world, const IpAddress& address) {
  for (const host::InterfaceAddress& one : world.network.addresses) {
    if (one.address != address) continue;
    const host::Link* link = world.network.link(one.link);
    const std::string on = link == nullptr ? "another interface" : link->name;
    if ((one.flags & kTentative) != 0) {
      return address.text() + " on " + on + " is tentative: no check for a duplicate is through";
    }
    return address.text() + " is on " + on + ", not on the interface that is asked for";
  }
  return {};
}

bool needs_scope(const IpAddress& address) {
  if (address.is_link_local()) return true;
  const unsigned scope = address.bytes[1] & 15U;
  return address.is_multicast() && (scope == 1 || scope == 2);
}

std::optional<BindObstacle> check_v6(const BindWorld& world, const BindQuestion& question,
                                     BindPlace& place) {
  const IpAddress& address = question.address;
  if (address.is_unspecified()) return std::nullopt;
  if (needs_scope(address)) {
    if (!question.zone.empty()) {
      const host::Link* link = world.network.link(question.zone);
      if (link == nullptr) return no_device(question.zone, BindCall::Bind);
      place.device = link->index;
    }
    if (place.device == 0) {
      return obstacle(EINVAL, "link-local-without-interface",
                      address.text() +
                          " means another host on each interface: one has to be named, " +
                          "as in [" + address.text() + "%eth0]:" + std::to_string(question.port),
                      {no_address(address)});
    }
  }
  if (address.is_multicast() || world.facts.settings.nonlocal6 == true) return std::nullopt;
  if (has_v6(world, address, place.device)) return std::nullopt;
  if (const host::Gap* gap = world.network.gap(host::NetworkFact::Addresses)) {
    return open_question(*gap, "it is not known which addresses are this host's own");
  }
  return not_local(address, why_not_v6(world, address));
}

std::optional<BindObstacle> check_inet6(const BindWorld& world, const BindQuestion& question,
                                        BindPlace& place) {
  const IpAddress& address = question.address;
  if (address.is_multicast() && question.protocol == Protocol::Tcp) {
    return obstacle(EINVAL, "multicast-of-tcp", "TCP has no multicast", {});
  }
  if (auto right = check_right(world, question.port)) return right;
  if (!address.is_v4_mapped()) return check_v6(world, question, place);
  if (question.v6only) {
    return obstacle(EINVAL, "v4-mapped-v6only",
                    address.text() + " is an address of IPv4, and the socket is for IPv6 only",
                    {{"IPV6_V6ONLY is set", "question", "sysctl net.ipv6.bindv6only"}});
  }
  return check_v4(world, address.unmapped(), 0);
}

}  // namespace

std::uint32_t vrf_of(const host::Network& network, std::uint32_t device) {
  const host::Link* link = device == 0 ? nullptr : network.link(device);
  if (link == nullptr) return 0;
  if (link->kind == "vrf") return link->index;
  return link->slave_kind == "vrf" ? link->master : 0;
}

std::optional<BindObstacle> check_right(const BindWorld& world, std::uint16_t port) {
  constexpr std::uint16_t kUsual = 1024;
  const host::BindSettings& settings = world.facts.settings;
  const host::BindUser& user = world.facts.user;
  if (port == 0 || port >= settings.first_free.value_or(kUsual)) return std::nullopt;
  if (user.low_ports == true) return std::nullopt;
  const std::string who = user.name.empty() ? "user " + std::to_string(user.uid) : user.name;
  const std::string sysctl = "net.ipv4.ip_unprivileged_port_start";
  const reach::Evidence evidence{
      fmt::format("{} = {}", sysctl, settings.first_free.value_or(kUsual)), "sysctl",
      "sysctl " + sysctl};
  const std::string below =
      fmt::format("ports below {} take CAP_NET_BIND_SERVICE", settings.first_free.value_or(kUsual));
  if (user.low_ports == false && settings.first_free) {
    return obstacle(EACCES, "port-needs-right", below + ", which " + who + " does not have",
                    {evidence});
  }
  host::Gap gap{.code = "right-not-known",
                .what = settings.first_free
                            ? "hark runs in a user namespace: whether its rights hold for this "
                              "network namespace is not told"
                            : sysctl + " could not be read",
                .hides = "whether " + who + " may have ports below 1024",
                .remedy = "run hark outside of the user namespace"};
  return open_question(gap, below);
}

BindPlace check_address(const BindWorld& world, const BindQuestion& question) {
  BindPlace out;
  const bool v6 = question.address.family == Family::Inet6;
  if (v6 && !world.facts.settings.has_ipv6) {
    out.obstacle = obstacle(EAFNOSUPPORT, "no-ipv6", "this kernel runs without IPv6",
                            {{"no net.ipv6 settings", "sysctl", "sysctl net.ipv6.bindv6only"}},
                            BindCall::Socket);
    return out;
  }
  const bool scoped = v6 && needs_scope(question.address);
  const std::string& device = question.device.empty() && !scoped ? question.zone : question.device;
  if (!device.empty()) {
    const host::Link* link = world.network.link(device);
    if (link == nullptr) {
      const host::Gap* gap = world.network.gap(host::NetworkFact::Links);
      out.obstacle = gap == nullptr ? no_device(device, BindCall::SetSockOpt)
                                    : open_question(*gap, "interfaces could not be read");
      return out;
    }
    out.device = link->index;
  }
  if (v6) {
    out.obstacle = check_inet6(world, question, out);
    return out;
  }
  out.obstacle = check_v4(world, question.address, out.device);
  if (!out.obstacle) out.obstacle = check_right(world, question.port);
  return out;
}

}  // namespace hark::diagnose
