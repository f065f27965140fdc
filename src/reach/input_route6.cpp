// Where an IPv6 packet that came in goes: ip6_rcv_core of net/ipv6/ip6_input.c, ip6_route_input of
// net/ipv6/route.c, ip6_mc_input, ip6_forward of net/ipv6/ip6_output.c. There is no reverse path
// filter and no list of martians.
//
// Where a code is waived its check is passed over, as in input_route.cpp; v6-disabled: IPv6 is on;
// v6-tentative: the address is in use; src-link-local: it may be passed on.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "reach/fib.h"
#include "reach/shell_word.h"

namespace hark::reach::fib {
namespace {

constexpr std::uint8_t kIcmp6Unreachable = 1;
constexpr std::uint8_t kNoRoute = 0;
constexpr std::uint8_t kProhibited = 1;
constexpr std::uint8_t kBeyondScope = 2;

struct Input {
  World& world;
  const Flow& flow;
  const host::Link& link;
};

bool stops(const Input& input, std::string_view code) {
  return !input.world.is_waived(code);
}

RouteIn dropped(Cause cause, const Found& found = {}) {
  RouteIn out;
  out.to = RouteIn::To::Drop;
  out.fib = result_of(found);
  out.cause = std::move(cause);
  return out;
}

RouteIn rejected(const Input& input, Cause cause, const Found& found, std::uint8_t code) {
  RouteIn out = dropped(std::move(cause), found);
  // icmp6_send answers no packet to a group, and none whose source is no one host's.
  const IpAddress& from = input.flow.source;
  if (input.flow.destination.is_multicast() || from.is_unspecified() || from.is_multicast()) {
    return out;
  }
  out.to = RouteIn::To::Reject;
  out.icmp_type = kIcmp6Unreachable;
  out.icmp_code = code;
  input.world.assumptions.emplace_back("the ICMP error is not held back by a rate limit");
  return out;
}

RouteIn delivered(const Found& found, std::uint8_t type, bool broadcast) {
  RouteIn out;
  out.to = RouteIn::To::Local;
  out.fib = result_of(found);
  out.fib.type = type;
  out.broadcast = broadcast;
  return out;
}

Cause packet_cause(const Input& input, std::string code, std::string text) {
  return {.code = std::move(code),
          .text = std::move(text),
          .evidence = {{.fact = fmt::format("{} to {}, arriving on {}", input.flow.source.text(),
                                            input.flow.destination.text(), input.link.name),
                        .where = "the packet",
                        .verify = get_command(input.world.network, input.flow)}}};
}

/// ip6_rcv_core. Nothing: go on.
std::optional<RouteIn> check_addresses(const Input& input) {
  const IpAddress& from = input.flow.source;
  const IpAddress& to = input.flow.destination;
  const bool inner = input.link.is_loopback() || input.link.kind == "vrf";
  const std::string_view loopback = is_loopback6(to)     ? "loopback-dst"
                                    : is_loopback6(from) ? "loopback-src"
                                                         : "";
  if (!loopback.empty() && !inner && stops(input, loopback)) {
    return dropped(packet_cause(
        input, std::string(loopback),
        fmt::format("::1 is an address for use inside one host: {} drops packets {} it",
                    input.link.name, is_loopback6(to) ? "to" : "from")));
  }
  const unsigned scope = to.bytes[1] & 0x0fU;
  const bool odd_scope = scope == 0 || (scope == 1 && !input.link.is_loopback());
  if (to.is_multicast() && odd_scope && stops(input, "martian-dst")) {
    return dropped(packet_cause(
        input, "martian-dst",
        fmt::format("{} is a multicast address that must not come from outside", to.text())));
  }
  if (from.is_multicast() && stops(input, "src-mcast-or-bcast")) {
    return dropped(packet_cause(input, "src-mcast-or-bcast",
                                fmt::format("{} cannot be the address of one host", from.text())));
  }
  return std::nullopt;
}

Cause refusal_cause(const Input& input, const Found& found, const Key& key) {
  const host::Network& network = input.world.network;
  const std::string to = input.flow.destination.text();
  if (found.from_rule || found.route != nullptr) {
    return {.code = std::string(refusal_code(found.error)),
            .text = fmt::format(
                "the {} refuses packets to {}: {}", found.from_rule ? "routing rule" : "route", to,
                found.from_rule ? words_of(*found.rule) : words_of(network, *found.route)),
            .evidence = evidence_of(network, found, key)};
  }
  return {.code = "forward-no-route",
          .text = fmt::format("{} is no address of this host, and it has no route there", to),
          .evidence = evidence_of(network, found, key)};
}

/// The address is configured here, and yet the lookup does not deliver to it. Nothing: it is not.
std::optional<Cause> not_in_use(const Input& input) {
  const host::Network& network = input.world.network;
  const std::string to = input.flow.destination.text();
  if (const auto* address = tentative_address(network, input.flow.destination)) {
    const bool failed = (address->flags & kAddressDadFailed) != 0;
    return Cause{
        .code = "v6-tentative",
        .text = fmt::format("{} is not in use yet: {}", to,
                            failed ? "another host has the same address (dadfailed)"
                                   : "whether another host has it is still being checked"),
        .evidence = {
            {.fact = fmt::format("{} is {}", to, failed ? "dadfailed" : "tentative"),
             .where = "addresses of " + link_name(network, address->link),
             .verify = "ip -6 address show dev " + shell_word(link_name(network, address->link))}}};
  }
  if (!is_configured(network, input.flow.destination)) return std::nullopt;
  return Cause{
      .code = "local-route-missing",
      .text = fmt::format("{} is configured on this host, but its local route was deleted or "
                          "another route or rule comes before it",
                          to),
      .evidence = {{.fact = fmt::format("no route \"local {}\" is found", to),
                    .where = "route table local",
                    .verify = "ip -6 route show table 255 " + to},
                   {.fact = "the rules decide which table is asked first",
                    .where = "ip rule",
                    .verify = "ip -6 rule show"}}};
}

RouteIn without_route(const Input& input, const Found& found, const Key& key) {
  Cause cause = refusal_cause(input, found, key);
  if (!found.from_rule && found.route == nullptr) {
    if (auto own = not_in_use(input)) {
      if (!stops(input, own->code)) return delivered(found, kLocal, false);
      cause = std::move(*own);
    }
  }
  if (found.error == EINVAL) return dropped(std::move(cause), found);
  return rejected(input, std::move(cause), found, found.error == EACCES ? kProhibited : kNoRoute);
}

/// ip6_mc_input. Of the groups that a host is in by itself all are known, of those that sockets
/// have joined none.
RouteIn take_multicast(const Input& input, const Found& found) {
  const host::Network& network = input.world.network;
  const IpAddress& to = input.flow.destination;
  const bool all_nodes = to == *IpAddress::parse("ff02::1") || to == *IpAddress::parse("ff01::1");
  const bool solicited = std::ranges::any_of(network.addresses, [&](const auto& own) {
    return own.link == input.link.index && own.address.family == Family::Inet6 &&
           solicited_group(own.address) == to;
  });
  const bool joined = all_nodes || solicited ||
                      input.world.choices.pick(
                          {.code = "multicast-membership",
                           .text = fmt::format("whether a socket has joined the group {} on {}",
                                               to.text(), input.link.name),
                           .key = fmt::format("multicast {} {}", to.text(), input.link.name),
                           .doubt = Doubt::Unread});
  if (joined) return delivered(found, kMulticast, true);
  return dropped(packet_cause(input, "multicast-not-joined",
                              fmt::format("nobody on this host has joined the group {} on {}",
                                          to.text(), input.link.name)),
                 found);
}

/// ip6_forward, as far as routing goes.
RouteIn forwarded(const Input& input, Found found, const Key& key) {
  const host::Network& network = input.world.network;
  const IpAddress& from = input.flow.source;
  const bool on = network.settings.ipv6_all.forwarding != 0 ||
                  (input.link.ipv6 && input.link.ipv6->force_forwarding != 0);
  if (auto own = not_in_use(input)) {
    if (!stops(input, own->code)) return delivered(found, kLocal, false);
    if (!on) return dropped(std::move(*own), found);
  }
  if (!on && stops(input, "not-local")) {
    Cause cause{.code = "not-local",
                .text = fmt::format("{} is no address of this host, and it does not pass packets "
                                    "on for others (IPv6 forwarding is off)",
                                    input.flow.destination.text()),
                .evidence = {sysctl_evidence("ipv6", "all", "forwarding", 0)}};
    for (Evidence& piece : evidence_of(network, found, key)) {
      cause.evidence.push_back(std::move(piece));
    }
    return dropped(std::move(cause), found);
  }
  select_hop(input.world, key, found);
  RouteIn out;
  out.to = RouteIn::To::Forward;
  out.fib = result_of(found);
  if (found.hop->link == input.link.index) return out;
  const std::string_view code = from.is_unspecified()  ? "zero-src"
                                : is_loopback6(from)   ? "loopback-src"
                                : from.is_multicast()  ? "src-mcast-or-bcast"
                                : from.is_link_local() ? "src-link-local"
                                                       : "";
  if (code.empty() || !stops(input, code)) return out;
  Cause cause =
      packet_cause(input, std::string(code),
                   fmt::format("packets from {} are not passed on to another link", from.text()));
  if (!from.is_link_local()) return dropped(std::move(cause), found);
  return rejected(input, std::move(cause), found, kBeyondScope);
}

Key input_key(const Input& input) {
  Key key = key_of(input.flow);
  key.strict = needs_link6(input.flow.destination);
  // vrf_ip6_rcv hands the packet to the VRF before it is routed, unless its link counts.
  const std::uint32_t vrf = vrf_of(input.world.network, input.flow.in);
  if (vrf != 0 && !key.strict) key.in = vrf;
  key.near_link = key.in;
  return key;
}

}  // namespace

bool is_loopback6(const IpAddress& address) {
  return address.family == Family::Inet6 && address.is_loopback() && !address.is_v4_mapped();
}

bool needs_link6(const IpAddress& address) {
  return address.is_multicast() || address.is_link_local() || is_loopback6(address);
}

IpAddress solicited_group(const IpAddress& address) {
  IpAddress out = *IpAddress::parse("ff02::1:ff00:0");
  std::copy(address.bytes.begin() + 13, address.bytes.end(), out.bytes.begin() + 13);
  return out;
}

const host::InterfaceAddress* tentative_address(const host::Network& network,
                                                const IpAddress& address) {
  const auto at = std::ranges::find_if(network.addresses, [&address](const auto& own) {
    return own.address == address && (own.flags & kAddressTentative) != 0 &&
           (own.flags & kAddressOptimistic) == 0;
  });
  return at != network.addresses.end() && address.family == Family::Inet6 ? &*at : nullptr;
}

bool is_configured(const host::Network& network, const IpAddress& address) {
  return std::ranges::find(network.addresses, address, &host::InterfaceAddress::address) !=
         network.addresses.end();
}

/// The link takes no IPv6 at all.
std::optional<Cause> disabled(const Input& input) {
  const bool off = !input.link.ipv6 || input.link.ipv6->disable_ipv6 != 0;
  if (!off || !stops(input, "v6-disabled")) return std::nullopt;
  return Cause{.code = "v6-disabled",
               .text = fmt::format("IPv6 is off on {}", input.link.name),
               .evidence = {sysctl_evidence("ipv6", input.link.name, "disable_ipv6", 1)}};
}

std::optional<Cause> refused_on_entry6(World& world, const Flow& flow) {
  const host::Link* link = world.network.link(flow.in);
  if (link == nullptr) return std::nullopt;
  const Input input{world, flow, *link};
  if (auto cause = disabled(input)) return cause;
  const auto dropped_at_once = check_addresses(input);
  if (!dropped_at_once) return std::nullopt;
  return dropped_at_once->cause;
}

RouteIn route_input6(World& world, const Flow& flow) {
  static const host::Link kNone;
  const host::Link* link = world.network.link(flow.in);
  const Input input{world, flow, link == nullptr ? kNone : *link};
  if (auto cause = disabled(input)) return dropped(std::move(*cause));
  if (!flow.entered) {
    if (auto refusal = check_addresses(input)) return *refusal;
  }
  const Key key = input_key(input);
  const Found found = lookup(world, key);
  if (found.error != 0) return without_route(input, found, key);
  // A packet to an anycast address is for this host, but tcp_v6_conn_request does not take it.
  if (found.type == kAnycast) return delivered(found, kAnycast, flow.protocol == kTcp);
  if (found.type == kLocal) return delivered(found, kLocal, false);
  if (found.route->destination.address.is_multicast()) return take_multicast(input, found);
  return forwarded(input, found, key);
}

}  // namespace hark::reach::fib
