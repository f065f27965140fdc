#include "route_questions.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <cstring>
#include <span>

#include "decode/netlink_attributes.h"

namespace hark::netns {
namespace {

template <typename T>
void append(Bytes& to, std::uint16_t type, const T& value) {
  decode::append_attribute(to, type, std::as_bytes(std::span(&value, 1)));
}

void append(Bytes& to, std::uint16_t type, const IpAddress& address) {
  decode::append_attribute(to, type,
                           std::as_bytes(std::span(address.bytes)).first(address.bits() / 8));
}

std::optional<IpAddress> address_of(ByteView bytes, Family family) {
  IpAddress out{.family = family};
  if (bytes.size() != out.bits() / 8) return std::nullopt;
  std::memcpy(out.bytes.data(), bytes.data(), bytes.size());
  return out;
}

Bytes request_for(const reach::Flow& flow) {
  rtmsg header{};
  header.rtm_family = flow.family == Family::Inet ? AF_INET : AF_INET6;
  header.rtm_tos = flow.tos;
  const auto bits = static_cast<std::uint8_t>(flow.destination.bits());
  header.rtm_dst_len = bits;
  const bool has_source = flow.in != 0 || flow.source_given;
  if (has_source) header.rtm_src_len = bits;
  const ByteView start = std::as_bytes(std::span(&header, 1));
  Bytes body(start.begin(), start.end());
  append(body, RTA_DST, flow.destination);
  if (has_source) append(body, RTA_SRC, flow.source);
  if (flow.in != 0) append(body, RTA_IIF, flow.in);
  if (flow.out != 0) append(body, RTA_OIF, flow.out);
  if (flow.mark != 0) append(body, RTA_MARK, flow.mark);
  append(body, RTA_UID, flow.uid);
  append(body, RTA_IP_PROTO, flow.protocol);
  append(body, RTA_SPORT, htons(flow.source_port));
  append(body, RTA_DPORT, htons(flow.destination_port));
  return decode::netlink_request(RTM_GETROUTE, NLM_F_REQUEST, body);
}

}  // namespace

KernelRoute ask_kernel(kernel::NetlinkSocket& socket, const reach::Flow& flow) {
  KernelRoute out;
  const Result<Bytes> answer = socket.ask(request_for(flow));
  if (!answer) {
    out.error = answer.error().code;
    return out;
  }
  decode::NetlinkAnswer messages(*answer, RTM_NEWROUTE, "route");
  const auto body = messages.next();
  if (!body) {
    out.error = EBADMSG;
    return out;
  }
  ByteReader reader(*body);
  out.type = reader.value<rtmsg>().rtm_type;
  decode::NetlinkAttributes attributes(reader.take(reader.left()));
  while (const auto attribute = attributes.next()) {
    if (attribute->type == RTA_OIF) out.link = attribute->value<std::uint32_t>().value_or(0);
    if (attribute->type == RTA_GATEWAY) out.gateway = address_of(attribute->bytes, flow.family);
    if (attribute->type == RTA_VIA) {
      out.gateway = address_of(attribute->bytes.subspan(2), Family::Inet6);
    }
    if (attribute->type == RTA_PREFSRC) out.source = address_of(attribute->bytes, flow.family);
  }
  return out;
}

}  // namespace hark::netns
