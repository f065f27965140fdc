// Expressions that end a packet's way, hand it on or rewrite where it goes: nft_nat.c, nft_masq.c,
// nft_redir.c, nft_reject_*.c, nft_tproxy.c, nft_synproxy.c, nft_queue.c, nft_fwd_netdev.c,
// nft_compat.c; and those that are not known.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reach/nat.h"
#include "reach/nft_clients.h"
#include "reach/nft_machine.h"
#include "reach/nft_numbers.h"
#include "reach/socket_lookup.h"
#include "reach/xt.h"

namespace hark::reach {

namespace nft = decode::nft;

namespace {

std::optional<IpAddress> load_address(const Machine& machine, const std::optional<nft::Reg>& reg,
                                      Family family) {
  if (!reg) return std::nullopt;
  IpAddress address;
  address.family = family;
  const std::size_t length = address.bits() / 8;
  const Bytes bytes =
      witness_bytes(machine, *reg, length).value_or(machine.registers.load(*reg, length).bytes);
  std::ranges::transform(bytes, address.bytes.begin(),
                         [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
  return address;
}

std::optional<std::uint16_t> load_port(const Machine& machine, const std::optional<nft::Reg>& reg) {
  const auto bytes = reg ? witness_bytes(machine, *reg, 2) : std::nullopt;
  if (!bytes || bytes->size() != 2) return std::nullopt;
  return static_cast<std::uint16_t>(std::to_integer<unsigned>((*bytes)[0]) << 8U |
                                    std::to_integer<unsigned>((*bytes)[1]));
}

/// After a rule of NAT the chain is done: the packet goes on, or there is no usable address.
Next nat_done(Machine& machine, bool usable) {
  const Next next = usable ? machine.accept() : machine.drop();
  machine.ruling.nat = true;
  return next;
}

/// nft_nat_setup_netmap(): the host part of the address stays.
void keep_host_part(NatRange& range, const Packet& packet) {
  if (!range.first_address || !range.last_address) return;
  IpAddress address = range.destination ? packet.tuple.destination : packet.tuple.source;
  for (std::size_t i = 0; i < address.bits() / 8; ++i) {
    const std::uint8_t low = range.first_address->bytes[i];
    const auto host = static_cast<std::uint8_t>(low ^ range.last_address->bytes[i]);
    address.bytes[i] = static_cast<std::uint8_t>((address.bytes[i] & host) | (low & ~host));
  }
  range.first_address = address;
  range.last_address = address;
}

}  // namespace

Next run(Machine& machine, const nft::Nat& op) {
  const Packet& packet = machine.here.packet;
  const std::uint8_t family = packet.family == Family::Inet ? kProtoIp : kProtoIp6;
  // In a table of inet a mapping is for one family: to packets of the other it does nothing.
  if (op.family != 0 && op.family != kProtoInet && op.family != family) return Next::Go;
  NatRange range;
  range.destination = op.destination;
  range.first_address = load_address(machine, op.address_min, packet.family);
  range.last_address = load_address(machine, op.address_max, packet.family);
  range.first_port = load_port(machine, op.port_min);
  range.last_port = load_port(machine, op.port_max);
  range.flags = op.flags;
  if ((op.flags & kNatNetmap) != 0) keep_host_part(range, packet);
  return nat_done(machine, set_mapping(machine.here.world, range, machine.here.view,
                                       machine.where(), machine.here.result.notes));
}

Next run(Machine& machine, const nft::Masquerade& op) {
  NatRange range;
  range.first_port = load_port(machine, op.port_min);
  range.last_port = load_port(machine, op.port_max);
  range.flags = op.flags;
  return nat_done(machine,
                  masquerade(machine.here.world, range, machine.here.packet, machine.here.view,
                             machine.where(), machine.here.result.notes));
}

Next run(Machine& machine, const nft::Redirect& op) {
  NatRange range;
  range.destination = true;
  range.first_port = load_port(machine, op.port_min);
  range.last_port = load_port(machine, op.port_max);
  range.flags = op.flags;
  return nat_done(machine,
                  redirect(machine.here.world, machine.here.hook, range, machine.here.packet,
                           machine.here.view, machine.where(), machine.here.result.notes));
}

namespace {

// NFT_REJECT_*
constexpr std::uint32_t kRejectReset = 1;
constexpr std::uint32_t kRejectIcmpx = 2;

/// nft_reject_icmp_code(), nft_reject_icmpv6_code(): NFT_REJECT_ICMPX_* no route, port, host,
/// prohibited.
std::uint8_t icmpx_code(std::uint8_t code, Family family) {
  constexpr std::array<std::uint8_t, 4> kCodes4 = {0, 3, 1, 13};
  constexpr std::array<std::uint8_t, 4> kCodes6 = {0, 4, 3, 1};
  const std::size_t at = std::min<std::size_t>(code, kCodes4.size() - 1);
  return family == Family::Inet ? kCodes4[at] : kCodes6[at];
}

bool is_icmp_error(const Packet& packet) {
  if (packet.protocol == kIcmp) {
    return packet.icmp_type == 3 || packet.icmp_type == 4 || packet.icmp_type == 5 ||
           packet.icmp_type == 11 || packet.icmp_type == 12;
  }
  return packet.protocol == kIcmp6 && packet.icmp_type < 128;
}

}  // namespace

Next run(Machine& machine, const nft::Reject& op) {
  const Packet& packet = machine.here.packet;
  const bool reset = op.type == kRejectReset;
  // A reset answers TCP, and no reset; an error answers no error.
  const bool silent =
      packet.arp ||
      (reset ? packet.protocol != kTcp || (packet.tcp_flags & kRst) != 0 : is_icmp_error(packet));
  if (silent) return machine.drop();
  const Next next = machine.end(HookResult::End::Reject);
  machine.ruling.tcp_reset = reset;
  if (!reset) {
    machine.ruling.icmp_type = packet.family == Family::Inet ? 3 : 1;
    machine.ruling.icmp_code =
        op.type == kRejectIcmpx ? icmpx_code(op.icmp_code, packet.family) : op.icmp_code;
  }
  return next;
}

/// The first address of the link.
IpAddress tproxy_address(const host::Network& network, const Packet& packet) {
  constexpr std::uint32_t kSecondary = 0x01;  // IFA_F_SECONDARY
  constexpr std::uint32_t kTentative = 0x40;  // IFA_F_TENTATIVE
  constexpr std::uint32_t kDeprecated = 0x20;
  for (const host::InterfaceAddress& each : network.addresses) {
    if (each.link != packet.in || each.address.family != packet.family) continue;
    const std::uint32_t refused =
        packet.family == Family::Inet ? kSecondary : kTentative | kDeprecated;
    if ((each.flags & refused) == 0) return each.address;
  }
  return packet.tuple.destination;
}

Next run(Machine& machine, const nft::Tproxy& op) {
  const Packet& packet = machine.here.packet;
  if (packet.arp || (packet.protocol != kTcp && packet.protocol != kUdp)) return Next::Break;
  const std::uint8_t family = packet.family == Family::Inet ? kProtoIp : kProtoIp6;
  if (op.family != 0 && op.family != kProtoInet && op.family != family) return Next::Break;
  Packet asked = packet;
  std::optional<IpAddress> address = load_address(machine, op.address, packet.family);
  if (!address || address->is_unspecified())
    address = tproxy_address(machine.here.rules.network(), packet);
  asked.tuple.destination = *address;
  const std::uint16_t port = load_port(machine, op.port).value_or(0);
  if (port != 0) asked.tuple.destination_port = port;
  const std::optional<SocketView> socket = find_socket(machine.here.world, asked);
  if (!socket) return Next::Break;
  const bool transparent =
      socket->transparent
          ? *socket->transparent
          : machine.ask("socket-transparent", "whether the socket is transparent, for tproxy",
                        Doubt::Unread);
  if (!transparent) return Next::Break;
  machine.here.view.tproxy_port = asked.tuple.destination_port;
  machine.here.view.tproxy_address = asked.tuple.destination;
  machine.note(fmt::format("tproxy to {} port {} by {}", asked.tuple.destination.text(),
                           asked.tuple.destination_port, machine.where()));
  return Next::Go;
}

Next run(Machine& machine, const nft::Synproxy&) {
  const Packet& packet = machine.here.packet;
  if (packet.arp || packet.protocol != kTcp) return Next::Break;
  const bool handshake = (packet.tcp_flags & kSyn) != 0 || (packet.tcp_flags & kAck) != 0;
  return handshake ? machine.end(HookResult::End::Synproxy) : Next::Go;
}

Next run(Machine& machine, const nft::Queue& op) {
  constexpr std::uint16_t kBypass = 1;  // NFT_QUEUE_FLAG_BYPASS
  if ((op.flags & kBypass) != 0) {
    const bool heard =
        machine.ask("queue", fmt::format("a program listens on queue {}", op.first), Doubt::Opaque);
    if (!heard) return machine.accept();
  }
  return machine.end(HookResult::End::Queue);
}

Next run(Machine& machine, const nft::Fwd&) {
  return machine.end(HookResult::End::Stolen);
}

Next run(Machine& machine, const nft::Inner& op) {
  // Of what is in a tunnel nothing is known; TCP carries none.
  if (machine.here.packet.protocol == kTcp) return Next::Break;
  const bool go =
      machine.ask("unknown-expression", fmt::format("a match inside a tunnel (type {})", op.type),
                  Doubt::Opaque);
  return go ? Next::Go : Next::Break;
}

Next run(Machine& machine, const nft::Unknown& op) {
  const bool last =
      machine.rule != nullptr && machine.position + 1 >= machine.rule->expressions.size();
  const bool go = machine.ask("unknown-expression", op.why, Doubt::Opaque);
  if (!go) return last ? machine.drop() : Next::Break;
  // It may have put anything anywhere.
  machine.registers.forget_all(machine.origin(
      {.code = "unknown-expression", .what = "what " + op.why + " gives", .doubt = Doubt::Opaque}));
  return Next::Go;
}

Next run(Machine& machine, const nft::XtMatch& op) {
  const XtContext context = {
      .hook = machine.here.hook, .family = machine.here.packet.family, .place = machine.where()};
  switch (xt_match(machine.here.world, context, op, machine.here.packet, machine.here.view)) {
    case XtMatched::Yes:
      return Next::Go;
    case XtMatched::No:
      return Next::Break;
    case XtMatched::HotDrop:
      break;
  }
  return machine.drop();
}

namespace {

Next verdict_of(Machine& machine, const XtEffect& effect) {
  switch (effect.verdict) {
    case XtEffect::Verdict::Continue:
      return Next::Go;
    case XtEffect::Verdict::Accept:
      return machine.accept();
    case XtEffect::Verdict::Drop:
      return machine.drop();
    case XtEffect::Verdict::Return:
      return machine.follow({.verdict = nft::Verdict::Return});
    case XtEffect::Verdict::Stolen:
      return machine.end(HookResult::End::Stolen);
    case XtEffect::Verdict::Queue:
      return machine.end(HookResult::End::Queue);
    case XtEffect::Verdict::Synproxy:
      return machine.end(HookResult::End::Synproxy);
    case XtEffect::Verdict::Reject:
      break;
  }
  const Next next = machine.end(HookResult::End::Reject);
  machine.ruling.tcp_reset = effect.tcp_reset;
  machine.ruling.icmp_type = effect.icmp_type;
  machine.ruling.icmp_code = effect.icmp_code;
  return next;
}

}  // namespace

Next run(Machine& machine, const nft::XtTarget& op) {
  const XtContext context = {
      .hook = machine.here.hook, .family = machine.here.packet.family, .place = machine.where()};
  Packet& packet = machine.here.packet;
  const XtEffect effect = xt_target(machine.here.world, context, op, packet, machine.here.view);
  machine.packet_changed();
  if (!effect.note.empty()) machine.note(effect.note);
  if (!effect.nat) return verdict_of(machine, effect);
  return nat_done(machine,
                  apply_nat(machine.here.world, machine.here.hook, *effect.nat, packet,
                            machine.here.view, machine.where(), machine.here.result.notes));
}

}  // namespace hark::reach
