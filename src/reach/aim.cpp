#include "reach/aim.h"

#include <algorithm>
#include <array>

#include "decode/xt_blob.h"
#include "reach/clients.h"
#include "reach/packet.h"

namespace hark::reach {

using decode::xt::Blob;
using decode::xt::Field;

namespace {

/// tcp and udp: ranges of ports, each perhaps inverted (XT_TCP_INV_DSTPT, XT_UDP_INV_DSTPT).
bool ask_port_match(Aim& aim, const Blob& blob) {
  constexpr std::uint64_t kInvertDestination = 2;
  const auto port = [&](std::size_t at) {
    return static_cast<std::uint16_t>(blob.item(Field::DestinationPorts, at, 2));
  };
  const auto from = [&](std::size_t at) { return blob.item(Field::SourcePorts, at, 2); };
  if (from(0) != 0 || from(1) != 0xffff) aim.conditional = true;
  const bool negated = (blob.number(Field::InvertFlags) & kInvertDestination) != 0;
  return aim.ask_ports(PortSet({port(0), port(1)}), negated);
}

bool ask_multiport(Aim& aim, const Blob& blob) {
  constexpr std::uint64_t kDestination = 1;  // XT_MULTIPORT_DESTINATION
  constexpr std::size_t kMost = 15;          // XT_MULTI_PORTS
  if (blob.number(Field::Flags) != kDestination) {
    aim.conditional = true;
    return true;
  }
  std::vector<Interval<std::uint16_t>> ports;
  const std::size_t count = std::min<std::size_t>(blob.number(Field::Count), kMost);
  const auto port = [&](std::size_t at) {
    return static_cast<std::uint16_t>(blob.item(Field::Ports, at, 2));
  };
  for (std::size_t i = 0; i < count; ++i) {
    Interval<std::uint16_t> range{port(i), port(i)};
    if (blob.item(Field::PortFlags, i, 1) != 0) range.last = port(++i);
    ports.push_back(range);
  }
  return aim.ask_ports(PortSet(std::move(ports)), blob.number(Field::Invert) != 0);
}

/// addrtype --dst-type LOCAL; what else it may ask is a condition.
void ask_address_type(Aim& aim, const Blob& blob) {
  constexpr std::uint32_t kLocal = 1U << 2U;          // RTN_LOCAL
  constexpr std::uint32_t kInvertDestination = 0x02;  // XT_ADDRTYPE_INVERT_DEST
  const bool inverted = blob.number(Field::InvertDestination) != 0 ||
                        (blob.u32(Field::Flags) & kInvertDestination) != 0;
  if (blob.u32(Field::DestinationMask) == kLocal && !inverted) {
    aim.local = true;
  } else {
    aim.conditional = true;
  }
}

}  // namespace

std::optional<AddressSet> masked_addresses(const IpAddress& wanted, const IpAddress& mask) {
  auto ranges = masked_ranges(wanted, mask, wanted.bits() / 8);
  if (!ranges) return std::nullopt;
  return AddressSet(std::move(*ranges));
}

bool Aim::ask_protocol(std::uint8_t number, bool negated) {
  tcp = tcp && (number == kTcp) != negated;
  udp = udp && (number == kUdp) != negated;
  return !empty();
}

bool Aim::ask_family(Family family, bool negated) {
  inet = inet && (family == Family::Inet) != negated;
  inet6 = inet6 && (family == Family::Inet6) != negated;
  return !empty();
}

bool Aim::ask_addresses(const AddressSet& some, bool negated) {
  if (some.empty()) {
    if (!negated) addresses = some;
    return !empty();
  }
  const Family family = some.ranges().front().first.family;
  if (!ask_family(family)) return false;
  const AddressSet before = addresses ? *addresses : all_addresses(family);
  addresses = negated ? before.minus(some) : before.intersect(some);
  // What is left out of all is told by a trace; a list of the rest tells nobody anything.
  if (negated && before == all_addresses(family)) {
    addresses.reset();
    conditional = true;
  }
  return !empty();
}

bool Aim::ask_ports(const PortSet& some, bool negated) {
  ports = negated ? ports.minus(some) : ports.intersect(some);
  return !empty();
}

bool Aim::ask_match(const decode::nft::XtMatch& match) {
  constexpr std::array<std::string_view, 2> kChance = {"statistic", "cluster"};
  if (match.name == "comment") return true;
  const auto is = [&](std::string_view name) { return match.name == name; };
  if (std::ranges::any_of(kChance, is)) chance = true;
  if (match.name == "recent") sticky = true;
  const auto blob = decode::xt::read(match);
  if (blob && (is("tcp") || is("udp"))) {
    return ask_protocol(is("tcp") ? kTcp : kUdp) && ask_port_match(*this, *blob);
  }
  if (blob && is("multiport")) return ask_multiport(*this, *blob);
  if (blob && is("addrtype")) {
    ask_address_type(*this, *blob);
    return true;
  }
  conditional = true;
  return true;
}

bool Aim::ask_rule(const decode::xt::Rule& rule) {
  if (rule.fragments && !rule.not_fragments) return false;
  if (rule.protocol != 0 &&
      !ask_protocol(static_cast<std::uint8_t>(rule.protocol), rule.not_protocol)) {
    return false;
  }
  if (!rule.source.any() || !rule.in.any() || !rule.out.any()) conditional = true;
  if (!rule.destination.any()) {
    const auto some = masked_addresses(rule.destination.address, rule.destination.mask);
    if (!some) {
      conditional = true;
    } else if (!ask_addresses(*some, rule.not_destination)) {
      return false;
    }
  }
  return true;
}

}  // namespace hark::reach
