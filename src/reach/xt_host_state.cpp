// Matches that ask the host: marks, sockets, routes, devices, IPsec. xt_mark.c, xt_owner.c,
// xt_cgroup.c, xt_addrtype.c, xt_physdev.c, xt_devgroup.c, xt_policy.c, xt_realm.c, xt_socket.c of
// net/netfilter, ipt_rpfilter.c, ip6t_rpfilter.c.
#include <algorithm>
#include <array>
#include <utility>

#include "decode/xt_table.h"
#include "reach/routing.h"
#include "reach/socket_lookup.h"
#include "reach/xt_ask.h"

namespace hark::reach {
namespace {

XtMatched comment(const Ask&) {
  return XtMatched::Yes;
}

XtMatched mark(const Ask& ask) {
  const bool equal = (ask.packet.mark & ask.blob.u32(Field::Mask)) == ask.blob.u32(Field::Value);
  return when(equal != (ask.blob.number(Field::Invert) != 0));
}

constexpr unsigned kOwnerUid = 1;
constexpr unsigned kOwnerGid = 2;
constexpr unsigned kOwnerSocket = 4;

/// A packet that comes in has no socket: only "! --uid-owner" and the like match it.
XtMatched owner(const Ask& ask) {
  const unsigned wants = ask.blob.u32(Field::MatchFlags);
  const unsigned inverts = ask.blob.u32(Field::Invert);
  if (!ask.packet.from_socket) return when((wants ^ inverts) == 0);
  if ((wants & inverts & kOwnerSocket) != 0) return XtMatched::No;
  struct Test {
    unsigned flag;
    Field low, high;
    std::optional<std::uint32_t> have;
  };
  const std::array<Test, 2> tests = {
      Test{kOwnerUid, Field::UidMin, Field::UidMax, ask.packet.socket_uid},
      Test{kOwnerGid, Field::GidMin, Field::GidMax, ask.packet.socket_gid}};
  for (const Test& test : tests) {
    if ((wants & test.flag) == 0) continue;
    if (!test.have) return when(ask.unsure("socket-owner", Doubt::Unread));
    const bool inside =
        *test.have >= ask.blob.u32(test.low) && *test.have <= ask.blob.u32(test.high);
    if (inside == ((inverts & test.flag) != 0)) return XtMatched::No;
  }
  return XtMatched::Yes;
}

/// Is `cgroup` the cgroup of the rule's path or below it?
bool is_below(const std::string& cgroup, std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path.empty() || path.front() != '/') path.insert(path.begin(), '/');
  if (path == "/") return true;
  return cgroup == path ||
         (cgroup.size() > path.size() && cgroup.compare(0, path.size(), path) == 0 &&
          cgroup[path.size()] == '/');
}

XtMatched cgroup(const Ask& ask) {
  // An answer to a SYN belongs to a request, which is no full socket yet.
  constexpr std::uint8_t kSynAck = kSyn | kAck;
  const bool request = ask.packet.protocol == kTcp && (ask.packet.tcp_flags & kSynAck) == kSynAck;
  if (!ask.packet.from_socket || request) return XtMatched::No;
  if (ask.blob.number(Field::HasPath) == 0 || ask.packet.socket_cgroup.empty())
    return when(ask.unsure("cgroup", Doubt::Unread));
  const bool below = is_below(ask.packet.socket_cgroup, ask.blob.text(Field::Path));
  return when(below != (ask.blob.number(Field::InvertPath) != 0));
}

// XT_ADDRTYPE_*, bits of RTN_*
constexpr unsigned kTypeUnspecified = 1U << 0U;
constexpr unsigned kTypeUnicast = 1U << 1U;
constexpr unsigned kTypeLocal = 1U << 2U;
constexpr unsigned kTypeAnycast = 1U << 4U;
constexpr unsigned kTypeMulticast = 1U << 5U;
constexpr unsigned kTypeUnreachable = 1U << 7U;

/// match_lookup_rt6(): by a route to the address; `mask` is of the three types that it tells.
bool routed_type6(const Ask& ask, const IpAddress& address, std::uint32_t link, unsigned mask) {
  unsigned types = 0;
  if (link != 0 && (mask & kTypeLocal) != 0) {
    for (const auto& own : ask.world.network.addresses)
      if (own.link == link && own.address == address) types = kTypeLocal;
  }
  Flow flow;
  flow.family = Family::Inet6;
  flow.destination = address;
  flow.source.family = Family::Inet6;
  flow.out = link;
  flow.source_given = false;
  const FibResult found = fib_lookup(ask.world, flow);
  constexpr std::uint8_t kUnicast = 1;
  constexpr std::uint8_t kLocal = 2;
  constexpr std::uint8_t kAnycast = 4;
  constexpr std::uint8_t kMulticast = 5;
  if (found.type == 0) return (mask & kTypeUnreachable) != 0;
  if (found.type != kUnicast && found.type != kLocal && found.type != kAnycast &&
      found.type != kMulticast)
    types = kTypeUnreachable;
  if (link == 0 && found.type == kLocal) types |= kTypeLocal;
  if (found.type == kAnycast) types |= kTypeAnycast;
  return (mask & types) != 0;
}

bool is_type6(const Ask& ask, const IpAddress& address, std::uint32_t link, unsigned mask) {
  if ((mask & kTypeMulticast) != 0 && !address.is_multicast()) return false;
  // Of IPv6 everything else is of the unicast kind (__ipv6_addr_type).
  const bool other = address.is_multicast() || address.is_unspecified() || address.is_v4_mapped();
  if ((mask & kTypeUnicast) != 0 && other) return false;
  if ((mask & kTypeUnspecified) != 0 && !address.is_unspecified()) return false;
  const unsigned routed = mask & (kTypeLocal | kTypeAnycast | kTypeUnreachable);
  return routed == 0 || routed_type6(ask, address, link, mask);
}

bool is_type(const Ask& ask, const IpAddress& address, std::uint32_t link, unsigned mask) {
  if (address.family == Family::Inet6) return is_type6(ask, address, link, mask);
  return (mask >> address_type(ask.world.network, address, link) & 1U) != 0;
}

XtMatched addrtype(const Ask& ask) {
  constexpr unsigned kInvertSource = 1, kInvertDestination = 2, kIn = 4, kOut = 8;
  const unsigned flags = ask.blob.u32(Field::Flags);
  const bool not_source = ask.blob.has(Field::InvertSource)
                              ? ask.blob.number(Field::InvertSource) != 0
                              : (flags & kInvertSource) != 0;
  const bool not_destination = ask.blob.has(Field::InvertDestination)
                                   ? ask.blob.number(Field::InvertDestination) != 0
                                   : (flags & kInvertDestination) != 0;
  std::uint32_t link = 0;
  if ((flags & kIn) != 0 && has_in(ask.context.hook))
    link = ask.packet.in;
  else if ((flags & kIn) == 0 && (flags & kOut) != 0 && has_out(ask.context.hook))
    link = ask.packet.out;
  const unsigned source = ask.blob.u32(Field::SourceMask);
  const unsigned destination = ask.blob.u32(Field::DestinationMask);
  if (source != 0 && is_type(ask, ask.packet.tuple.source, link, source) == not_source)
    return XtMatched::No;
  if (destination != 0 &&
      is_type(ask, ask.packet.tuple.destination, link, destination) == not_destination)
    return XtMatched::No;
  return XtMatched::Yes;
}

constexpr unsigned kReverseLoose = 1;
constexpr unsigned kReverseMark = 2;
constexpr unsigned kReverseLocal = 4;
constexpr unsigned kReverseInvert = 8;
constexpr std::uint32_t kLoopbackLink = 1;  // LOOPBACK_IFINDEX

/// The way back to the source: does it leave by the link by which the packet came?
bool comes_the_right_way(const Ask& ask, unsigned flags) {
  constexpr std::uint8_t kUnicast = 1;
  constexpr std::uint8_t kLocal = 2;
  const Tuple& tuple = ask.packet.tuple;
  const bool six = ask.packet.family == Family::Inet6;
  Flow flow;
  flow.family = ask.packet.family;
  flow.destination = tuple.source;
  flow.source.family = ask.packet.family;
  if (!tuple.destination.is_multicast() && !tuple.destination.is_unspecified() &&
      (six || tuple.destination != *IpAddress::parse("255.255.255.255")))
    flow.source = tuple.destination;
  flow.in = kLoopbackLink;
  flow.mark = (flags & kReverseMark) != 0 ? ask.packet.mark : 0;
  flow.tos = ask.packet.tos & 0x1cU;
  if (six) flow.protocol = ask.packet.protocol;
  if (six && (tuple.source.is_link_local() || (flags & kReverseLoose) == 0))
    flow.out = ask.packet.in;
  const FibResult found = fib_lookup(ask.world, flow);
  if (found.type == kLocal) {
    if ((flags & kReverseLocal) == 0) return false;
    if (six) return true;
  } else if (found.type != kUnicast) {
    return false;
  }
  if ((flags & kReverseLoose) != 0 || found.link == ask.packet.in) return true;
  return found.route != nullptr &&
         std::ranges::any_of(found.route->hops,
                             [&](const host::NextHop& hop) { return hop.link == ask.packet.in; });
}

XtMatched rpfilter(const Ask& ask) {
  const unsigned flags = ask.blob.u32(Field::Flags);
  const bool invert = (flags & kReverseInvert) != 0;
  const host::Link* link = ask.world.network.link(ask.packet.in);
  if (link != nullptr && link->is_loopback()) return when(!invert);
  if (ask.packet.family == Family::Inet6 && ask.packet.tuple.source.is_unspecified())
    return when(!invert);
  return when(comes_the_right_way(ask, flags) != invert);
}

/// Only packets that br_netfilter hands over have a port of a bridge.
bool bridged(const Ask& ask) {
  const host::NetSettings& settings = ask.world.network.settings;
  const auto& calls = ask.packet.family == Family::Inet ? settings.bridge_call_iptables
                                                        : settings.bridge_call_ip6tables;
  const host::Link* link = ask.world.network.link(ask.packet.in);
  return calls.value_or(0) != 0 && link != nullptr && link->kind == "bridge";
}

XtMatched physdev(const Ask& ask) {
  if (bridged(ask)) return when(ask.unsure("bridge-port", Doubt::Opaque));
  const unsigned wants = ask.blob.u32(Field::Flags);
  return when((wants & ~ask.blob.u32(Field::Invert)) == 0);
}

XtMatched devgroup(const Ask& ask) {
  struct Test {
    unsigned wants, inverts;
    Field group, mask;
    std::uint32_t link;
  };
  const unsigned flags = ask.blob.u32(Field::Flags);
  for (const Test& test :
       {Test{1, 2, Field::SourceAddress, Field::SourceMask, ask.packet.in},
        Test{4, 8, Field::DestinationAddress, Field::DestinationMask, ask.packet.out}}) {
    if ((flags & test.wants) == 0) continue;
    const host::Link* link = ask.world.network.link(test.link);
    if (link == nullptr) return when(ask.unsure("device-group", Doubt::Unread));
    const bool differs = ((ask.blob.u32(test.group) ^ link->group) & ask.blob.u32(test.mask)) != 0;
    if (differs != ((flags & test.inverts) != 0)) return XtMatched::No;
  }
  return XtMatched::Yes;
}

/// The packets of a question come unprotected. Going out they may be protected by a policy.
XtMatched policy(const Ask& ask) {
  constexpr unsigned kIn = 1, kNone = 4;
  constexpr std::uint8_t kPolicyOut = 1;
  const unsigned flags = ask.blob.u32(Field::Flags);
  const auto protects = [&](const host::XfrmPolicy& one) {
    return one.direction == kPolicyOut && one.templates && one.family == ask.packet.family;
  };
  if ((flags & kIn) == 0 && std::ranges::any_of(ask.world.network.xfrm, protects))
    return when(ask.unsure("xfrm", Doubt::Opaque));
  return when((flags & kNone) != 0);
}

XtMatched realm(const Ask& ask) {
  return when(ask.unsure("realm", Doubt::Unread));
}

/// Listeners on every address do not count, unless the rule says so.
XtMatched socket(const Ask& ask) {
  constexpr unsigned kTransparent = 1, kNoWildcard = 2;
  const unsigned flags = ask.blob.u32(Field::Flags);
  const std::optional<SocketView> found = find_socket(ask.world, ask.packet);
  if (!found || ((flags & kNoWildcard) == 0 && found->wildcard)) return XtMatched::No;
  if ((flags & kTransparent) == 0) return XtMatched::Yes;
  return when(found->transparent ? *found->transparent
                                 : ask.unsure("socket-transparent", Doubt::Unread));
}

constexpr std::array<std::pair<std::string_view, Judge>, 11> kJudges = {{
    {"comment", comment},
    {"mark", mark},
    {"owner", owner},
    {"cgroup", cgroup},
    {"addrtype", addrtype},
    {"rpfilter", rpfilter},
    {"physdev", physdev},
    {"devgroup", devgroup},
    {"policy", policy},
    {"realm", realm},
    {"socket", socket},
}};

}  // namespace

Judge state_judge(std::string_view name) {
  for (const auto& [known, judge] : kJudges)
    if (known == name) return judge;
  return nullptr;
}

}  // namespace hark::reach
