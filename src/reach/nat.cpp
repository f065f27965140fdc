#include "reach/nat.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "reach/fib.h"
#include "reach/jhash.h"
#include "reach/nft_numbers.h"
#include "reach/routing.h"

namespace hark::reach {

namespace {

/// More ports or addresses than these are not tried one by one: their ends stand for all.
constexpr unsigned kMostWays = 8;

Tuple inverse(const Tuple& tuple) {
  return {.source = tuple.destination,
          .destination = tuple.source,
          .source_port = tuple.destination_port,
          .destination_port = tuple.source_port};
}

bool has_ports(std::uint8_t protocol) {
  return protocol == kTcp || protocol == kUdp || protocol == kUdplite;
}

using Words = std::array<std::uint32_t, 4>;

Words words_of(const IpAddress& address) {
  Words words{};
  std::memcpy(words.data(), address.bytes.data(), sizeof words);
  return words;
}

std::uint32_t host_order(std::uint32_t network) {
  std::array<std::uint8_t, 4> bytes{};
  std::memcpy(bytes.data(), &network, sizeof network);
  return static_cast<std::uint32_t>(bytes[0]) << 24U | static_cast<std::uint32_t>(bytes[1]) << 16U |
         static_cast<std::uint32_t>(bytes[2]) << 8U | bytes[3];
}

std::uint32_t network_order(std::uint32_t host) {
  return host_order(host);
}

/// find_best_ips_proto(): of several addresses a hash of both ends picks one, always the same.
IpAddress pick_address(World& world, const Tuple& tuple, const NatRange& range, std::uint16_t zone,
                       const std::string& where) {
  const IpAddress first = *range.first_address;
  const IpAddress last = range.last_address.value_or(first);
  if (first == last) return first;
  if (world.clients != nullptr) {
    // Each client has his own, for good; of many it is not one.
    const std::string text = fmt::format("which address from {} to {} the NAT of {} takes",
                                         first.text(), last.text(), where);
    const bool low =
        world.choices.pick({.code = "hash", .text = text, .key = text, .doubt = Doubt::Packet});
    return low ? first : last;
  }
  const Words source = words_of(tuple.source);
  Words destination = words_of(tuple.destination);
  Words chosen = words_of(range.destination ? tuple.destination : tuple.source);
  const Words low = words_of(first);
  const Words high = words_of(last);
  const std::size_t count = first.bits() / 32;
  const bool persistent = (range.flags & kNatPersistent) != 0;
  std::uint32_t hash = jhash2(source, persistent ? 0 : destination[count - 1] ^ zone);
  bool full = false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t from = full ? 0 : host_order(low[i]);
    const std::uint32_t distance = full ? ~std::uint32_t{0} : host_order(high[i]) - from + 1;
    chosen[i] = network_order(from + reciprocal_scale(hash, distance));
    full = full || chosen[i] != high[i];
    if (range.destination) destination[i] = chosen[i];
    if (!persistent) hash ^= destination[i];
  }
  IpAddress out = first;
  std::memcpy(out.bytes.data(), chosen.data(), count * 4);
  return out;
}

/// nf_nat_l4proto_unique_tuple(), as if no other connection stood in the way.
std::uint16_t pick_port(World& world, std::uint16_t port, const NatRange& range,
                        const std::string& where) {
  if (!range.first_port) return port;
  const std::uint16_t other = range.last_port.value_or(*range.first_port);
  const std::uint16_t low = std::min(*range.first_port, other);
  const std::uint16_t high = std::max(*range.first_port, other);
  const unsigned count = static_cast<unsigned>(high - low) + 1;
  if (range.base_port) {
    const auto off = static_cast<std::uint16_t>(port - *range.base_port);
    return static_cast<std::uint16_t>(low + off % count);
  }
  const bool random = (range.flags & (kNatRandom | kNatFullyRandom)) != 0;
  if (count == 1 || (!random && port >= low && port <= high)) {
    return count == 1 ? low : port;
  }
  const std::string text =
      fmt::format("which port of {} to {} the NAT of {} takes", low, high, where);
  const unsigned ways = std::min(count, kMostWays);
  const unsigned way = world.choices.pick(
      {.code = "random", .text = text, .key = text, .doubt = Doubt::Chance}, ways);
  if (way + 1 == ways) return high;
  return static_cast<std::uint16_t>(low + way);
}

std::string words_of(const IpAddress& address, std::uint16_t port, bool with_port) {
  if (!with_port) return address.text();
  if (address.family == Family::Inet6) return fmt::format("[{}]:{}", address.text(), port);
  return fmt::format("{}:{}", address.text(), port);
}

}  // namespace

bool changes_destination(HookPoint hook) {
  return hook == HookPoint::Prerouting || hook == HookPoint::Output;
}

bool is_decided(const Connection& connection, bool destination) {
  return destination ? connection.destination_nat_done : connection.source_nat_done;
}

void decide_none(Connection& connection, bool destination) {
  if (connection.confirmed) return;
  (destination ? connection.destination_nat_done : connection.source_nat_done) = true;
}

