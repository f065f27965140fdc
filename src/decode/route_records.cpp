// Routes and nexthop objects. fib_dump_info of net/ipv4/fib_semantics.c, rt6_fill_node of
// net/ipv6/route.c, nh_fill_node of net/ipv4/nexthop.c.
#include <linux/netlink.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "decode/route_attributes.h"
#include "decode/route_messages.h"

namespace hark::decode {
namespace {

/// Why a message is malformed; empty: it is not.
using Fault = std::string_view;
constexpr Fault kCutOff = "an attribute is cut off or has an impossible length";
constexpr Fault kBadSize = "an attribute has the wrong size";
constexpr std::size_t kAlignment = 4;  // RTNH_ALIGNTO
constexpr Fault kBadHops = "the hops of a route are cut off or have an impossible length";

/// struct rtvia: the family (in host order) and the address of a gateway of another family.
bool take_via(const NetlinkAttribute& attribute, std::optional<IpAddress>& to) {
  ByteReader reader(attribute.bytes);
  const auto family = family_of(static_cast<std::uint8_t>(reader.value<std::uint16_t>()));
  if (!reader.ok() || !family) return false;
  to = address_of(reader.take(reader.left()), *family);
  return to.has_value();
}

/// What a route with one way and a hop among many have in common. False: a wrong size.
bool read_hop_attribute(const NetlinkAttribute& attribute, Family family, NextHop& hop) {
  switch (attribute.type) {
    case RTA_GATEWAY:
      return take_address(attribute, family, hop.gateway);
    case RTA_VIA:
      return take_via(attribute, hop.gateway);
    case RTA_ENCAP_TYPE:
      return take_value(attribute, hop.encap);
    default:
      return true;
  }
}

/// struct rtnexthop, each with attributes of its own.
Fault read_hops(ByteView bytes, Family family, std::vector<NextHop>& hops) {
  ByteReader reader(bytes);
  while (reader.left() >= sizeof(rtnexthop)) {
    const auto header = reader.value<rtnexthop>();
    if (header.rtnh_len < sizeof header) return kBadHops;
    const std::size_t length = header.rtnh_len - sizeof header;
    NetlinkAttributes attributes(reader.take(length));
    if (!reader.ok()) return kBadHops;
    reader.take(std::min((kAlignment - length % kAlignment) % kAlignment, reader.left()));
    NextHop hop;
    hop.link = static_cast<std::uint32_t>(header.rtnh_ifindex);
    hop.weight = header.rtnh_hops + 1U;
    hop.flags = header.rtnh_flags;
    while (const auto attribute = attributes.next()) {
      if (!read_hop_attribute(*attribute, family, hop)) return kBadSize;
    }
    if (attributes.broken()) return kCutOff;
    hops.push_back(hop);
  }
  return reader.empty() ? Fault{} : kBadHops;
}

/// RTAX_MTU among the metrics of a route.
Fault read_metrics(ByteView bytes, RouteRecord& route) {
  NetlinkAttributes metrics(bytes);
  while (const auto metric = metrics.next()) {
    if (metric->type == RTAX_MTU && !take_value(*metric, route.mtu)) return kBadSize;
  }
  return metrics.broken() ? kCutOff : Fault{};
}

/// The errno of a route that rejects, which the kernel writes negative.
bool take_error(const NetlinkAttribute& attribute, RouteRecord& route) {
  const auto info = attribute.value<rta_cacheinfo>();
  if (!info) return false;
  const auto error = static_cast<std::int32_t>(info->rta_error);
  route.error = error < 0 ? 0U - info->rta_error : info->rta_error;
  return true;
}

/// Parts of a route that come together only once all of the message was read.
struct RouteParts {
  std::optional<IpAddress> destination;
  std::optional<IpAddress> source;
  NextHop hop;
};

Fault read_route_attribute(const NetlinkAttribute& attribute, RouteRecord& route,
                           RouteParts& parts) {
  bool good = true;
  switch (attribute.type) {
    case RTA_DST:
      good = take_address(attribute, route.family, parts.destination);
      break;
    case RTA_SRC:
      good = take_address(attribute, route.family, parts.source);
      break;
    case RTA_OIF:
      good = take_value(attribute, parts.hop.link);
      break;
    case RTA_PRIORITY:
      good = take_value(attribute, route.metric);
      break;
    case RTA_PREFSRC:
      good = take_address(attribute, route.family, route.preferred_source);
      break;
    case RTA_TABLE:
      good = take_value(attribute, route.table);
      break;
    case RTA_NH_ID:
      good = take_value(attribute, route.nexthop_id);
      break;
    case RTA_PREF:
      good = take_value(attribute, route.preference);
      break;
    case RTA_CACHEINFO:
      good = take_error(attribute, route);
      break;
    case RTA_METRICS:
      return read_metrics(attribute.bytes, route);
    case RTA_MULTIPATH:
      return read_hops(attribute.bytes, route.family, route.hops);
    default:
      good = read_hop_attribute(attribute, route.family, parts.hop);
      break;
  }
  return good ? Fault{} : kBadSize;
}

Fault read_route(ByteView body, RouteRecord& route, bool& wanted) {
  ByteReader reader(body);
  const auto header = reader.value<rtmsg>();
  if (!reader.ok()) return "the message is too short";
  const auto family = family_of(header.rtm_family);
  wanted = family && (header.rtm_flags & RTM_F_CLONED) == 0;
  if (!wanted) return {};
  route.family = *family;
  route.table = header.rtm_table;
  route.type = header.rtm_type;
  route.tos = header.rtm_tos;
  route.protocol = header.rtm_protocol;
  route.scope = header.rtm_scope;
  route.flags = header.rtm_flags;
  RouteParts parts;
  NetlinkAttributes attributes(reader.take(reader.left()));
  while (const auto attribute = attributes.next()) {
    const Fault fault = read_route_attribute(*attribute, route, parts);
    if (!fault.empty()) return fault;
  }
  if (attributes.broken()) return kCutOff;
  const IpAddress any{.family = *family};
  const auto destination = prefix_of(parts.destination.value_or(any), header.rtm_dst_len);
  if (!destination) return "a prefix is longer than an address";
  route.destination = *destination;
  if (header.rtm_src_len != 0) {
    route.source = prefix_of(parts.source.value_or(any), header.rtm_src_len);
    if (!route.source) return "a prefix is longer than an address";
  }
  if (route.hops.empty() && (parts.hop.link != 0 || parts.hop.gateway)) {
    parts.hop.flags = header.rtm_flags & 0xffU;  // RTNH_F_*; the RTM_F_* stand above them
    route.hops.push_back(parts.hop);
  }
  return {};
}

/// A full table has a million routes: no memory is to be taken twice.
std::size_t count_messages(ByteView messages) {
  NetlinkMessages walk(messages);
  std::size_t count = 0;
  while (walk.next()) ++count;
  return count;
}

/// struct nexthop_grp: from Linux 6.12 on the weight has a high byte, before that it was reserved
/// and zero.
Fault read_group(ByteView bytes, NexthopObject& object) {
  ByteReader reader(bytes);
  while (reader.ok() && !reader.empty()) {
    const auto id = reader.value<std::uint32_t>();
    const auto low = reader.value<std::uint8_t>();
    const auto high = reader.value<std::uint8_t>();
    reader.value<std::uint16_t>();
    object.group.push_back({.id = id, .weight = (std::uint32_t{high} << 8U | low) + 1U});
  }
  return reader.ok() ? Fault{} : "a group of nexthops is cut off";
}

Fault read_nexthop_attribute(const NetlinkAttribute& attribute, std::optional<Family> family,
                             NexthopObject& object) {
  bool good = true;
  switch (attribute.type) {
    case NHA_ID:
      good = take_value(attribute, object.id);
      break;
    case NHA_OIF:
      good = take_value(attribute, object.hop.link);
      break;
    case NHA_GATEWAY:
      good = family && take_address(attribute, *family, object.hop.gateway);
      break;
    case NHA_ENCAP_TYPE:
      good = take_value(attribute, object.hop.encap);
      break;
    case NHA_BLACKHOLE:
      object.blackhole = true;
      break;
    case NHA_GROUP:
      return read_group(attribute.bytes, object);
    default:
      break;
  }
  return good ? Fault{} : kBadSize;
}

Fault read_nexthop(ByteView body, NexthopObject& object) {
  ByteReader reader(body);
  const auto header = reader.value<nhmsg>();
  if (!reader.ok()) return "the message is too short";
  object.hop.flags = header.nh_flags;
  const auto family = family_of(header.nh_family);
  NetlinkAttributes attributes(reader.take(reader.left()));
  while (const auto attribute = attributes.next()) {
    const Fault fault = read_nexthop_attribute(*attribute, family, object);
    if (!fault.empty()) return fault;
  }
  if (attributes.broken()) return kCutOff;
  return object.id != 0 ? Fault{} : "a nexthop without an id";
}

const NexthopObject* find_object(const std::vector<NexthopObject>& sorted, std::uint32_t id) {
  const auto found = std::ranges::lower_bound(sorted, id, {}, &NexthopObject::id);
  return found != sorted.end() && found->id == id ? &*found : nullptr;
}

}  // namespace

Bytes routes_request(Family family) {
  rtmsg header{};
  header.rtm_family = address_family_of(family);
  Bytes body;
  append_value(body, header);
  return netlink_request(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, body);
}

Bytes input_route_request(const IpAddress& from, const IpAddress& to, std::uint32_t link) {
  rtmsg header{};
  header.rtm_family = address_family_of(to.family);
  header.rtm_dst_len = static_cast<std::uint8_t>(to.bits());
  header.rtm_src_len = header.rtm_dst_len;
  Bytes body;
  append_value(body, header);
  for (const auto& [type, address] : {std::pair(RTA_DST, &to), std::pair(RTA_SRC, &from)}) {
    append_attribute(body, static_cast<std::uint16_t>(type),
                     std::as_bytes(std::span(address->bytes)).first(address->bits() / 8));
  }
  append_attribute(body, RTA_IIF, std::as_bytes(std::span(&link, 1)));
  return netlink_request(RTM_GETROUTE, NLM_F_REQUEST, body);
}

Bytes nexthops_request() {
  Bytes body;
  append_value(body, nhmsg{});
  return netlink_request(RTM_GETNEXTHOP, NLM_F_REQUEST | NLM_F_DUMP, body);
}

Result<std::vector<RouteRecord>> decode_routes(ByteView messages) {
  std::vector<RouteRecord> routes;
  routes.reserve(count_messages(messages));
  NetlinkAnswer answer(messages, RTM_NEWROUTE, "route answer");
  while (const auto body = answer.next()) {
    RouteRecord route;
    bool wanted = true;
    const Fault fault = read_route(*body, route, wanted);
    if (!fault.empty()) return fail(answer.reject(fault));
    if (wanted) routes.push_back(std::move(route));
  }
  if (answer.error()) return fail(*answer.error());
  return routes;
}

Result<std::vector<NexthopObject>> decode_nexthops(ByteView messages) {
  std::vector<NexthopObject> objects;
  NetlinkAnswer answer(messages, RTM_NEWNEXTHOP, "nexthop answer");
  while (const auto body = answer.next()) {
    NexthopObject object;
    const Fault fault = read_nexthop(*body, object);
    if (!fault.empty()) return fail(answer.reject(fault));
    objects.push_back(std::move(object));
  }
  if (answer.error()) return fail(*answer.error());
  return objects;
}

bool needs_nexthops(const std::vector<RouteRecord>& routes) {
  return std::ranges::any_of(
      routes, [](const RouteRecord& route) { return route.nexthop_id != 0 && route.hops.empty(); });
}

void resolve_nexthops(std::vector<RouteRecord>& routes, std::vector<NexthopObject> objects) {
  std::ranges::sort(objects, {}, &NexthopObject::id);
  const auto add = [](RouteRecord& route, const NexthopObject& object, std::uint32_t weight) {
    if (object.blackhole) return;
    NextHop hop = object.hop;
    hop.weight = weight;
    route.hops.push_back(hop);
  };
  for (RouteRecord& route : routes) {
    if (route.nexthop_id == 0 || !route.hops.empty()) continue;
    const NexthopObject* object = find_object(objects, route.nexthop_id);
    if (object == nullptr) continue;
    if (object->group.empty()) add(route, *object, 1);
    // The members of a group are no groups themselves (nh_check_attr_group).
    for (const NexthopObject::Member& member : object->group) {
      if (const auto* one = find_object(objects, member.id)) add(route, *one, member.weight);
    }
  }
}

}  // namespace hark::decode
