// Where an IPv4 packet that came in goes, in the order of ip_route_input_rcu and
// ip_route_input_slow of net/ipv4/route.c; fib_validate_source of net/ipv4/fib_frontend.c;
// ip_error.
//
// Each check has a code. Where a code is waived its check is passed over:
//   no-in-dev, src-mcast-or-bcast, zero-src, zero-dst, loopback-src, loopback-dst,
//   rp-filter-strict, rp-filter-loose, src-is-local     the packet goes on as if it had passed
//   rule-prohibit, rule-unreachable, rule-blackhole     such rules and routes are not there
//   local-route-missing                                 the address has its local route
//   not-local                                           forwarding is on
//   forward-no-route, martian-dst, multicast-not-joined stay: there is nowhere to go on to
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "reach/fib.h"
#include "reach/routing_index.h"
#include "reach/shell_word.h"

namespace hark::reach::fib {
namespace {

constexpr std::uint8_t kIcmpUnreachable = 3;
constexpr std::uint8_t kNetUnreachable = 0;
constexpr std::uint8_t kHostUnreachable = 1;
constexpr std::uint8_t kAdminProhibited = 13;

bool is_limited_broadcast(const IpAddress& address) {
  return address == IpAddress{.bytes = {255, 255, 255, 255}};
}

/// One packet on its way through the checks.
struct Input {
  World& world;
  const Flow& flow;
  const host::Link& link;
  host::Ipv4Settings settings;  ///< effective
  bool arp;

