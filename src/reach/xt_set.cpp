// The match "set": xt_set.c, and the `kadt` functions of net/netfilter/ipset/ip_set_*.c, which make
// of a packet what is looked for.
#include <algorithm>
#include <optional>
#include <utility>

#include "decode/ipset.h"
#include "reach/client_tests.h"
#include "reach/ipset_types.h"
#include "reach/xt_ask.h"
#include "reach/xt_prepared.h"

namespace hark::reach {
namespace {

using decode::IpSetContents;
using decode::IpSetElement;

using Part = SetPart;
using Type = SetType;

/// What a rule asks of a set.
struct Query {
  const Ask& ask;
  unsigned flags;       ///< IPSET_DIM_*_SRC
  unsigned dimensions;  ///< how many directions the rule names

  /// Dimensions count from 1.
  [[nodiscard]] bool source(std::size_t dimension) const { return (flags >> dimension & 1U) != 0; }
};

IpAddress cut(IpAddress address, unsigned bits) {
  for (std::size_t i = 0; i < address.bytes.size(); ++i) {
    const unsigned keep =
        bits > i * 8 ? std::min<unsigned>(bits - static_cast<unsigned>(i) * 8, 8) : 0;
    address.bytes[i] = static_cast<std::uint8_t>(address.bytes[i] & (0xff00U >> keep));
  }
  return address;
}

bool covers(World& world, const std::optional<IpAddress>& address, unsigned length,
            const IpAddress& candidate) {
  if (!address || length > address->bits()) return false;
  return lies_within(
      world, candidate,
      {.address = cut(*address, length), .length = static_cast<std::uint8_t>(length)});
}

/// ip_set_get_ip_port(): the port, or type and code of ICMP; 0 of other protocols.
std::uint16_t port_of(const Packet& packet, bool source) {
  if (packet.protocol == kIcmp || packet.protocol == kIcmp6)
    return static_cast<std::uint16_t>(packet.icmp_type << 8U | packet.icmp_code);
  return source ? packet.tuple.source_port : packet.tuple.destination_port;
}

/// The name by which a set with interfaces looks for the packet's; of bridge ports it is not known.
std::string device_of(const Query& query, std::size_t dimension) {
  return query.source(dimension) ? query.ask.in() : query.ask.out();
}

bool interface_matches(const IpSetElement& element, const std::string& name) {
  if (name.empty() || element.physdev) return false;
  return element.wildcard ? name.compare(0, element.interface.size(), element.interface) == 0
                          : name == element.interface;
}

bool mac_matches(const IpSetElement& element, const Packet& packet) {
  return element.mac && packet.source_mac &&
         std::ranges::equal(*element.mac, *packet.source_mac,
                            [](std::uint8_t a, std::byte b) { return std::byte{a} == b; });
}

bool port_matches(const Query& query, const IpSetContents& set, const IpSetElement& element,
                  std::size_t dimension) {
  const Packet& packet = query.ask.packet;
  const bool bitmap = set.header.type == "bitmap:port";
  if (bitmap && packet.protocol != kTcp && packet.protocol != kUdp) return false;
  if (!bitmap && element.protocol != packet.protocol) return false;
  return element.port && lies_between(query.ask.world, port_of(packet, query.source(dimension)),
                                      *element.port, *element.port);
}

bool part_matches(const Query& query, const IpSetContents& set, const IpSetElement& element,
                  Part part, std::size_t dimension) {
  const Tuple& tuple = query.ask.packet.tuple;
  const IpAddress& address = query.source(dimension) ? tuple.source : tuple.destination;
  switch (part) {
    case Part::Address:
      return covers(query.ask.world, element.address, set.header.netmask.value_or(element.length),
                    address);
    case Part::Net:
      return covers(query.ask.world, element.address, element.length, address);
    case Part::Address2:
    case Part::Net2:
      return covers(query.ask.world, element.address2, element.length2, address);
    case Part::Port:
      return port_matches(query, set, element, dimension);
    case Part::Mark:
      return element.mark == (query.ask.packet.mark & set.header.markmask);
    case Part::Mac:
      // A bitmap:ip,mac takes the first MAC that comes for an address that has none yet.
      return (set.header.type == "bitmap:ip,mac" && !element.mac) ||
             mac_matches(element, query.ask.packet);
    case Part::Interface:
      return interface_matches(element, device_of(query, dimension));
  }
  return false;
}

enum class Found : std::uint8_t { No, Yes, Exception, Unknown };

/// Networks are looked for from the longest: the first that is there decides.
Found find_in(const Query& query, const IpSetContents& set, const Type& type) {
  const IpSetElement* best = nullptr;
  const auto better = [&](const IpSetElement& element) {
    return best == nullptr ||
           std::pair(element.length, element.length2) > std::pair(best->length, best->length2);
  };
  for (const IpSetElement& element : set.elements) {
    if (!better(element)) continue;
    bool all = true;
    for (std::size_t i = 0; all && i < type.dimensions; ++i)
      all = part_matches(query, set, element, type.parts[i], i + 1);
    if (all) best = &element;
  }
  if (best == nullptr) return Found::No;
  return best->nomatch ? Found::Exception : Found::Yes;
}

/// What of the packet the set would ask for and nobody knows.
bool undecidable(const Query& query, const IpSetContents& set, const Type& type) {
  if (set.header.strange) return true;
  for (std::size_t i = 0; i < type.dimensions; ++i) {
    const bool physdev = std::ranges::any_of(set.elements, &IpSetElement::physdev);
    if (type.parts[i] == Part::Interface && physdev) return true;
    if (type.parts[i] == Part::Mac && (!query.ask.packet.source_mac || !query.source(i + 1)))
      return query.ask.packet.has_mac;
  }
  return false;
}

Found look(const Query& query, const PreparedXt& prepared, const IpSetContents& set,
           unsigned depth) {
  const Type* type = set_type(set);
  if (type == nullptr) return Found::Unknown;
  if (query.dimensions < type->dimensions ||
      (set.header.family && *set.header.family != query.ask.packet.family))
    return Found::No;
  if (type->name != "list:set")
    return undecidable(query, set, *type) ? Found::Unknown : find_in(query, set, *type);
  if (depth == 0) return Found::Unknown;
  Found out = Found::No;
  for (const IpSetElement& member : set.elements) {
    const IpSetContents* one = prepared.set(member.set);
    const Found found = one == nullptr ? Found::Unknown : look(query, prepared, *one, depth - 1);
    if (found == Found::Yes) return found;
    if (found == Found::Unknown) out = found;
  }
  return out;
}

Found look_up(const Query& query, std::uint16_t index) {
  const Ask& ask = query.ask;
  std::optional<PreparedXt> own;
  if (ask.world.xt == nullptr) own.emplace(ask.world.network);
  const PreparedXt& prepared = own ? *own : *ask.world.xt;
  const IpSetContents* set = prepared.set(index);
  return set == nullptr ? Found::Unknown : look(query, prepared, *set, 2);
}

}  // namespace

XtMatched judge_set(const Ask& ask) {
  constexpr unsigned kInvert = 1U << 0U;         // IPSET_INV_MATCH
  constexpr unsigned kReturnNomatch = 1U << 7U;  // IPSET_FLAG_RETURN_NOMATCH
  const unsigned flags = ask.blob.u32(Field::SetFlags);
  const Query query{ask, flags, ask.blob.u32(Field::Dimensions)};
  const bool counters =
      ask.blob.number(Field::PacketsOp) != 0 || ask.blob.number(Field::BytesOp) != 0;
  Found found = look_up(query, ask.blob.u16(Field::Index));
  // An element's counters are asked as well: it may be there and still not match.
  if (counters && found == Found::Yes) found = Found::Unknown;
  const bool revision2 = ask.blob.revision() == 2 && (flags & kReturnNomatch) != 0;
  if ((ask.blob.number(Field::Flags) & kReturnNomatch) != 0 || revision2) {
    if (found == Found::Yes)
      found = Found::No;
    else if (found == Found::Exception)
      found = Found::Yes;
  }
  const bool invert = (flags & kInvert) != 0;
  if (found == Found::Unknown)
    return when(ask.unsure("ipset", counters ? Doubt::Time : Doubt::Unread));
  return when((found == Found::Yes) != invert);
}

}  // namespace hark::reach
