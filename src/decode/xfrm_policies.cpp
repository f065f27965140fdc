#include "decode/xfrm_policies.h"

#include <linux/netlink.h>
#include <linux/xfrm.h>

#include "decode/netlink_attributes.h"
#include "decode/route_attributes.h"

namespace hark::decode {
namespace {

// Not in the headers of every system that hark is built on: Linux 5.14.
constexpr std::uint16_t kGetDefault = XFRM_MSG_MAPPING + 2;
constexpr std::uint8_t kDefaultBlock = 1;  // XFRM_USERPOLICY_BLOCK
constexpr std::uint8_t kDirections = 3;    // above are those of single sockets

/// struct xfrm_userpolicy_default
struct Defaults {
  std::uint8_t in;
  std::uint8_t forward;
  std::uint8_t out;
};

std::uint16_t host_order(std::uint16_t value) {
  return static_cast<std::uint16_t>(value >> 8U | value << 8U);
}

/// Masks other than "any" and "this one" can only be made by hand; prefixes of bits are ranges.
PortRange ports_of(std::uint16_t port, std::uint16_t mask) {
  const std::uint16_t kept = host_order(mask);
  const auto first = static_cast<std::uint16_t>(host_order(port) & kept);
  return {.first = first,
          .last = static_cast<std::uint16_t>(first | static_cast<unsigned>(0xffff & ~kept))};
}

std::optional<Prefix> prefix_in(const xfrm_address_t& address, Family family, std::uint8_t length) {
  const auto bytes = std::as_bytes(std::span(&address, 1));
  const auto own = address_of(bytes.first(family == Family::Inet ? 4 : 16), family);
  return own ? prefix_of(*own, length) : std::nullopt;
}

/// Does a template want the packet to have been protected? xfrm_policy_ok of xfrm_policy.c
bool wants_protection(ByteView templates) {
  ByteReader reader(templates);
  while (reader.left() >= sizeof(xfrm_user_tmpl)) {
    if (reader.value<xfrm_user_tmpl>().optional == 0) return true;
  }
  return false;
}

/// Why the message is malformed; empty: it is not.
std::string_view read_policy(ByteView body, XfrmPolicyRecord& record, bool& wanted) {
  ByteReader reader(body);
  const auto info = reader.value<xfrm_userpolicy_info>();
  if (!reader.ok()) return "the message is too short";
  const auto family = family_of(static_cast<std::uint8_t>(info.sel.family));
  wanted = family && info.dir < kDirections;
  if (!wanted) return {};
  record.direction = info.dir;
  record.action = info.action;
  record.family = *family;
  record.protocol = info.sel.proto;
  record.source_ports = ports_of(info.sel.sport, info.sel.sport_mask);
  record.destination_ports = ports_of(info.sel.dport, info.sel.dport_mask);
  record.link = static_cast<std::uint32_t>(info.sel.ifindex);
  record.priority = info.priority;
  record.index = info.index;
  const auto source = prefix_in(info.sel.saddr, *family, info.sel.prefixlen_s);
  const auto destination = prefix_in(info.sel.daddr, *family, info.sel.prefixlen_d);
  if (!source || !destination) return "a prefix is longer than an address";
  record.source = *source;
  record.destination = *destination;
  NetlinkAttributes attributes(reader.take(reader.left()));
  while (const auto attribute = attributes.next()) {
    bool good = true;
    switch (attribute->type) {
      case XFRMA_TMPL:
        record.templates = wants_protection(attribute->bytes);
        break;
      case XFRMA_IF_ID:
        good = take_value(*attribute, record.interface_id);
        break;
      case XFRMA_MARK: {
        const auto mark = attribute->value<xfrm_mark>();
        good = mark.has_value();
        record.mark = mark.value_or(xfrm_mark{}).v;
        record.mask = mark.value_or(xfrm_mark{}).m;
        break;
      }
      default:
        break;
    }
    if (!good) return "an attribute has the wrong size";
  }
  return attributes.broken() ? "an attribute is cut off or has an impossible length"
                             : std::string_view{};
}

}  // namespace

Bytes xfrm_policies_request() {
  return netlink_request(XFRM_MSG_GETPOLICY, NLM_F_REQUEST | NLM_F_DUMP, {});
}

Bytes xfrm_defaults_request() {
  Bytes body;
  append_value(body, Defaults{});
  body.resize(4);  // netlink aligns messages
  return netlink_request(kGetDefault, NLM_F_REQUEST, body);
}

Result<std::vector<XfrmPolicyRecord>> decode_xfrm_policies(ByteView messages) {
  std::vector<XfrmPolicyRecord> out;
  NetlinkAnswer answer(messages, XFRM_MSG_NEWPOLICY, "policy answer");
  while (const auto body = answer.next()) {
    XfrmPolicyRecord record;
    bool wanted = true;
    const std::string_view fault = read_policy(*body, record, wanted);
    if (!fault.empty()) return fail(answer.reject(fault));
    if (wanted) out.push_back(record);
  }
  if (answer.error()) return fail(*answer.error());
  return out;
}

Result<XfrmDefaults> decode_xfrm_defaults(ByteView messages) {
  NetlinkAnswer answer(messages, kGetDefault, "default policy answer");
  XfrmDefaults out;
  while (const auto body = answer.next()) {
    ByteReader reader(*body);
    const auto told = reader.value<Defaults>();
    if (!reader.ok()) return fail(answer.reject("the message is too short"));
    out = {.blocks_in = told.in == kDefaultBlock,
           .blocks_forward = told.forward == kDefaultBlock,
           .blocks_out = told.out == kDefaultBlock};
  }
  if (answer.error()) return fail(*answer.error());
  return out;
}

}  // namespace hark::decode
