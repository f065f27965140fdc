#include "reach/client_view.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <tuple>

#include "reach/destinations.h"

namespace hark::reach {
namespace {

using host::Link;
using host::Network;

constexpr std::uint8_t kUnicast = 1;                        // RTN_* of linux/rtnetlink.h
constexpr std::uint8_t kLocal = 2;                          // an address of this host
constexpr std::array<std::uint8_t, 3> kOfMany = {3, 4, 5};  // broadcast, anycast, multicast

AddressRange range(const char* prefix) {
  return range_of(*Prefix::parse(prefix));
}

AddressRange alone(const IpAddress& address) {
  return {address, address};
}

/// Where a subnet has room for others than the two ends of a line, its first address is nobody's:
/// once a broadcast address, and of IPv6 the one of all its routers.
void add_base(const Prefix& subnet, std::vector<AddressRange>& out) {
  if (subnet.length == 0 || subnet.length + 1U >= subnet.address.bits()) return;
  out.push_back(alone(subnet.address));
}

bool is_on_link(const host::Route& route) {
  return !route.hops.empty() && std::ranges::none_of(route.hops, [](const host::NextHop& hop) {
    return hop.gateway.has_value();
  });
}

/// Addresses of this host.
std::vector<AddressRange> own(const Network& network, Family family) {
  std::vector<AddressRange> out;
  for (const host::InterfaceAddress& one : network.addresses) {
    if (one.address.family == family) out.push_back(alone(one.address));
  }
  for (const host::Route& route : network.routes) {
    if (route.family == family && route.type == kLocal) out.push_back(range_of(route.destination));
  }
  return out;
}

/// Addresses that no single host has.
std::vector<AddressRange> nobodys(const Network& network, Family family) {
  std::vector<AddressRange> out;
  if (family == Family::Inet) {
    out = {range("0.0.0.0/8"), range("224.0.0.0/4"), range("255.255.255.255")};
  } else {
    out = {range("::"), range("::ffff:0:0/96"), range("ff00::/8")};
  }
  for (const host::InterfaceAddress& one : network.addresses) {
    if (one.address.family != family) continue;
    if (one.broadcast) out.push_back(alone(*one.broadcast));
    add_base(one.subnet, out);
  }
  for (const host::Route& route : network.routes) {
    if (route.family != family) continue;
    if (std::ranges::find(kOfMany, route.type) != kOfMany.end()) {
      out.push_back(range_of(route.destination));
    } else if (family == Family::Inet6 && route.type == kUnicast && is_on_link(route)) {
      add_base(route.destination, out);
    }
  }
  return out;
}

/// The ports that a client is given that asks for none: net.ipv4.ip_local_port_range as it is by
/// default.
PortSet usual_ports() {
  return PortSet(Interval<std::uint16_t>{32768, 60999});
}

bool is_kept_apart_by_routing(const Answer& answer) {
  return answer.cause.code.starts_with("rp-filter") || answer.cause.code == "back-by-other-link";
}

bool same_service(const Destination& a, const Destination& b) {
  return a.protocol == b.protocol && a.port == b.port && a.address.family == b.address.family;
}

class Collector {
 public:
  Collector(const ClientSources& sources, const ClassList& classes)
      : sources_(sources), classes_(classes) {}

  ClientView collect() {
    for (const ReachClass* one : classes_) add(*one);
    leave_out_kept_apart();
    std::erase_if(out_.parts, [](const ClientPart& part) { return part.addresses.empty(); });
    std::ranges::stable_sort(out_.parts, {}, &ClientPart::place);
    return std::move(out_);
  }

 private:
  void add(const ReachClass& one) {
    const std::size_t place = place_of(one);
    if (place == kNone) return;
    ClientPart part{place, &one, one.addresses.intersect(out_.places[place].clients), {}};
    const PortSet usual = one.ports.intersect(usual_ports());
    if (!(usual == usual_ports())) part.ports = one.ports;
    // What no client is given by itself is worth a word only where it opens a door.
    if (usual.empty() && gets_through(one.answer) == Through::No) return;
    if (!part.addresses.empty()) out_.parts.push_back(std::move(part));
  }

  std::size_t place_of(const ReachClass& one) {
    const Question& asked = one.answer.question;
    const auto key = std::tuple(one.interface, asked.destination, asked.protocol, asked.port);
    const auto found = places_.find(key);
    if (found != places_.end()) return found->second;
    const Link* link = sources_.network().link(one.interface);
    const std::size_t place = link == nullptr ? kNone : out_.places.size();
    places_.emplace(key, place);
    if (link == nullptr) return kNone;
    out_.places.push_back({.interface = one.interface,
                           .loopback = link->is_loopback(),
                           .to = {.protocol = asked.protocol,
                                  .address = asked.destination,
                                  .port = asked.port,
                                  .interface = one.interface},
                           .clients = sources_.of(*link, asked.destination)});
    return place;
  }

