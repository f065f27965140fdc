// Which of its addresses a host writes into a packet: inet_select_addr of net/ipv4/devinet.c;
// ipv6_dev_get_saddr of net/ipv6/addrconf.c, which follows RFC 6724. The kernel looks for the
// source of a route of IPv4 when the route is made or an address changes: route_localnet set later
// does not count for it.
#include <algorithm>
#include <array>

#include "reach/fib.h"

namespace hark::reach::fib {
namespace {

using host::InterfaceAddress;

bool is_primary(const InterfaceAddress& address, Family family) {
  return address.address.family == family && (address.flags & kAddressSecondary) == 0;
}

/// in_dev_select_addr
const InterfaceAddress* any_primary(const host::Network& network, std::uint32_t link,
                                    std::uint8_t scope) {
  const auto at = std::ranges::find_if(network.addresses, [&](const InterfaceAddress& own) {
    return own.link == link && is_primary(own, Family::Inet) && own.scope != kScopeLink &&
           own.scope <= scope;
  });
  return at != network.addresses.end() ? &*at : nullptr;
}

// IPV6_ADDR_SCOPE_*
constexpr int kScope6Link = 2;
constexpr int kScope6Site = 5;
constexpr int kScope6Global = 14;

/// __ipv6_addr_src_scope(__ipv6_addr_type())
int scope6(const IpAddress& address) {
  if (address.is_unspecified()) return -1;
  if (address.is_multicast()) return address.bytes[1] & 0x0f;
  if (address.is_link_local() || is_loopback6(address)) return kScope6Link;
  const bool site = address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0U) == 0xc0;
  return site ? kScope6Site : kScope6Global;
}

struct Label {
  std::array<std::uint8_t, 16> prefix = {};
  unsigned length = 0;
  int label = 0;
};
/// ip6addrlbl_init_table, the longest prefix first. `ip addrlabel` could have changed it.
constexpr std::array<Label, 10> kLabels = {
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, 0},
     {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 4},
     {{}, 96, 3},
     {{0x20, 0x01}, 32, 6},
     {{0x20, 0x01, 0x00, 0x10}, 28, 7},
     {{0x20, 0x02}, 16, 2},
     {{0x3f, 0xfe}, 16, 12},
     {{0xfe, 0xc0}, 10, 11},
     {{0xfc}, 7, 5},
     {{}, 0, 1}}};

int label_of(const IpAddress& address) {
  for (const Label& entry : kLabels) {
    const IpAddress prefix{.family = Family::Inet6, .bytes = entry.prefix};
    if (common_bits(prefix, address) >= entry.length) return entry.label;
  }
  return 1;
}

bool is_orchid(const IpAddress& address) {
  const IpAddress prefix{.family = Family::Inet6, .bytes = {0x20, 0x01, 0x00, 0x10}};
  return common_bits(prefix, address) >= 28;
}

/// What a candidate is worth, rule by rule: the first that differs decides, more is better.
using Score = std::array<int, 9>;

Score score_of(const InterfaceAddress& own, const IpAddress& destination, std::uint32_t link,
               bool prefer_temporary) {
  constexpr std::uint32_t kTemporary = kAddressSecondary;  // the same bit, in IPv6
  const int scope = scope6(own.address);
  const bool special = own.address.is_v4_mapped() || is_loopback6(own.address);
  const unsigned avoid = kAddressDeprecated | kAddressOptimistic;
  const bool temporary = (own.flags & kTemporary) != 0;
  return {own.address == destination,
          scope >= scope6(destination) ? -scope : scope - 128,
          special || (own.flags & avoid) == 0,
          link == 0 || own.link == link,
          label_of(own.address) == label_of(destination),
          temporary == prefer_temporary,
          is_orchid(own.address) == is_orchid(destination),
          static_cast<int>(
              std::min<unsigned>(common_bits(own.address, destination), own.subnet.length)),
          (own.flags & kAddressOptimistic) == 0};
}

bool is_candidate(const InterfaceAddress& own) {
  if (own.address.family != Family::Inet6) return false;
  const bool tentative = (own.flags & kAddressTentative) != 0;
  return !tentative || (own.flags & kAddressOptimistic) != 0;
}

}  // namespace

unsigned common_bits(const IpAddress& a, const IpAddress& b) {
  for (unsigned bit = 0; bit < a.bits(); ++bit) {
    const unsigned shift = 7 - bit % 8;
    const auto differ = static_cast<unsigned>(a.bytes[bit / 8] ^ b.bytes[bit / 8]);
    if ((differ >> shift & 1U) != 0) return bit;
  }
  return a.bits();
}

IpAddress select_source4(const host::Network& network, std::uint32_t link,
                         const std::optional<IpAddress>& towards, std::uint8_t scope) {
  const host::Link* device = network.link(link);
  const bool localnet = device != nullptr && effective4(network, *device).route_localnet != 0;
  const std::uint8_t most = localnet ? kScopeLink : kScopeHost;
  const InterfaceAddress* first = nullptr;
  for (const InterfaceAddress& own : network.addresses) {
    if (own.link != link || !is_primary(own, Family::Inet)) continue;
    if (std::min(own.scope, most) > scope) continue;
    if (!towards || own.subnet.contains(*towards)) return own.address;
    if (first == nullptr) first = &own;
  }
  if (first != nullptr) return first->address;
  const std::uint32_t vrf = vrf_of(network, link);
  if (vrf != 0) first = any_primary(network, vrf, scope);
  for (const host::Link& other : network.links) {
    if (first != nullptr) break;
    if (vrf_of(network, other.index) == vrf) first = any_primary(network, other.index, scope);
  }
  return first != nullptr ? first->address : IpAddress{};
}

std::optional<IpAddress> select_source6(const host::Network& network, std::uint32_t link,
                                        const IpAddress& destination) {
  const bool own_link_only =
      link != 0 && (destination.is_multicast() || scope6(destination) <= kScope6Link);
  const std::uint32_t vrf = vrf_of(network, link);
  std::vector<const InterfaceAddress*> candidates;
  for (const InterfaceAddress& own : network.addresses) {
    if (!is_candidate(own) || (own_link_only && own.link != link)) continue;
    if (!own_link_only && vrf_of(network, own.link) != vrf) continue;
    candidates.push_back(&own);
  }
  std::ranges::stable_sort(candidates, {}, &InterfaceAddress::link);
  // use_tempaddr is not among the facts; where such addresses are, they are there to be used.
  const bool temporary = std::ranges::any_of(candidates, [](const InterfaceAddress* own) {
    return (own->flags & kAddressSecondary) != 0;
  });
  const InterfaceAddress* best = nullptr;
  Score best_score = {};
  for (const InterfaceAddress* own : candidates) {
    const Score score = score_of(*own, destination, link, temporary);
    if (best != nullptr && score <= best_score) continue;
    best = own;
    best_score = score;
  }
  if (best == nullptr) return std::nullopt;
  return best->address;
}

}  // namespace hark::reach::fib
