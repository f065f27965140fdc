// Targets: ipt_REJECT.c, xt_nat.c, xt_MASQUERADE.c, xt_REDIRECT.c, xt_NETMAP.c, xt_mark.c,
// xt_connmark.c, xt_CT.c, xt_TPROXY.c, xt_DSCP.c, xt_HL.c, xt_CLASSIFY.c, xt_NFQUEUE.c,
// ipt_SYNPROXY.c and what only logs or counts.
#include <algorithm>
#include <array>
#include <utility>

#include "decode/xt_blob.h"
#include "reach/socket_lookup.h"
#include "reach/xt.h"

namespace hark::reach {
namespace {

using decode::xt::Blob;
using decode::xt::Field;
using Verdict = XtEffect::Verdict;

struct Order {
  World& world;
  const XtContext& context;
  const Blob& blob;
  const decode::nft::XtTarget& target;
  Packet& packet;
  ConntrackView& view;

  [[nodiscard]] std::string words() const {
    return words_of(target, packet.family, &world.network);
  }
  [[nodiscard]] Condition condition(std::string_view code, Doubt doubt) const {
    const std::string what = words();
    return {std::string(code), what + " of " + context.place,
            std::string(code) + ":" + context.place + ":" + what, doubt};
  }
  /// nf_ct_get(): conntrack's entry of the packet.
  [[nodiscard]] Connection* connection() const {
    const bool tracked = packet.ct == CtState::New || packet.ct == CtState::Established ||
                         packet.ct == CtState::Related;
    return tracked && view.connection ? &*view.connection : nullptr;
  }
};
using Act = XtEffect (*)(const Order& order);

XtEffect verdict(Verdict what, std::string note = {}) {
  XtEffect out;
  out.verdict = what;
  out.note = std::move(note);
  return out;
}

/// Logs, counts, copies, or changes what nobody here asks for.
XtEffect nothing(const Order&) {
  return {};
}

struct Rejection {
  std::uint8_t type, code;
};
constexpr std::uint8_t kUnreachable = 3;
constexpr std::uint8_t kUnreachable6 = 1;
/// By IPT_ICMP_*; what stands at echo reply and TCP reset is not used.
constexpr std::array<Rejection, 9> kRejections = {{{kUnreachable, 0},
                                                   {kUnreachable, 1},
                                                   {kUnreachable, 2},
                                                   {kUnreachable, 3},
                                                   {0, 0},
                                                   {kUnreachable, 9},
                                                   {kUnreachable, 10},
                                                   {0, 0},
                                                   {kUnreachable, 13}}};
/// By IP6T_ICMP6_*
constexpr std::array<Rejection, 9> kRejections6 = {{{kUnreachable6, 0},
                                                    {kUnreachable6, 1},
                                                    {kUnreachable6, 2},
                                                    {kUnreachable6, 3},
                                                    {kUnreachable6, 4},
                                                    {0, 0},
                                                    {0, 0},
                                                    {kUnreachable6, 5},
                                                    {kUnreachable6, 6}}};

XtEffect reject(const Order& order) {
  constexpr std::size_t kReset = 7, kReset6 = 6, kEcho = 4, kEcho6 = 5;
  const bool six = order.packet.family == Family::Inet6;
  const std::size_t with = order.blob.number(Field::Type);
  // An echo reply was never sent: the packet is dropped and nothing said.
  if (with >= kRejections.size() || with == (six ? kEcho6 : kEcho)) return verdict(Verdict::Drop);
  // A reset answers TCP, and no reset; an error answers no error.
  const bool reset = with == (six ? kReset6 : kReset);
  const Packet& packet = order.packet;
  if (reset ? packet.protocol != kTcp || (packet.tcp_flags & kRst) != 0 : packet.related)
    return verdict(Verdict::Drop);
  XtEffect out = verdict(Verdict::Reject);
  out.tcp_reset = with == (six ? kReset6 : kReset);
  const Rejection& rejection = six ? kRejections6[with] : kRejections[with];
  out.icmp_type = rejection.type;
  out.icmp_code = rejection.code;
  return out;
}

// NF_NAT_RANGE_*
constexpr unsigned kMapAddress = 1U << 0U;
constexpr unsigned kPortGiven = 1U << 1U;
constexpr unsigned kRandom = 1U << 2U;
constexpr unsigned kRandomFully = 1U << 4U;
constexpr unsigned kPortOffset = 1U << 5U;

/// A range of ports moved by as much as the packet's port is from the first of its rule's.
std::uint16_t shifted_port(const Order& order, std::uint16_t first, std::uint16_t last) {
  const std::uint16_t base = order.blob.u16(Field::BasePort);
  const auto offset = static_cast<std::uint16_t>(order.packet.tuple.destination_port - base);
  const unsigned size = static_cast<unsigned>(last - first) + 1;
  return static_cast<std::uint16_t>(first + offset % size);
}

XtEffect nat(const Order& order, bool destination) {
  const unsigned flags = order.blob.u32(Field::Flags);
  XtEffect out = verdict(Verdict::Accept);
  XtEffect::Nat mapping;
  mapping.destination = destination;
  if ((flags & kMapAddress) != 0) {
    mapping.first_address = order.blob.address(Field::FirstAddress, order.packet.family);
    mapping.last_address = order.blob.address(Field::LastAddress, order.packet.family);
  }
  if ((flags & kPortGiven) != 0) {
    mapping.first_port = order.blob.u16(Field::FirstPort);
    mapping.last_port = order.blob.u16(Field::LastPort);
    if ((flags & kPortOffset) != 0 && *mapping.last_port >= *mapping.first_port) {
      mapping.first_port = shifted_port(order, *mapping.first_port, *mapping.last_port);
      mapping.last_port = mapping.first_port;
    }
  }
  mapping.random = (flags & (kRandom | kRandomFully)) != 0;
  out.nat = mapping;
  return out;
}

XtEffect dnat(const Order& order) {
  return nat(order, true);
}
XtEffect snat(const Order& order) {
  return nat(order, false);
}
XtEffect masquerade(const Order& order) {
  XtEffect out = nat(order, false);
  out.nat->masquerade = true;
  return out;
}
XtEffect redirect(const Order& order) {
  XtEffect out = nat(order, true);
  out.nat->redirect = true;
  return out;
}

bool rewrites_destination(HookPoint hook) {
  return hook == HookPoint::Prerouting || hook == HookPoint::Output;
}

/// Keeps the bits of the host and replaces those of the network.
XtEffect netmap(const Order& order) {
  const bool destination = rewrites_destination(order.context.hook);
  const Tuple& tuple = order.packet.tuple;
  IpAddress address = destination ? tuple.destination : tuple.source;
  const IpAddress first = order.blob.address(Field::FirstAddress, order.packet.family);
  const IpAddress last = order.blob.address(Field::LastAddress, order.packet.family);
  for (std::size_t i = 0; i < address.bytes.size(); ++i) {
    const unsigned mask = ~(static_cast<unsigned>(first.bytes[i]) ^ last.bytes[i]);
    address.bytes[i] =
        static_cast<std::uint8_t>((address.bytes[i] & ~mask) | (first.bytes[i] & mask));
  }
  XtEffect out = nat(order, destination);
  out.nat->first_address = address;
  out.nat->last_address = address;
  return out;
}

XtEffect mark(const Order& order) {
  order.packet.mark =
      (order.packet.mark & ~order.blob.u32(Field::Mask)) ^ order.blob.u32(Field::Value);
  return {};
}

std::uint32_t shifted(const Order& order, std::uint32_t value) {
  const unsigned bits = order.blob.u32(Field::ShiftBits) & 31U;
  return order.blob.number(Field::ShiftDirection) == 1 ? value >> bits : value << bits;
}

XtEffect connmark(const Order& order) {
  constexpr unsigned kSet = 0, kSave = 1, kRestore = 2;
  Connection* connection = order.connection();
  if (connection == nullptr) return {};
  const std::uint32_t ct_mask = order.blob.u32(Field::CtMask);
  const std::uint32_t packet_mask = order.blob.u32(Field::PacketMask);
  switch (order.blob.number(Field::Mode)) {
    case kSet:
      connection->mark =
          shifted(order, (connection->mark & ~ct_mask) ^ order.blob.u32(Field::CtMark));
      break;
    case kSave:
      connection->mark =
          (connection->mark & ~ct_mask) ^ shifted(order, order.packet.mark & packet_mask);
      break;
    case kRestore:
      order.packet.mark =
          (order.packet.mark & ~packet_mask) ^ shifted(order, connection->mark & ct_mask);
      break;
    default:
      break;
  }
  return {};
}

/// Only where conntrack has not seen the packet yet.
XtEffect notrack(const Order& order) {
  if (order.packet.ct != CtState::None) return {};
  order.packet.ct = CtState::Untracked;
  XtEffect out = verdict(Verdict::Continue, "not tracked");
  out.notrack = true;
  return out;
}

XtEffect ct(const Order& order) {
  constexpr unsigned kNotrack = 1, kZoneFromMark = 16, kZoneReplyOnly = 8, kZoneOriginalOnly = 4;
  const unsigned flags = order.blob.u32(Field::Flags);
  if ((flags & kNotrack) != 0) return notrack(order);
  if (order.packet.ct != CtState::None) return {};
  const bool other_way = (flags & (order.packet.reply ? kZoneOriginalOnly : kZoneReplyOnly)) != 0;
  if ((flags & kZoneFromMark) != 0)
    order.packet.ct_zone = static_cast<std::uint16_t>(order.packet.mark);
  else if (order.blob.number(Field::Zone) != 0 && !other_way)
    order.packet.ct_zone = order.blob.u16(Field::Zone);
  return {};
}

/// Needs a listening socket that may use foreign addresses, and drops what finds none.
XtEffect tproxy(const Order& order) {
  Packet asked = order.packet;
  const IpAddress address = order.blob.address(Field::FirstAddress, order.packet.family);
  asked.tuple.destination =
      address.is_unspecified() ? tproxy_address(order.world.network, order.packet) : address;
  const std::uint16_t port = order.blob.u16(Field::FirstPort);
  if (port != 0) asked.tuple.destination_port = port;
  const std::optional<SocketView> socket = find_socket(order.world, asked);
  const bool transparent =
      socket &&
      (socket->transparent
           ? *socket->transparent
           : order.world.choices.pick(order.condition("socket-transparent", Doubt::Unread)));
  if (!transparent) return verdict(Verdict::Drop, "no transparent socket listens for TPROXY");
  order.packet.mark =
      (order.packet.mark & ~order.blob.u32(Field::Mask)) ^ order.blob.u32(Field::Value);
  order.view.tproxy_port = asked.tuple.destination_port;
  order.view.tproxy_address = asked.tuple.destination;
  return verdict(Verdict::Accept, order.words().substr(3));
}

XtEffect classify(const Order& order) {
  order.packet.priority = order.blob.u32(Field::Value);
  return {};
}

XtEffect dscp(const Order& order) {
  order.packet.tos =
      static_cast<std::uint8_t>((order.packet.tos & 3U) | order.blob.u32(Field::Value) << 2U);
  return {};
}

XtEffect tos(const Order& order) {
  order.packet.tos = static_cast<std::uint8_t>((order.packet.tos & ~order.blob.u32(Field::Mask)) ^
                                               order.blob.u32(Field::Value));
  return {};
}

XtEffect ttl(const Order& order) {
  constexpr unsigned kSet = 0, kIncrement = 1;
  const unsigned value = order.blob.u32(Field::Value);
  const unsigned have = order.packet.ttl;
  const unsigned mode = order.blob.u32(Field::Mode);
  unsigned now = value;
  if (mode == kIncrement) now = std::min(have + value, 255U);
  if (mode != kSet && mode != kIncrement) now = have > value ? have - value : 0;
  order.packet.ttl = static_cast<std::uint8_t>(now);
  return {};
}

XtEffect ecn(const Order& order) {
  constexpr unsigned kSetIp = 1;
  if ((order.blob.number(Field::Mode) & kSetIp) != 0)
    order.packet.tos =
        static_cast<std::uint8_t>((order.packet.tos & 0xfcU) | (order.blob.u32(Field::Value) & 3U));
  return {};
}

XtEffect queue(const Order& order) {
  constexpr unsigned kBypass = 1;
  const bool bypass = (order.blob.number(Field::Flags) & kBypass) != 0;
  return verdict(Verdict::Queue, bypass ? "queue to a program, or accept if there is none"
                                        : "queue to a program, or drop if there is none");
}

/// Answers a SYN itself and takes the ACK that follows; lets everything else pass.
XtEffect synproxy(const Order& order) {
  if (order.packet.protocol != kTcp) return {};
  const unsigned flags = order.packet.tcp_flags & (kSyn | kAck | kFin | kRst);
  return flags == kSyn || flags == kAck ? verdict(Verdict::Synproxy) : XtEffect{};
}

/// A hash of the packet with a modulus: a few marks are tried all.
XtEffect hmark(const Order& order) {
  constexpr unsigned kMostWays = 8;
  const unsigned modulus = order.blob.u32(Field::Modulus);
  const unsigned ways = std::clamp(modulus, 1U, kMostWays);
  const unsigned way =
      ways < 2 ? 0 : order.world.choices.pick(order.condition("hash", Doubt::Chance), ways);
  order.packet.mark = order.blob.u32(Field::Offset) + way;
  return {};
}

constexpr std::array<std::pair<std::string_view, Act>, 32> kActs = {{
    {"REJECT", reject},
    {"LOG", nothing},
    {"NFLOG", nothing},
    {"DNAT", dnat},
    {"SNAT", snat},
    {"MASQUERADE", masquerade},
    {"REDIRECT", redirect},
    {"NETMAP", netmap},
    {"MARK", mark},
    {"CONNMARK", connmark},
    {"CT", ct},
    {"NOTRACK", notrack},
    {"TPROXY", tproxy},
    {"TCPMSS", nothing},
    {"SET", nothing},
    {"CLASSIFY", classify},
    {"DSCP", dscp},
    {"TOS", tos},
    {"TTL", ttl},
    {"HL", ttl},
    {"ECN", ecn},
    {"NFQUEUE", queue},
    {"SYNPROXY", synproxy},
    {"CHECKSUM", nothing},
    {"TRACE", nothing},
    {"IDLETIMER", nothing},
    {"HMARK", hmark},
    {"AUDIT", nothing},
    {"TEE", nothing},
    {"SECMARK", nothing},
    {"CONNSECMARK", nothing},
    {"RATEEST", nothing},
}};

}  // namespace

XtEffect xt_target(World& world, const XtContext& context, const decode::nft::XtTarget& target,
                   Packet& packet, ConntrackView& view) {
  const auto blob = decode::xt::read(target);
  const auto found = std::ranges::find(kActs, std::string_view(target.name),
                                       [](const auto& act) { return act.first; });
  if (blob && found != kActs.end())
    return found->second({world, context, *blob, target, packet, view});
  const std::string what = words_of(target, packet.family, &world.network);
  constexpr std::array kPossible = {Verdict::Continue, Verdict::Drop, Verdict::Accept};
  const unsigned way =
      world.choices.pick({"xt-target", what + " of " + context.place,
                          "xt-target:" + context.place + ":" + what, Doubt::Opaque},
                         kPossible.size());
  return verdict(kPossible[way]);
}

}  // namespace hark::reach
