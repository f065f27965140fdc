#include "reach/aim_ipset.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "decode/xt_blob.h"
#include "reach/clients.h"
#include "reach/ipset_types.h"
#include "reach/packet.h"

namespace hark::reach {

using decode::IpSetContents;
using decode::IpSetElement;
using decode::xt::Field;

namespace {

/// A rule leads so many ways at most; what more a set has makes its Aim uncertain.
constexpr std::size_t kMostWays = 4096;
/// Elements that are looked at for one namespace, each time anew.
constexpr std::size_t kMostLooked = 20'000'000;

bool is_address(SetPart part) {
  return part == SetPart::Address || part == SetPart::Net;
}

AddressRange range_of_element(const IpSetContents& set, const IpSetElement& element) {
  const bool net = set.header.type.find(":net") != std::string::npos;
  const std::uint8_t length =
      net ? element.length : std::min(element.length, set.header.netmask.value_or(element.length));
  return range_of(Prefix{*element.address, length});
}

/// Addresses of elements. The longest decides: an exception may have others within.
class Gathered {
 public:
  void add(const IpSetContents& set, const IpSetElement& element) {
    if (!element.address) return;
    Ranges& ranges = by_length_[element.length];
    (element.nomatch ? ranges.out : ranges.in).push_back(range_of_element(set, element));
  }
  [[nodiscard]] AddressSet addresses() && {
    AddressSet all;
    for (auto& [length, ranges] : by_length_) {
      all = all.unite(AddressSet(std::move(ranges.in)));
      if (!ranges.out.empty()) all = all.minus(AddressSet(std::move(ranges.out)));
    }
    return all;
  }

 private:
  struct Ranges {
    std::vector<AddressRange> in, out;
  };
  std::map<std::uint8_t, Ranges> by_length_;
};

}  // namespace

/// What of a set's dimensions a rule asks of the destination.
struct AimSets::Query {
  unsigned flags = 0;  ///< IPSET_DIM_*_SRC
  std::uint32_t dimensions = 0;
  bool inverted = false;

