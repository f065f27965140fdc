// Addresses, rules and neighbours; routes and nexthop objects are in route_records.cpp.
#include "decode/route_messages.h"

#include <endian.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "decode/route_attributes.h"

namespace hark::decode {
namespace {

/// Not in the headers of every system that hark is built on; linux/fib_rules.h.
enum LaterRuleAttribute : std::uint16_t {
  kRuleDscp = 25,            // 6.13
  kRuleFlowLabel = 26,       // 6.14
  kRuleFlowLabelMask = 27,   // 6.14
  kRuleSourcePortMask = 28,  // 6.15
  kRuleDestinationPortMask = 29,
  kRuleDscpMask = 30,
};

template <typename T>
Bytes dump_request(std::uint16_t type, const T& body) {
  Bytes bytes;
  append_value(bytes, body);
  return netlink_request(type, NLM_F_REQUEST | NLM_F_DUMP, bytes);
}

/// Why a message is malformed; empty: it is not.
using Fault = std::string_view;
constexpr Fault kCutOff = "an attribute is cut off or has an impossible length";
constexpr Fault kBadSize = "an attribute has the wrong size";
constexpr Fault kTooShort = "the message is too short";
constexpr Fault kBadLength = "a prefix is longer than an address";

/// Decodes an answer of messages that are one record each. `read` fills a record from a body: it
/// sets `wanted` to false for what is to be passed over.
template <typename Record, typename Read>
Result<std::vector<Record>> decode_all(ByteView messages, std::uint16_t type, const char* what,
                                       const Read& read) {
  std::vector<Record> out;
  NetlinkAnswer answer(messages, type, what);
  while (const auto body = answer.next()) {
    Record record;
    bool wanted = true;
    const Fault fault = read(*body, record, wanted);
    if (!fault.empty()) return fail(answer.reject(fault));
    if (wanted) out.push_back(std::move(record));
  }
  if (answer.error()) return fail(*answer.error());
  return out;
}

/// IFA_LOCAL is this host's own end, IFA_ADDRESS the peer's; without a peer IPv6 tells only the
/// second and IPv4 both, equal. inet_fill_ifaddr, inet6_fill_ifaddr.
Fault read_address(ByteView body, AddressRecord& record, bool& wanted) {
  ByteReader reader(body);
  const auto header = reader.value<ifaddrmsg>();
  if (!reader.ok()) return kTooShort;
  const auto family = family_of(header.ifa_family);
  wanted = family.has_value();
  if (!wanted) return {};
  record.link = header.ifa_index;
  record.scope = header.ifa_scope;
  record.flags = header.ifa_flags;
  std::optional<IpAddress> local;
  std::optional<IpAddress> address;
  NetlinkAttributes attributes(reader.take(reader.left()));
  while (const auto attribute = attributes.next()) {
    bool good = true;
    switch (attribute->type) {
      case IFA_LOCAL:
        good = take_address(*attribute, *family, local);
        break;
      case IFA_ADDRESS:
        good = take_address(*attribute, *family, address);
        break;
      case IFA_BROADCAST:
        good = take_address(*attribute, *family, record.broadcast);
        break;
      case IFA_FLAGS:
        good = take_value(*attribute, record.flags);
        break;
      default:
        break;
    }
    if (!good) return kBadSize;
  }
  if (attributes.broken()) return kCutOff;
  if (!local) local = address;
  if (!address) address = local;
  if (!local) return "an address message without an address";
  record.address = *local;
  const auto subnet = prefix_of(*address, header.ifa_prefixlen);
  if (!subnet) return kBadLength;
  record.subnet = *subnet;
  return {};
}

/// A span of ports or uids as the kernel writes it: two numbers in host order.
template <typename T>
struct Span {
  T first;
  T last;
};

bool take_ports(const NetlinkAttribute& attribute, std::optional<PortRange>& to) {
  const auto span = attribute.value<Span<std::uint16_t>>();
  if (span) to = PortRange{.first = span->first, .last = span->last};
  return span.has_value();
}

bool take_uids(const NetlinkAttribute& attribute, PolicyRule& rule) {
  const auto span = attribute.value<Span<std::uint32_t>>();
  if (!span) return false;
  rule.first_uid = span->first;
  rule.last_uid = span->last;
  return true;
}

/// A big-endian number of 32 or 64 bits.
template <typename T>
bool take_big_endian(const NetlinkAttribute& attribute, T& to) {
  if (!take_value(attribute, to)) return false;
  to = sizeof to == 8 ? static_cast<T>(be64toh(to))
                      : static_cast<T>(be32toh(static_cast<std::uint32_t>(to)));
  return true;
}

/// Conditions and effects that came after the first kernels of git. False: a wrong size.
bool read_later_attribute(const NetlinkAttribute& attribute, PolicyRule& rule) {
  switch (attribute.type) {
    case FRA_UID_RANGE:
      return take_uids(attribute, rule);
    case FRA_IP_PROTO:
      return take_value(attribute, rule.protocol);
    case FRA_SPORT_RANGE:
      return take_ports(attribute, rule.source_ports);
    case FRA_DPORT_RANGE:
      return take_ports(attribute, rule.destination_ports);
    case kRuleSourcePortMask:
      return take_value(attribute, rule.source_port_mask);
    case kRuleDestinationPortMask:
      return take_value(attribute, rule.destination_port_mask);
    case kRuleDscp:
      return take_value(attribute, rule.dscp);
    case kRuleDscpMask:
      return take_value(attribute, rule.dscp_mask);
    case kRuleFlowLabel:
      return take_big_endian(attribute, rule.flow_label);
    case kRuleFlowLabelMask:
      return take_big_endian(attribute, rule.flow_label_mask);
    // The realm that a match gives the packet, who made the rule, filling: no conditions.
    case FRA_FLOW:
    case FRA_PROTOCOL:
    case FRA_PAD:
      return true;
    default:
      rule.not_understood = rule.not_understood || attribute.type > FRA_PAD;
      return true;
  }
}

/// Lengths of source and destination stand in the header.
struct RuleAddresses {
  std::optional<IpAddress> source;
  std::optional<IpAddress> destination;
};

bool read_rule_attribute(const NetlinkAttribute& attribute, PolicyRule& rule,
                         RuleAddresses& addresses) {
  switch (attribute.type) {
    case FRA_SRC:
      return take_address(attribute, rule.family, addresses.source);
    case FRA_DST:
      return take_address(attribute, rule.family, addresses.destination);
    case FRA_IIFNAME:
      rule.iif = attribute.text();
      return true;
    case FRA_OIFNAME:
      rule.oif = attribute.text();
      return true;
    case FRA_GOTO:
      return take_value(attribute, rule.goto_priority);
    case FRA_PRIORITY:
      return take_value(attribute, rule.priority);
    case FRA_FWMARK:
      return take_value(attribute, rule.mark);
    case FRA_FWMASK:
      return take_value(attribute, rule.mask);
    case FRA_TUN_ID:
      return take_big_endian(attribute, rule.tunnel_id);
    case FRA_SUPPRESS_IFGROUP:
      return take_value(attribute, rule.suppress_group);
    case FRA_SUPPRESS_PREFIXLEN:
      return take_value(attribute, rule.suppress_prefix_length);
    case FRA_TABLE:
      return take_value(attribute, rule.table);
    case FRA_L3MDEV:
      return take_value(attribute, rule.l3mdev);
    default:
      return read_later_attribute(attribute, rule);
  }
}

Fault read_rule(ByteView body, PolicyRule& rule, bool& wanted) {
  ByteReader reader(body);
  const auto header = reader.value<fib_rule_hdr>();
  if (!reader.ok()) return kTooShort;
  const auto family = family_of(header.family);
  wanted = family.has_value();
  if (!wanted) return {};
  rule.family = *family;
  rule.tos = header.tos;
  rule.table = header.table;
  rule.action = header.action;
  rule.inverted = (header.flags & FIB_RULE_INVERT) != 0;
  RuleAddresses addresses;
  NetlinkAttributes attributes(reader.take(reader.left()));
  while (const auto attribute = attributes.next()) {
    if (!read_rule_attribute(*attribute, rule, addresses)) return kBadSize;
  }
  if (attributes.broken()) return kCutOff;
  if (addresses.source) rule.source = prefix_of(*addresses.source, header.src_len);
  if (addresses.destination) rule.destination = prefix_of(*addresses.destination, header.dst_len);
  if (rule.source.has_value() != addresses.source.has_value() ||
      rule.destination.has_value() != addresses.destination.has_value()) {
    return kBadLength;
  }
  // fib_nl_fill_rule writes -1 where nothing is to be suppressed.
  if (rule.suppress_prefix_length == -1) rule.suppress_prefix_length.reset();
  return {};
}

Fault read_neighbour(ByteView body, NeighbourRecord& record, bool& wanted) {
  ByteReader reader(body);
  const auto header = reader.value<ndmsg>();
  if (!reader.ok()) return kTooShort;
  const auto family = family_of(header.ndm_family);
  wanted = family.has_value();
  if (!wanted) return {};
  record.link = static_cast<std::uint32_t>(header.ndm_ifindex);
  record.state = header.ndm_state;
  record.flags = header.ndm_flags;
  std::optional<IpAddress> address;
  NetlinkAttributes attributes(reader.take(reader.left()));
  while (const auto attribute = attributes.next()) {
    if (attribute->type == NDA_DST && !take_address(*attribute, *family, address)) return kBadSize;
    if (attribute->type == NDA_LLADDR) {
      record.mac.assign(attribute->bytes.begin(), attribute->bytes.end());
    }
  }
  if (attributes.broken()) return kCutOff;
  if (!address) return "a neighbour without an address";
  record.address = *address;
  return {};
}

}  // namespace

Bytes addresses_request() {
  return dump_request(RTM_GETADDR, ifaddrmsg{});
}

Bytes policy_rules_request(Family family) {
  fib_rule_hdr header{};
  header.family = address_family_of(family);
  return dump_request(RTM_GETRULE, header);
}

Bytes neighbours_request() {
  return dump_request(RTM_GETNEIGH, ndmsg{});
}

Bytes proxy_neighbours_request() {
  ndmsg header{};
  header.ndm_flags = NTF_PROXY;
  return dump_request(RTM_GETNEIGH, header);
}

Result<std::vector<AddressRecord>> decode_addresses(ByteView messages) {
  return decode_all<AddressRecord>(messages, RTM_NEWADDR, "address answer", read_address);
}

Result<std::vector<PolicyRule>> decode_policy_rules(ByteView messages) {
  return decode_all<PolicyRule>(messages, RTM_NEWRULE, "rule answer", read_rule);
}

Result<std::vector<NeighbourRecord>> decode_neighbours(ByteView messages) {
  return decode_all<NeighbourRecord>(messages, RTM_NEWNEIGH, "neighbour answer", read_neighbour);
}

}  // namespace hark::decode