bool set_mapping(World& world, const NatRange& range, ConntrackView& view, const std::string& where,
                 std::vector<std::string>& notes) {
  if (!view.connection) return true;
  Connection& connection = *view.connection;
  if (connection.confirmed || is_decided(connection, range.destination)) return true;
  const Tuple now = inverse(connection.reply);
  Tuple then = now;
  IpAddress& address = range.destination ? then.destination : then.source;
  std::uint16_t& port = range.destination ? then.destination_port : then.source_port;
  if (range.first_address) address = pick_address(world, now, range, connection.zone, where);
  if (has_ports(connection.protocol)) port = pick_port(world, port, range, where);
  if (then != now) {
    connection.reply = inverse(then);
    (range.destination ? connection.destination_nat : connection.source_nat) = true;
    // The port of a client is any: told where the rule changes it.
    const bool told = has_ports(connection.protocol) &&
                      (range.destination || then.source_port != now.source_port);
    notes.push_back(fmt::format("{} to {} by {}", range.destination ? "dnat" : "snat",
                                words_of(address, port, told), where));
  }
  decide_none(connection, range.destination);
  return true;
}

namespace {

constexpr std::uint32_t kTentative = 0x40;   // IFA_F_TENTATIVE
constexpr std::uint32_t kOptimistic = 0x04;  // IFA_F_OPTIMISTIC

bool usable6(const host::InterfaceAddress& address) {
  return (address.flags & kTentative) == 0 || (address.flags & kOptimistic) != 0;
}

/// nf_nat_masquerade_ipv4(), nf_nat_masquerade_ipv6().
std::optional<IpAddress> masquerading_address(const host::Network& network, const Packet& packet) {
  constexpr std::uint8_t kUniverse = 0;  // RT_SCOPE_UNIVERSE
  const IpAddress& destination = packet.tuple.destination;
  if (packet.family == Family::Inet6) {
    return fib::select_source6(network, packet.out, destination);
  }
  const IpAddress out =
      fib::select_source4(network, packet.out, packet.gateway.value_or(destination), kUniverse);
  return out.is_unspecified() ? std::nullopt : std::optional(out);
}

/// ipv6_addr_scope(): 0 of global addresses.
int scope_of(const IpAddress& address) {
  if (address.is_link_local()) return 2;
  return address.is_loopback() ? 1 : 0;
}

/// nf_nat_redirect_ipv4(), nf_nat_redirect_ipv6(): the first address of the link.
std::optional<IpAddress> redirect_address(const host::Network& network, HookPoint hook,
                                          const Packet& packet) {
  if (hook == HookPoint::Output) {
    return IpAddress::parse(packet.family == Family::Inet ? "127.0.0.1" : "::1");
  }
  const int scope = scope_of(packet.tuple.destination);
  for (const host::InterfaceAddress& each : network.addresses) {
    if (each.link != packet.in || each.address.family != packet.family) continue;
    if (packet.family == Family::Inet) return each.address;
    if (each.address.is_v4_mapped() || !usable6(each)) continue;
    if (scope != 0 && scope_of(each.address) != scope) continue;
    return each.address;
  }
  return std::nullopt;
}

}  // namespace

bool masquerade(World& world, NatRange range, const Packet& packet, ConntrackView& view,
                const std::string& where, std::vector<std::string>& notes) {
  if (packet.tuple.source.is_unspecified()) return true;
  const auto address = masquerading_address(world.network, packet);
  if (!address) return false;
  range.destination = false;
  range.first_address = address;
  range.last_address = address;
  return set_mapping(world, range, view, where, notes);
}

bool redirect(World& world, HookPoint hook, NatRange range, const Packet& packet,
              ConntrackView& view, const std::string& where, std::vector<std::string>& notes) {
  const auto address = redirect_address(world.network, hook, packet);
  if (!address) return false;
  range.destination = true;
  range.first_address = address;
  range.last_address = address;
  return set_mapping(world, range, view, where, notes);
}

bool apply_nat(World& world, HookPoint hook, const XtEffect::Nat& nat, const Packet& packet,
               ConntrackView& view, const std::string& where, std::vector<std::string>& notes) {
  NatRange range;
  range.destination = nat.destination;
  range.first_address = nat.first_address;
  range.last_address = nat.last_address;
  range.first_port = nat.first_port;
  range.last_port = nat.last_port;
  range.flags = nat.random ? kNatRandom : 0;
  if (nat.masquerade) return masquerade(world, range, packet, view, where, notes);
  if (nat.redirect) return redirect(world, hook, range, packet, view, where, notes);
  return set_mapping(world, range, view, where, notes);
}

void translate(HookPoint hook, Packet& packet, const Connection& connection) {
  const bool destination = changes_destination(hook);
  // A reply has its source changed where the connection had its destination changed.
  const bool mapped =
      destination != packet.ct_reply ? connection.destination_nat : connection.source_nat;
  if (!mapped) return;
  const Tuple target = inverse(packet.ct_reply ? connection.original : connection.reply);
  const bool ports = has_ports(packet.protocol);
  if (destination) {
    packet.tuple.destination = target.destination;
    if (ports) packet.tuple.destination_port = target.destination_port;
  } else {
    packet.tuple.source = target.source;
    if (ports) packet.tuple.source_port = target.source_port;
  }
}

}  // namespace hark::reach