  [[nodiscard]] bool of_destination(std::size_t dimension) const {
    return (flags >> dimension & 1U) == 0;
  }
};

const IpSetContents* AimSets::set(const host::IpSet* found) {
  const auto [at, is_new] = known_.try_emplace(found);
  if (is_new) {
    if (auto contents = decode::decode_ipset(found->messages)) at->second = std::move(*contents);
  }
  return at->second ? &*at->second : nullptr;
}

const IpSetContents* AimSets::by_index(std::uint16_t index) {
  const auto found = std::ranges::find(network_.ip_sets, index, &host::IpSet::index);
  return found == network_.ip_sets.end() ? nullptr : set(&*found);
}

const IpSetContents* AimSets::by_name(const std::string& name) {
  const auto found = std::ranges::find(network_.ip_sets, name, &host::IpSet::name);
  return found == network_.ip_sets.end() ? nullptr : set(&*found);
}

namespace {

/// Ports alone, of TCP and UDP: bitmap:port.
void add_ports(Aim aim, const IpSetContents& set, bool inverted, std::vector<Aim>& out) {
  std::vector<Interval<std::uint16_t>> ports;
  for (const IpSetElement& element : set.elements) {
    if (element.port) ports.push_back({*element.port, *element.port});
  }
  if (aim.ask_ports(PortSet(std::move(ports)), inverted)) out.push_back(std::move(aim));
}

/// Addresses alone: what stands in other dimensions are conditions.
void add_addresses(Aim aim, const IpSetContents& set, bool inverted, std::vector<Aim>& out) {
  Gathered gathered;
  for (const IpSetElement& element : set.elements) gathered.add(set, element);
  const AddressSet some = std::move(gathered).addresses();
  // Where other conditions stand beside, what is not in the set is not to be told by this alone.
  if (inverted && aim.conditional) {
    out.push_back(std::move(aim));
  } else if (aim.ask_addresses(some, inverted)) {
    out.push_back(std::move(aim));
  }
}

/// Ports with their protocol, each with addresses where those are asked of the destination.
void add_pairs(const Aim& before, const IpSetContents& set, bool with_address,
               std::vector<Aim>& out) {
  std::map<std::pair<std::uint8_t, std::uint16_t>, Gathered> by_port;
  for (const IpSetElement& element : set.elements) {
    if (!element.port || (element.protocol != kTcp && element.protocol != kUdp)) continue;
    by_port[{*element.protocol, *element.port}].add(set, element);
  }
  for (auto& [key, gathered] : by_port) {
    if (out.size() >= kMostWays) return;
    Aim aim = before;
    if (!aim.ask_protocol(key.first) || !aim.ask_ports(PortSet({key.second, key.second}))) continue;
    if (with_address && !aim.ask_addresses(std::move(gathered).addresses())) continue;
    out.push_back(std::move(aim));
  }
}

}  // namespace

void AimSets::add(const Aim& before, const IpSetContents* set, const Query& query, unsigned depth,
                  std::vector<Aim>& out) {
  const SetType* type = set == nullptr ? nullptr : set_type(*set);
  if (set != nullptr) looked_ += set->elements.size();
  if (type == nullptr || set->header.strange || looked_ > kMostLooked) {
    Aim aim = before;
    aim.unread = aim.conditional = true;
    out.push_back(std::move(aim));
    return;
  }
  if (type->name == "list:set") {
    // "In none of them" is asked of all at once: a condition, not a way for each.
    if (query.inverted || depth == 0) return add(before, nullptr, query, 0, out);
    for (const IpSetElement& member : set->elements) {
      if (out.size() < kMostWays) add(before, by_name(member.set), query, depth - 1, out);
    }
    return;
  }
  Aim aim = before;
  const bool can_match = query.dimensions >= type->dimensions;
  if (!can_match || (set->header.family && !aim.ask_family(*set->header.family))) {
    if (query.inverted) out.push_back(before);
    return;
  }
  bool address = false;
  bool port = false;
  for (std::size_t i = 0; i < type->dimensions; ++i) {
    const bool destination = query.of_destination(i + 1);
    if (destination && is_address(type->parts[i])) {
      address = true;
    } else if (destination && type->parts[i] == SetPart::Port) {
      port = true;
    } else {
      aim.conditional = true;
    }
  }
  if (type->name == "bitmap:port" && port) {
    add_ports(std::move(aim), *set, query.inverted, out);
  } else if (query.inverted && (port || !address)) {
    Aim left = before;  // what is not in it has another family, too
    left.conditional = true;
    out.push_back(std::move(left));
  } else if (port) {
    add_pairs(aim, *set, address, out);
  } else if (address) {
    add_addresses(std::move(aim), *set, query.inverted, out);
  } else {
    out.push_back(std::move(aim));
  }
}

std::vector<Aim> AimSets::ask(const Aim& before, const decode::nft::XtMatch& match) {
  std::vector<Aim> out;
  Aim aim = before;
  const auto blob = match.name == "set" ? decode::xt::read(match) : std::nullopt;
  if (!blob) {
    if (aim.ask_match(match)) out.push_back(std::move(aim));
    return out;
  }
  constexpr unsigned kInvert = 1U << 0U;  // IPSET_INV_MATCH
  const unsigned flags = blob->u32(Field::SetFlags);
  const Query query{.flags = flags,
                    .dimensions = blob->u32(Field::Dimensions),
                    .inverted = (flags & kInvert) != 0};
  constexpr unsigned kDeepest = 2;  // a list of lists there is not
  add(before, by_index(blob->u16(Field::Index)), query, kDeepest, out);
  return out;
}

std::vector<Aim> AimSets::ask(const Aim& before, const std::vector<decode::nft::XtMatch>& matches) {
  std::vector<Aim> out = {before};
  for (const decode::nft::XtMatch& match : matches) {
    std::vector<Aim> next;
    for (const Aim& one : out) {
      if (next.size() >= kMostWays) break;
      std::ranges::move(ask(one, match), std::back_inserter(next));
    }
    out = std::move(next);
  }
  return out;
}

}  // namespace hark::reach
