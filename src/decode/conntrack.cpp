#include "decode/conntrack.h"

#include <endian.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

#include <array>

#include "decode/netlink_attributes.h"
#include "decode/route_attributes.h"

namespace hark::decode {
namespace {

constexpr auto kNewEntry =
    static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8U | unsigned{IPCTNL_MSG_CT_NEW});
constexpr auto kGetEntries =
    static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8U | unsigned{IPCTNL_MSG_CT_GET});

// Not in the headers of every system that hark is built on: Linux 5.8. The bits are those of
// include/net/netfilter/nf_conntrack_tuple.h's users in nf_conntrack_netlink.c.
constexpr std::uint16_t kFilter = 25;              // CTA_FILTER
constexpr std::uint16_t kFilterOriginal = 1;       // CTA_FILTER_ORIG_FLAGS
constexpr std::uint32_t kBySource = 1U << 0U;      // CTA_FILTER_F_CTA_IP_SRC
constexpr std::uint32_t kByTarget = 1U << 1U;      // CTA_FILTER_F_CTA_IP_DST
constexpr std::uint32_t kByProtocol = 1U << 3U;    // CTA_FILTER_F_CTA_PROTO_NUM
constexpr std::uint32_t kBySourcePort = 1U << 4U;  // CTA_FILTER_F_CTA_PROTO_SRC_PORT
constexpr std::uint32_t kByTargetPort = 1U << 5U;  // CTA_FILTER_F_CTA_PROTO_DST_PORT

struct Side {
  std::uint8_t protocol = 0;
  std::optional<IpAddress> source, destination;
  std::uint16_t source_port = 0, destination_port = 0;
};

std::uint16_t port_in(const NetlinkAttribute& attribute) {
  return be16toh(attribute.value<std::uint16_t>().value_or(0));
}

void read_addresses(ByteView bytes, Side& side) {
  NetlinkAttributes attributes(bytes);
  while (const auto attribute = attributes.next()) {
    const ByteView address = attribute->bytes;
    switch (attribute->type) {
      case CTA_IP_V4_SRC:
        side.source = address_of(address, Family::Inet);
        break;
      case CTA_IP_V4_DST:
        side.destination = address_of(address, Family::Inet);
        break;
      case CTA_IP_V6_SRC:
        side.source = address_of(address, Family::Inet6);
        break;
      case CTA_IP_V6_DST:
        side.destination = address_of(address, Family::Inet6);
        break;
      default:
        break;
    }
  }
}

void read_ports(ByteView bytes, Side& side) {
  NetlinkAttributes attributes(bytes);
  while (const auto attribute = attributes.next()) {
    switch (attribute->type) {
      case CTA_PROTO_NUM:
        side.protocol = attribute->value<std::uint8_t>().value_or(0);
        break;
      case CTA_PROTO_SRC_PORT:
        side.source_port = port_in(*attribute);
        break;
      case CTA_PROTO_DST_PORT:
        side.destination_port = port_in(*attribute);
        break;
      default:
        break;
    }
  }
}

Side read_side(ByteView bytes) {
  Side side;
  NetlinkAttributes attributes(bytes);
  while (const auto attribute = attributes.next()) {
    if (attribute->type == CTA_TUPLE_IP) read_addresses(attribute->bytes, side);
    if (attribute->type == CTA_TUPLE_PROTO) read_ports(attribute->bytes, side);
  }
  return side;
}

std::uint8_t tcp_state_in(ByteView bytes) {
  NetlinkAttributes protocols(bytes);
  while (const auto protocol = protocols.next()) {
    if (protocol->type != CTA_PROTOINFO_TCP) continue;
    NetlinkAttributes attributes(protocol->bytes);
    while (const auto attribute = attributes.next()) {
      if (attribute->type == CTA_PROTOINFO_TCP_STATE) {
        return attribute->value<std::uint8_t>().value_or(0);
      }
    }
  }
  return 0;
}