  void leave_out_kept_apart() {
    // What is at home at each place.
    std::vector<AddressSet> welcome(out_.places.size());
    bool any = false;
    for (const ClientPart& part : out_.parts) {
      if (is_kept_apart_by_routing(part.cls->answer)) {
        any = true;
      } else {
        welcome[part.place] = welcome[part.place].unite(part.addresses);
      }
    }
    if (!any) return;
    for (ClientPart& part : out_.parts) {
      if (!is_kept_apart_by_routing(part.cls->answer)) continue;
      ClientPlace& here = out_.places[part.place];
      for (std::size_t i = 0; i < out_.places.size(); ++i) {
        const ClientPlace& other = out_.places[i];
        if (i == part.place || other.loopback || !same_service(other.to, here.to)) continue;
        const AddressSet gone = part.addresses.intersect(welcome[i]);
        part.addresses = part.addresses.minus(gone);
        here.clients = here.clients.minus(gone);
      }
    }
  }

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  const ClientSources& sources_;
  const ClassList& classes_;
  ClientView out_;
  std::map<std::tuple<std::uint32_t, IpAddress, Protocol, std::uint16_t>, std::size_t> places_;
};

/// The rule that let it in, or that turned it elsewhere; empty: none did.
std::string way_of(const Answer& answer) {
  std::string out;
  for (const Step& step : answer.path) {
    if (step.stage == Stage::Reply || step.stage == Stage::Handshake) break;
    if (step.verdict == "rewrite" || step.detail.starts_with("accepted by")) {
      out += step.detail + '\n';
    }
  }
  return out;
}

/// Equal where a person would say the same of both.
std::string fate_of(const Answer& answer) {
  const Question& asked = answer.question;
  std::string out = std::to_string(static_cast<int>(answer.outcome)) + '\n' + answer.icmp + '\n' +
                    answer.cause.code + '\n' + std::to_string(static_cast<int>(asked.protocol)) +
                    ' ' + std::to_string(asked.port) + '\n';
  if (answer.outcome == Outcome::Answered) {
    out += answer.delivers_to ? std::to_string(*answer.delivers_to) : "";
    return out + '\n' + way_of(answer);
  }
  for (const Condition& one : answer.conditions) out += one.text + '\n';
  constexpr std::array<std::string_view, 4> kByCode = {"no-socket", "bound-other-addr",
                                                       "bound-other-dev", "no-route-back"};
  if (std::ranges::find(kByCode, answer.cause.code) != kByCode.end()) return out;
  if (!answer.place.empty()) return out + answer.place;
  // What the evidence is about; its words may name the witness.
  return out + (answer.cause.evidence.empty() ? "" : answer.cause.evidence.front().where);
}

unsigned rank(const Answer& answer) {
  switch (gets_through(answer)) {
    case Through::Yes:
      return 0;
    case Through::Maybe:
      return 1;
    case Through::No:
      break;
  }
  return 2 + static_cast<unsigned>(answer.outcome);
}

/// How many addresses, roughly.
double size_of(const AddressSet& set) {
  const auto number = [](const IpAddress& address) {
    double out = 0;
    double unit = 1;
    for (std::size_t at = 0; at < address.bits() / 8; ++at)
      out += address.bytes[at] * (unit /= 256);
    return out;
  };
  double sum = 0;
  for (const AddressRange& range : set.ranges()) {
    const double one = range.first.family == Family::Inet ? 1 / 4294967296.0 : 1 / 3.4e38;
    sum += number(range.last) - number(range.first) + one;
  }
  return sum;
}

}  // namespace

ClientSources::ClientSources(const Network& network) : network_(network) {
  for (const Family family : {Family::Inet, Family::Inet6}) {
    const auto at = static_cast<std::size_t>(family);
    const AddressSet nobody(nobodys(network, family));
    const AddressSet loopback(range(family == Family::Inet ? "127.0.0.0/8" : "::1"));
    own_[at] = AddressSet(own(network, family)).unite(loopback).minus(nobody);
    outside_[at] = all_addresses(family).minus(own_[at]).minus(nobody);
  }
}

AddressSet ClientSources::of(const Link& link, const IpAddress& destination) const {
  const auto at = static_cast<std::size_t>(destination.family);
  if (link.is_loopback()) return own_[at];
  if (destination.family == Family::Inet || !destination.is_link_local()) return outside_[at];
  return outside_[at].intersect(AddressSet(range("fe80::/10")));
}

ClassList list_of(std::span<const ReachClass> classes) {
  ClassList out;
  out.reserve(classes.size());
  for (const ReachClass& one : classes) out.push_back(&one);
  return out;
}

ClientView view_of(const ClientSources& sources, const ClassList& classes) {
  return Collector(sources, classes).collect();
}

std::vector<ClientKind> client_kinds(const ClientView& clients) {
  std::vector<ClientKind> out;
  std::vector<double> sizes;
  std::map<std::string, std::size_t> groups;
  for (std::size_t i = 0; i < clients.parts.size(); ++i) {
    const ClientPart& part = clients.parts[i];
    const auto [at, is_new] = groups.emplace(fate_of(part.cls->answer), out.size());
    if (is_new) {
      out.push_back({.example = part.cls, .parts = {}});
      sizes.push_back(0);
    }
    out[at->second].parts.push_back(i);
    // This host itself stands last.
    if (!clients.places[part.place].loopback) sizes[at->second] += size_of(part.addresses);
  }
  std::vector<std::size_t> order(out.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    const unsigned left = rank(out[a].example->answer);
    const unsigned right = rank(out[b].example->answer);
    return left != right ? left < right : sizes[a] > sizes[b];
  });
  std::vector<ClientKind> sorted;
  sorted.reserve(out.size());
  for (const std::size_t i : order) sorted.push_back(std::move(out[i]));
  return sorted;
}