  [[nodiscard]] std::string name() const { return link.name; }
};

/// Did the check stop it, or was it told to pass it over?
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

Cause packet_cause(const Input& input, std::string code, std::string text) {
  return {.code = std::move(code),
          .text = std::move(text),
          .evidence = {{.fact = fmt::format("{} to {}, arriving on {}", input.flow.source.text(),
                                            input.flow.destination.text(), input.name()),
                        .where = "the packet",
                        .verify = get_command(input.world.network, input.flow)}}};
}

/// The way back to the source, and what the check of it says.
struct Source {
  enum class Verdict : std::uint8_t { Good, Martian, Own, Strict, Loose };
  Verdict verdict = Verdict::Good;
  Found back;
  bool operator==(const Source&) const = default;
};

/// fib_info_nh_uses_dev: any hop will do, dead ones too.
bool uses_link(const host::Network& network, const host::Route& route, std::uint32_t link) {
  return std::ranges::any_of(hops_of(route), [&](const host::NextHop& hop) {
    return hop.link == link || (hop.link != 0 && vrf_of(network, hop.link) == link);
  });
}

/// fib_rule_requires_fldissect: protocol and ports are looked up in a packet that came in only if
/// some rule that could be about such packets asks for them.
bool knows_ports(const host::Network& network) {
  return std::ranges::any_of(rules_of(network, Family::Inet), [](const host::PolicyRule& rule) {
    const bool asks = rule.protocol != 0 || rule.source_ports || rule.destination_ports;
    return asks && rule.iif != "lo";
  });
}

/// __fib_validate_source: the lookup turned around, as if made here (or by the egress).
Source full_check(const Input& input, const IpAddress& destination, std::uint32_t egress) {
  World& world = input.world;
  Key key{.source = destination, .destination = input.flow.source};
  key.in = egress != 0 ? egress : kLo;
  key.vrf = vrf_of(world.network, input.link.index);
  key.tos = input.flow.tos;
  key.mark = input.settings.src_valid_mark != 0 ? input.flow.mark : 0;
  if (knows_ports(world.network)) {
    key.protocol = input.flow.protocol;
    key.source_port = input.flow.destination_port;
    key.destination_port = input.flow.source_port;
  }
  const int filter = input.settings.rp_filter;
  const auto last_resort = filter == 1   ? Source::Verdict::Strict
                           : filter != 0 ? Source::Verdict::Loose
                                         : Source::Verdict::Good;
  const Found back = lookup(world, key);
  if (back.error != 0) return {last_resort, back};
  if (back.type != kUnicast && back.type != kLocal) return {Source::Verdict::Martian, back};
  if (back.type == kLocal && input.settings.accept_local == 0) {
    return {Source::Verdict::Own, back};
  }
  if (uses_link(world.network, *back.route, input.link.index)) return {};
  if (back.type == kLocal && input.link.is_loopback()) return {};
  const bool no_address = std::ranges::none_of(world.network.addresses, [&](const auto& own) {
    return own.link == input.link.index && own.address.family == Family::Inet;
  });
  if (no_address) return {last_resort, back};
  return {filter == 1 ? Source::Verdict::Strict : Source::Verdict::Good, back};
}

/// fib_validate_source: without a filter only own addresses are looked for, unless there are rules
/// or local routes that somebody added.
Source check_source(const Input& input, const IpAddress& destination, std::uint32_t egress) {
  const host::Network& network = input.world.network;
  // send_redirects is on by default and not among the facts.
  const bool quick = input.settings.rp_filter == 0 && input.link.index != egress;
  if (!quick) return full_check(input, destination, egress);
  if (input.settings.accept_local != 0) return {};
  const RoutingIndex* index = input.world.routes;
  const bool custom = !only_default_rules(network, index) ||
                      (index != nullptr ? index->custom_local_routes()
                                        : std::ranges::any_of(network.routes, is_custom_local));
  const Source full = full_check(input, destination, egress);
  if (custom) return full;
  const bool own = is_configured(network, input.flow.source);
  const Source shortcut = own ? Source{Source::Verdict::Own, full.back} : Source{};
  if (shortcut.verdict == full.verdict) return shortcut;
  if (network.rules_never_changed) return *network.rules_never_changed ? shortcut : full;
  return never_had_custom_rules(input.world) ? shortcut : full;
}

Cause reverse_path_cause(const Input& input, const Source& source) {
  const host::Network& network = input.world.network;
  const bool strict = source.verdict == Source::Verdict::Strict;
  const std::string from = input.flow.source.text();
  Cause cause;
  cause.code = strict ? "rp-filter-strict" : "rp-filter-loose";
  if (source.back.error != 0 || source.back.hop == nullptr) {
    cause.text = fmt::format(
        "{} drops packets from {}: this host has no way back to it, and reverse path filtering "
        "(rp_filter {}) wants one",
        input.name(), from, input.settings.rp_filter);
  } else {
    cause.text = fmt::format(
        "{} drops packets from {}: the way back to it is {}, and strict reverse path filtering "
        "(rp_filter 1) takes them from there alone",
        input.name(), from, link_name(network, source.back.hop->link));
  }
  const std::int32_t own = input.link.ipv4 ? input.link.ipv4->rp_filter : 0;
  const std::int32_t all = network.settings.ipv4_all.rp_filter;
  if (own >= all) {
    cause.evidence.push_back(sysctl_evidence("ipv4", input.name(), "rp_filter", own));
  } else {
    cause.evidence.push_back(sysctl_evidence("ipv4", "all", "rp_filter", all));
  }
  const Key key{.source = {}, .destination = input.flow.source};
  for (Evidence& piece : evidence_of(network, source.back, key)) {
    if (source.back.error == 0) piece.verify = "ip route get " + from;
    cause.evidence.push_back(std::move(piece));
  }
  return cause;
}

Cause source_cause(const Input& input, const Source& source) {
  const std::string from = input.flow.source.text();
  if (source.verdict == Source::Verdict::Own) {
    Cause cause = packet_cause(
        input, "src-is-local",
        fmt::format("{} is an address of this host itself: packets that claim to come from it are "
                    "dropped on {} (accept_local 0)",
                    from, input.name()));
    cause.evidence.push_back(sysctl_evidence("ipv4", input.name(), "accept_local",
                                             input.link.ipv4 ? input.link.ipv4->accept_local : 0));
    return cause;
  }
  if (source.verdict == Source::Verdict::Martian) {
    Cause cause = packet_cause(
        input, "src-mcast-or-bcast",
        fmt::format("{} cannot be the address of one host: for this host's routes it is a "
                    "broadcast or multicast address",
                    from));
    for (Evidence& piece : evidence_of(input.world.network, source.back, {})) {
      cause.evidence.push_back(std::move(piece));
    }
    return cause;
  }
  return reverse_path_cause(input, source);
}

/// Nothing: the source is good, or its fault is waived.
std::optional<RouteIn> judge_source(const Input& input, const IpAddress& destination,
                                    std::uint32_t egress) {
  const Source source = check_source(input, destination, egress);
  if (source.verdict == Source::Verdict::Good) return std::nullopt;
  Cause cause = source_cause(input, source);
  if (!stops(input, cause.code)) return std::nullopt;
  return dropped(std::move(cause));
}

RouteIn delivered(const Found& found, std::uint8_t type, bool broadcast) {
  RouteIn out;
  out.to = RouteIn::To::Local;
  out.fib = result_of(found);
  out.fib.type = type;
  out.broadcast = broadcast;
  return out;
}

/// brd_input
RouteIn take_broadcast(const Input& input, const Found& found) {
  if (input.arp)
    return dropped(packet_cause(input, "martian-dst", "a broadcast address has no owner"));
  if (!input.flow.source.is_unspecified()) {
    if (auto refusal = judge_source(input, IpAddress{}, 0)) return *refusal;
  }
  return delivered(found, kBroadcast, true);
}

/// ip_error: what becomes of a packet without a route.
RouteIn refused(const Input& input, const Found& found, Cause cause) {
  RouteIn out = dropped(std::move(cause), found);
  if (input.settings.forwarding == 0 && !input.world.is_waived("not-local")) return out;
  switch (found.error) {
    case EHOSTUNREACH:
      out.icmp_code = kHostUnreachable;
      break;
    case ENETUNREACH:
      out.icmp_code = kNetUnreachable;
      break;
    case EACCES:
      out.icmp_code = kAdminProhibited;
      break;
    default:
      return out;
  }
  out.to = RouteIn::To::Reject;
  out.icmp_type = kIcmpUnreachable;
  input.world.assumptions.emplace_back("the ICMP error is not held back by a rate limit");
  return out;
}

/// The address is configured, and its local route is gone or hidden.
Cause missing_local_route(const Input& input) {
  const std::string to = input.flow.destination.text();
  return {.code = "local-route-missing",
          .text = fmt::format("{} is configured on this host, but its local route was deleted or "
                              "another route or rule comes before it",
                              to),
          .evidence = {{.fact = fmt::format("no route \"local {}\" is found", to),
                        .where = "route table local",
                        .verify = "ip -4 route show table 255 " + to},
                       {.fact = "the rules decide which table is asked first",
                        .where = "ip rule",
                        .verify = "ip -4 rule show"}}};
}

Cause refusal_cause(const Input& input, const Found& found, const Key& key) {
  const host::Network& network = input.world.network;
  const std::string what =
      found.from_rule ? words_of(*found.rule) : words_of(network, *found.route);
  return {.code = std::string(refusal_code(found.error)),
          .text = fmt::format("the {} refuses packets to {}: {}",
                              found.from_rule ? "routing rule" : "route",
                              input.flow.destination.text(), what),
          .evidence = evidence_of(network, found, key)};
}

Cause not_local_cause(const Input& input, const Found& found, const Key& key) {
  Cause cause{.code = "not-local",
              .text = fmt::format("{} is no address of this host, and it does not pass packets on "
                                  "for others (forwarding is off on {})",
                                  input.flow.destination.text(), input.name()),
              .evidence = {sysctl_evidence("ipv4", input.name(), "forwarding", 0)}};
  for (Evidence& piece : evidence_of(input.world.network, found, key)) {
    cause.evidence.push_back(std::move(piece));
  }
  return cause;
}

/// fib_lookup found nothing, or something that refuses.
RouteIn without_route(const Input& input, const Found& found, const Key& key) {
  const host::Network& network = input.world.network;
  if (found.from_rule || found.route != nullptr) {
    return refused(input, found, refusal_cause(input, found, key));
  }
  if (is_configured(network, input.flow.destination)) {
    if (stops(input, "local-route-missing")) {
      return refused(input, found, missing_local_route(input));
    }
    return delivered(found, kLocal, false);
  }
  if (input.settings.forwarding == 0 && stops(input, "not-local")) {
    return dropped(not_local_cause(input, found, key), found);
  }
  return refused(input, found,
                 {.code = "forward-no-route",
                  .text = fmt::format("{} is no address of this host, and it has no route to pass "
                                      "the packet on",
                                      input.flow.destination.text()),
                  .evidence = evidence_of(network, found, key)});
}

/// ip_mkroute_input
RouteIn forwarded(const Input& input, Found found, const Key& key) {
  select_hop(input.world, key, found);
  const std::uint32_t egress = found.hop->link;
  if (auto refusal = judge_source(input, input.flow.destination, egress)) return *refusal;
  if (input.arp && egress == input.link.index && input.settings.proxy_arp_pvlan == 0) {
    return dropped(
        packet_cause(input, "addr-absent",
                     fmt::format("{} is no address of this host", input.flow.destination.text())),
        found);
  }
  RouteIn out;
  out.to = RouteIn::To::Forward;
  out.fib = result_of(found);
  return out;
}

/// The checks that look at nothing but the two addresses. Nothing: go on.
std::optional<RouteIn> check_addresses(const Input& input) {
  const IpAddress& from = input.flow.source;
  const IpAddress& to = input.flow.destination;
  if (from.is_unspecified() && stops(input, "zero-src")) {
    return dropped(packet_cause(input, "zero-src", "0.0.0.0 is no address that a client can have"));
  }
  if (to.is_unspecified() && stops(input, "zero-dst")) {
    return dropped(packet_cause(input, "zero-dst", "0.0.0.0 is no address to send packets to"));
  }
  if (input.settings.route_localnet != 0) return std::nullopt;
  const std::string_view code = to.is_loopback()     ? "loopback-dst"
                                : from.is_loopback() ? "loopback-src"
                                                     : "";
  if (code.empty() || !stops(input, code)) return std::nullopt;
  Cause cause =
      packet_cause(input, std::string(code),
                   fmt::format("{} is an address for use inside one host: {} drops packets {} it "
                               "(route_localnet 0)",
                               (to.is_loopback() ? to : from).text(), input.name(),
                               to.is_loopback() ? "to" : "from"));
  cause.evidence.push_back(sysctl_evidence("ipv4", input.name(), "route_localnet", 0));
  return dropped(std::move(cause));
}

/// ip_route_input_mc. Which groups sockets have joined is not among the facts, but for 224.0.0.1,
/// to which every host belongs.
RouteIn take_multicast(const Input& input) {
  const IpAddress& from = input.flow.source;
  const IpAddress& to = input.flow.destination;
  const std::string code = "multicast-not-joined";
  const bool all_hosts = to == IpAddress{.bytes = {224, 0, 0, 1}};
  const bool up = (input.link.flags & kLinkUp) != 0;
  const bool joined =
      up && (all_hosts || input.world.choices.pick(
                              {.code = "multicast-membership",
                               .text = fmt::format("whether a socket has joined the group {} on {}",
                                                   to.text(), input.name()),
                               .key = fmt::format("multicast {} {}", to.text(), input.name()),
                               .doubt = Doubt::Unread}));
  if (!joined) {
    return dropped(packet_cause(
        input, code,
        fmt::format("nobody on this host has joined the group {} on {}", to.text(), input.name())));
  }
  if ((from.is_multicast() || is_limited_broadcast(from)) && stops(input, "src-mcast-or-bcast")) {
    return dropped(packet_cause(input, "src-mcast-or-bcast",
                                fmt::format("{} cannot be the address of one host", from.text())));
  }
  if (from.is_loopback() && input.settings.route_localnet == 0 && stops(input, "loopback-src")) {
    return dropped(
        packet_cause(input, "loopback-src",
                     fmt::format("{} is an address for use inside one host", from.text())));
  }
  const bool local_group = to.bytes[1] == 0 && to.bytes[2] == 0;
  if (from.is_unspecified() && !local_group && stops(input, "zero-src")) {
    return dropped(packet_cause(input, "zero-src", "0.0.0.0 is no address that a client can have"));
  }
  if (!from.is_unspecified()) {
    if (auto refusal = judge_source(input, IpAddress{}, 0)) return *refusal;
  }
  return delivered({}, kMulticast, true);
}

/// ip_route_input_slow from the lookup on.
RouteIn route(const Input& input) {
  const Key key = key_of(input.flow);
  const Found found = lookup(input.world, key);
  if (found.error != 0) return without_route(input, found, key);
  if (found.type == kBroadcast) {
    return input.settings.bc_forwarding != 0 ? forwarded(input, found, key)
                                             : take_broadcast(input, found);
  }
  if (found.type == kLocal) {
    if (auto refusal = judge_source(input, input.flow.destination, 0)) return *refusal;
    return delivered(found, kLocal, false);
  }
  if (is_configured(input.world.network, input.flow.destination)) {
    if (!stops(input, "local-route-missing")) return delivered(found, kLocal, false);
    if (input.settings.forwarding == 0) return dropped(missing_local_route(input), found);
  }
  if (input.settings.forwarding == 0 && stops(input, "not-local")) {
    return dropped(not_local_cause(input, found, key), found);
  }
  if (found.type != kUnicast) {
    Cause cause = packet_cause(input, "martian-dst",
                               fmt::format("the route for {} is of a type that takes no packets",
                                           input.flow.destination.text()));
    cause.evidence = evidence_of(input.world.network, found, key);
    return dropped(std::move(cause), found);
  }
  return forwarded(input, found, key);
}

}  // namespace

RouteIn route_input4(World& world, const Flow& flow, bool arp) {
  const host::Link* link = world.network.link(flow.in);
  static const host::Link kNone;
  if (link == nullptr) link = &kNone;
  const Input input{world, flow, *link, effective4(world.network, *link), arp};
  if (!link->ipv4 && stops(input, "no-in-dev")) {
    return dropped({.code = "no-in-dev",
                    .text = fmt::format("{} takes no IPv4 packets: IPv4 is off there", link->name),
                    .evidence = {{.fact = fmt::format("{} has no IPv4 settings (mtu {})",
                                                      link->name, link->mtu),
                                  .where = "link",
                                  .verify = "ip link show dev " + shell_word(link->name)}}});
  }
  if (flow.destination.is_multicast()) return take_multicast(input);
  const bool bad_source = flow.source.is_multicast() || is_limited_broadcast(flow.source);
  if (bad_source && stops(input, "src-mcast-or-bcast")) {
    return dropped(
        packet_cause(input, "src-mcast-or-bcast",
                     fmt::format("{} cannot be the address of one host", flow.source.text())));
  }
  const bool both_zero = flow.source.is_unspecified() && flow.destination.is_unspecified();
  if (is_limited_broadcast(flow.destination) || both_zero) return take_broadcast(input, {});
  if (auto refusal = check_addresses(input)) return *refusal;
  return route(input);
}

}  // namespace hark::reach::fib