/// Why the message is malformed; empty: it is not.
std::string_view read_entry(ByteView body, ConntrackRecord& record, bool& wanted) {
  ByteReader reader(body);
  const auto header = reader.value<nfgenmsg>();
  if (!reader.ok()) return "the message is too short";
  wanted = family_of(header.nfgen_family).has_value();
  if (!wanted) return {};
  Side original;
  Side reply;
  NetlinkAttributes attributes(reader.take(reader.left()));
  while (const auto attribute = attributes.next()) {
    switch (attribute->type) {
      case CTA_TUPLE_ORIG:
        original = read_side(attribute->bytes);
        break;
      case CTA_TUPLE_REPLY:
        reply = read_side(attribute->bytes);
        break;
      case CTA_STATUS:
        record.status = be32toh(attribute->value<std::uint32_t>().value_or(0));
        break;
      case CTA_MARK:
        record.mark = be32toh(attribute->value<std::uint32_t>().value_or(0));
        break;
      case CTA_ZONE:
        record.zone = port_in(*attribute);
        break;
      case CTA_PROTOINFO:
        record.tcp_state = tcp_state_in(attribute->bytes);
        break;
      default:
        break;
    }
  }
  if (attributes.broken()) return "an attribute is cut off or has an impossible length";
  if (!original.source || !original.destination || !reply.source || !reply.destination) {
    return "a connection without its addresses";
  }
  record.protocol = original.protocol;
  record.source = *original.source;
  record.destination = *original.destination;
  record.source_port = original.source_port;
  record.destination_port = original.destination_port;
  record.reply_source = *reply.source;
  record.reply_destination = *reply.destination;
  record.reply_source_port = reply.source_port;
  record.reply_destination_port = reply.destination_port;
  return {};
}

void append_address(Bytes& to, bool source, const IpAddress& address) {
  const bool v4 = address.family == Family::Inet;
  const std::uint16_t type =
      source ? (v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC) : (v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST);
  append_attribute(to, type, std::as_bytes(std::span(address.bytes)).first(address.bits() / 8));
}

template <typename T>
void append_number(Bytes& to, std::uint16_t type, T value) {
  append_attribute(to, type, std::as_bytes(std::span(&value, 1)));
}

void append_nested(Bytes& to, std::uint16_t type, const Bytes& attributes) {
  append_attribute(to, static_cast<std::uint16_t>(type | NLA_F_NESTED), attributes);
}

bool means(const ConntrackQuery& query, const ConntrackRecord& record) {
  return record.protocol == query.protocol && record.source == query.source &&
         record.destination == query.destination &&
         record.destination_port == query.destination_port &&
         (!query.source_port || record.source_port == *query.source_port);
}

}  // namespace

Bytes conntrack_request(const ConntrackQuery& query) {
  Bytes addresses;
  append_address(addresses, true, query.source);
  append_address(addresses, false, query.destination);
  Bytes ports;
  append_number(ports, CTA_PROTO_NUM, query.protocol);
  std::uint32_t flags = kBySource | kByTarget | kByProtocol | kByTargetPort;
  if (query.source_port) {
    append_number(ports, CTA_PROTO_SRC_PORT, htobe16(*query.source_port));
    flags |= kBySourcePort;
  }
  append_number(ports, CTA_PROTO_DST_PORT, htobe16(query.destination_port));
  Bytes tuple;
  append_nested(tuple, CTA_TUPLE_IP, addresses);
  append_nested(tuple, CTA_TUPLE_PROTO, ports);
  Bytes filter;
  append_number(filter, kFilterOriginal, flags);
  nfgenmsg header{};
  header.nfgen_family = address_family_of(query.source.family);
  Bytes body;
  append_value(body, header);
  append_nested(body, CTA_TUPLE_ORIG, tuple);
  append_nested(body, kFilter, filter);
  return netlink_request(kGetEntries, NLM_F_REQUEST | NLM_F_DUMP, body);
}

Result<std::vector<ConntrackRecord>> decode_conntrack(ByteView messages) {
  std::vector<ConntrackRecord> out;
  NetlinkAnswer answer(messages, kNewEntry, "conntrack answer");
  while (const auto body = answer.next()) {
    ConntrackRecord record;
    bool wanted = true;
    const std::string_view fault = read_entry(*body, record, wanted);
    if (!fault.empty()) return fail(answer.reject(fault));
    if (wanted) out.push_back(record);
  }
  if (answer.error()) return fail(*answer.error());
  return out;
}

Result<std::vector<ConntrackRecord>> decode_conntrack(ByteView messages,
                                                      const ConntrackQuery& query) {
  auto all = decode_conntrack(messages);
  if (all) std::erase_if(*all, [&](const ConntrackRecord& one) { return !means(query, one); });
  return all;
}

}  // namespace hark::decode