namespace {

/// Prefixes of a set one by one.
class EachPrefix {
 public:
  explicit EachPrefix(const AddressSet& set) : ranges_(set.ranges()) {}
  [[nodiscard]] std::optional<Prefix> next() {
    if (at_ == of_range_.size()) {
      if (range_ == ranges_.size()) return std::nullopt;
      of_range_ = prefixes_of(AddressSet(ranges_[range_++]));
      at_ = 0;
    }
    return of_range_[at_++];
  }

 private:
  const std::vector<AddressRange>& ranges_;
  std::size_t range_ = 0;
  std::vector<Prefix> of_range_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<Prefix> prefixes_among(const AddressSet& some, const AddressSet& all,
                                   std::size_t most) {
  if (some.empty()) return {};
  const Family family = some.ranges().front().first.family;
  const AddressSet allowed = some.unite(all_addresses(family).minus(all));
  std::vector<Prefix> out;
  auto part = some.ranges().begin();
  EachPrefix each(allowed);
  while (out.size() < most) {
    const std::optional<Prefix> whole_prefix = each.next();
    if (!whole_prefix) break;
    Prefix prefix = *whole_prefix;
    const AddressRange whole = range_of(prefix);
    while (part != some.ranges().end() && part->last < whole.first) ++part;
    if (part == some.ranges().end()) break;
    if (whole.last < part->first) continue;
    if (part->first <= whole.first && whole.last <= part->last) {
      out.push_back(prefix);
      continue;
    }
    const AddressSet wanted = some.intersect(AddressSet(whole));
    // As tight as can be: 1.0.0.0/8, not 0.0.0.0/7 because nobody has 0.0.0.0/8.
    while (prefix.length < prefix.address.bits()) {
      Prefix low = prefix;
      ++low.length;
      const bool in_low = wanted.ranges().front().first <= range_of(low).last;
      const bool in_high = wanted.ranges().back().last > range_of(low).last;
      if (in_low && in_high) break;
      if (in_high) {
        const unsigned bit = prefix.length;
        low.address.bytes[bit / 8] =
            static_cast<std::uint8_t>(low.address.bytes[bit / 8] | 0x80U >> bit % 8);
      }
      prefix = low;
    }
    out.push_back(prefix);
  }
  return out;
}

Through gets_through(const Answer& answer) {
  if (answer.outcome == Outcome::Answered) return Through::Yes;
  if (answer.outcome != Outcome::Depends && answer.outcome != Outcome::Unknown) return Through::No;
  const auto answered = std::ranges::count(answer.possible, Outcome::Answered);
  const bool open = std::ranges::any_of(answer.possible, [](Outcome one) {
    return one == Outcome::Depends || one == Outcome::Unknown;
  });
  if (answer.possible.empty() || open) return Through::Maybe;
  if (answered == 0) return Through::No;
  const bool all = static_cast<std::size_t>(answered) == answer.possible.size();
  return all ? Through::Yes : Through::Maybe;
}

}  // namespace hark::reach
