// A small host for tests of routing: two Ethernet links and lo, with the routes and rules that the
// kernel makes for their addresses.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reach/fib.h"
#include "reach/routing.h"

namespace hark::reach::testing {

inline IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}
inline Prefix net(std::string_view text) {
  return Prefix::parse(text).value();
}

constexpr std::uint32_t kEth0 = 2;
constexpr std::uint32_t kEth1 = 3;

/// lo 127.0.0.1/8, ::1; eth0 10.1.0.1/24, fd01::1/64; eth1 10.2.0.1/24, fd02::1/64; a default route
/// by eth0 to 10.1.0.254.
struct SmallHost {
  host::Host host;
  host::Network network;
  Choices choices;
  std::vector<Step> path;
  std::vector<std::string> assumptions;
  std::vector<std::string> waived;

  SmallHost() {
    for (const auto& [index, name] :
         {std::pair{1U, "lo"}, std::pair{kEth0, "eth0"}, std::pair{kEth1, "eth1"}}) {
      host::Link link;
      link.index = index;
      link.name = name;
      link.flags = fib::kLinkUp | (index == 1 ? fib::kLinkLoopback : fib::kLinkMulticast);
      link.ipv4 = host::Ipv4Settings{};
      link.ipv6 = host::Ipv6Settings{};
      network.links.push_back(link);
    }
    add_address(1, "127.0.0.1", "127.0.0.0/8", fib::kScopeHost);
    add_address(kEth0, "10.1.0.1", "10.1.0.0/24");
    add_address(kEth1, "10.2.0.1", "10.2.0.0/24");
    add_address(1, "::1", "::1/128", fib::kScopeHost);
    add_address(kEth0, "fd01::1", "fd01::/64");
    add_address(kEth1, "fd02::1", "fd02::/64");
    route("0.0.0.0/0", kEth0).hops[0].gateway = ip("10.1.0.254");
  }

  World world() { return {host, network, choices, path, assumptions, waived}; }
  host::Link& eth0() { return network.links[1]; }
  host::Link& eth1() { return network.links[2]; }

  host::Route& route(std::string_view to, std::uint32_t link, std::uint32_t table = fib::kTableMain,
                     std::uint8_t type = fib::kUnicast) {
    host::Route out;
    out.destination = net(to);
    out.family = out.destination.address.family;
    out.table = table;
    out.type = type;
    out.hops.push_back({.link = link});
    return network.routes.emplace_back(out);
  }

  void add_address(std::uint32_t link, std::string_view address, std::string_view subnet,
                   std::uint8_t scope = 0) {
    host::InterfaceAddress own;
    own.link = link;
    own.address = ip(address);
    own.subnet = net(subnet);
    own.scope = scope;
    network.addresses.push_back(own);
    host::Route& local = route(address, link, fib::kTableLocal, fib::kLocal);
    local.scope = fib::kScopeHost;
    local.protocol = fib::kProtocolKernel;
    if (own.address.family == Family::Inet) local.preferred_source = own.address;
    if (link == 1 && own.address.family == Family::Inet) {
      network.routes.back().destination = own.subnet;
      return;
    }
    if (link == 1) return;
    host::Route& connected = route(subnet, link);
    connected.scope = fib::kScopeLink;
    connected.protocol = fib::kProtocolKernel;
    if (own.address.family == Family::Inet) {
      connected.preferred_source = own.address;
      IpAddress last = own.subnet.address;
      last.bytes[3] = 255;
      host::Route& all = route(last.text(), link, fib::kTableLocal, fib::kBroadcast);
      all.protocol = fib::kProtocolKernel;
    } else {
      route("ff00::/8", link, fib::kTableLocal, fib::kMulticast);
    }
  }

  /// The kernel's own rules, and one of the given priority between them.
  host::PolicyRule& rule(std::uint32_t priority, std::uint8_t action = fib::kToTable,
                         std::uint32_t table = 0, Family family = Family::Inet) {
    if (network.rules.empty()) {
      for (const Family each : {Family::Inet, Family::Inet6}) {
        network.rules.push_back({.family = each, .action = fib::kToTable, .table = 255});
        network.rules.push_back(
            {.family = each, .priority = 32766, .action = fib::kToTable, .table = 254});
      }
    }
    const auto at = std::find_if(
        network.rules.begin(), network.rules.end(), [&](const host::PolicyRule& other) {
          return other.family > family ||
                 (other.family == family &&
                  (other.priority > priority || (other.priority == priority && priority == 0)));
        });
    return *network.rules.insert(
        at, {.family = family, .priority = priority, .action = action, .table = table});
  }

  RouteIn in(std::string_view from, std::string_view to, std::uint32_t link = kEth0) {
    return in(flow(from, to, link));
  }
  RouteIn in(const Flow& flow) {
    World now = world();
    return route_input(now, flow);
  }
  RouteOut out(std::string_view to, std::string_view from = {}, std::uint32_t link = 0) {
    Flow asked = flow(from.empty() ? to : from, to, 0);
    asked.source_given = !from.empty();
    asked.out = link;
    World now = world();
    return route_output(now, asked);
  }
  static Flow flow(std::string_view from, std::string_view to, std::uint32_t link) {
    Flow out;
    out.source = ip(from);
    out.destination = ip(to);
    out.family = out.destination.family;
    out.in = link;
    out.protocol = kTcp;
    out.source_port = 40000;
    out.destination_port = 80;
    return out;
  }
};

}  // namespace hark::reach::testing
