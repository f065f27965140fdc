// nft_meta.c: what the kernel knows of a packet besides its bytes; and nft_osf.c, nft_rt.c.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "decode/nft_keys.h"
#include "reach/nft_machine.h"
#include "reach/nft_numbers.h"
#include "reach/routing.h"

namespace hark::reach {

namespace nft = decode::nft;
using nft::MetaKey;

namespace {

const host::Link* incoming(const Machine& machine) {
  const Packet& packet = machine.here.packet;
  if (machine.here.hook == HookPoint::Output || packet.in == 0) return nullptr;
  return machine.here.rules.network().link(packet.in);
}

/// Known from routing on: at the hooks before it the kernel has no device there.
const host::Link* outgoing(const Machine& machine) {
  switch (machine.here.hook) {
    case HookPoint::Forward:
    case HookPoint::Output:
    case HookPoint::Postrouting:
    case HookPoint::Egress:
    case HookPoint::ArpOut:
      return machine.here.rules.network().link(machine.here.packet.out);
    case HookPoint::Ingress:
    case HookPoint::Prerouting:
    case HookPoint::Input:
    case HookPoint::ArpIn:
    case HookPoint::BridgePrerouting:
    case HookPoint::BridgeInput:
      break;
  }
  return nullptr;
}

std::uint8_t family_number(const Machine& machine) {
  switch (machine.chain->chain->family) {
    case nft::TableFamily::Netdev:
      return kProtoNetdev;
    case nft::TableFamily::Bridge:
      return kProtoBridge;
    case nft::TableFamily::Arp:
      return kProtoArp;
    case nft::TableFamily::Inet:
    case nft::TableFamily::Ip:
    case nft::TableFamily::Ip6:
      break;
  }
  return machine.here.packet.family == Family::Inet ? kProtoIp : kProtoIp6;
}

void store_protocol(Machine& machine, nft::Reg reg) {
  const Packet& packet = machine.here.packet;
  const unsigned type = packet.arp ? 0x0806U : packet.family == Family::Inet ? 0x0800U : 0x86ddU;
  const std::array<std::byte, 2> bytes = {static_cast<std::byte>(type >> 8U),
                                          static_cast<std::byte>(type & 0xffU)};
  machine.registers.store(reg, ByteView(bytes));
}

// PACKET_*
constexpr std::uint8_t kToHost = 0;
constexpr std::uint8_t kToAll = 1;
constexpr std::uint8_t kToGroup = 2;

/// eth_type_trans() tells by the link-layer destination, which follows from the address.
std::uint8_t packet_type(const Machine& machine) {
  const Packet& packet = machine.here.packet;
  if (packet.made_here()) return kToHost;
  if (packet.arp) return packet.arp_reply ? kToHost : kToAll;
  if (packet.tuple.destination.is_multicast()) return kToGroup;
  constexpr std::uint8_t kBroadcast = 3;  // RTN_BROADCAST
  const bool all = packet.to_all || (packet.family == Family::Inet &&
                                     address_type(machine.here.rules.network(),
                                                  packet.tuple.destination) == kBroadcast);
  return all ? kToAll : kToHost;
}

constexpr std::int64_t kDayS = 86'400;

void store_time(Machine& machine, MetaKey key, nft::Reg reg) {
  const std::int64_t ms = machine.here.world.host.taken_at_ms;
  const std::int64_t seconds = ms / 1000;
  if (key == MetaKey::Time) {
    machine.registers.store_u64(reg, static_cast<std::uint64_t>(ms) * 1'000'000U);
  } else if (key == MetaKey::Day) {
    machine.registers.store_u8(reg, static_cast<std::uint8_t>((4 + seconds / kDayS) % 7));
  } else {
    machine.registers.store_u32(reg, static_cast<std::uint32_t>(seconds % kDayS));
  }
  std::vector<std::string>& all = machine.here.world.assumptions;
  std::string text = "the time of day is that of the reading: " + machine.where() + " asks for it";
  if (std::ranges::find(all, text) == all.end()) all.push_back(std::move(text));
}

Next store_unknown(Machine& machine, nft::Reg reg, std::size_t length, Origin origin) {
  machine.registers.store(reg, PartBytes::unknown(length), machine.origin(std::move(origin)));
  return Next::Go;
}

/// Keys about one of the two links. Type, group and kind break off where there is none.
Next read_link(Machine& machine, MetaKey key, nft::Reg reg) {
  Registers& to = machine.registers;
  const bool in = key == MetaKey::Iif || key == MetaKey::Iifname || key == MetaKey::Iiftype ||
                  key == MetaKey::Iifgroup || key == MetaKey::Iifkind;
  const host::Link* link = in ? incoming(machine) : outgoing(machine);
  if (key == MetaKey::Iif || key == MetaKey::Oif) {
    to.store_u32(reg, link == nullptr ? 0 : link->index);
  } else if (key == MetaKey::Iifname || key == MetaKey::Oifname) {
    to.store_name(reg, link == nullptr ? std::string_view() : link->name);
  } else if (link == nullptr) {
    return Next::Break;
  } else if (key == MetaKey::Iiftype || key == MetaKey::Oiftype) {
    to.store_u16(reg, link->type);
  } else if (key == MetaKey::Iifgroup || key == MetaKey::Oifgroup) {
    to.store_u32(reg, link->group);
  } else {
    if (link->kind.empty()) return Next::Break;
    to.store_name(reg, link->kind);
  }
  return Next::Go;
}

/// Keys of the sending socket: without one, or without a file that leads to it, no match.
Next read_socket_owner(Machine& machine, MetaKey key, nft::Reg reg) {
  const Packet& packet = machine.here.packet;
  if (key == MetaKey::Cgroup) {
    if (!packet.from_socket) return Next::Break;
    machine.registers.store_u32(reg, 0);  // net_cls of cgroup v1 gives 0 where it is not used
    return Next::Go;
  }
  const std::optional<std::uint32_t> id =
      key == MetaKey::Skuid ? packet.socket_uid : packet.socket_gid;
  if (!id) {
    if (!packet.socket_uid) return Next::Break;
    return store_unknown(machine, reg, 4,
                         {.code = "socket-group",
                          .what = "the group of the socket's owner",
                          .doubt = Doubt::Unread});
  }
  machine.registers.store_u32(reg, *id);
  return Next::Go;
}

/// Of the slave link of a VRF; 0 and "" elsewhere.
Next read_slave(Machine& machine, MetaKey key, nft::Reg reg) {
  const host::Link* link = incoming(machine);
  const bool slave = link != nullptr && link->slave_kind == "vrf";
  if (key == MetaKey::Sdif) {
    machine.registers.store_u32(reg, slave ? link->index : 0);
  } else {
    machine.registers.store_name(reg, slave ? std::string_view(link->name) : std::string_view());
  }
  return Next::Go;
}

Next read_packet(Machine& machine, MetaKey key, nft::Reg reg) {
  const Packet& packet = machine.here.packet;
  Registers& to = machine.registers;
  if (key == MetaKey::Length) {
    const PacketBytes& bytes = machine.bytes();
    to.store_u32(reg, static_cast<std::uint32_t>(bytes.bytes.size() - bytes.network.value_or(0)));
  } else if (key == MetaKey::Protocol) {
    store_protocol(machine, reg);
  } else if (key == MetaKey::Priority) {
    to.store_u32(reg, packet.priority);
  } else if (key == MetaKey::Mark) {
    to.store_u32(reg, packet.mark);
  } else if (key == MetaKey::Nfproto) {
    to.store_u8(reg, family_number(machine));
  } else if (key == MetaKey::Pkttype) {
    to.store_u8(reg, packet_type(machine));
  } else {
    if (packet.arp) return Next::Break;
    to.store_u8(reg, packet.protocol);
  }
  return Next::Go;
}

Next read(Machine& machine, MetaKey key, std::uint32_t number, nft::Reg reg) {
  switch (key) {
    case MetaKey::Length:
    case MetaKey::Protocol:
    case MetaKey::Priority:
    case MetaKey::Mark:
    case MetaKey::Nfproto:
    case MetaKey::Pkttype:
    case MetaKey::L4proto:
      return read_packet(machine, key, reg);
    case MetaKey::Iif:
    case MetaKey::Oif:
    case MetaKey::Iifname:
    case MetaKey::Oifname:
    case MetaKey::Iiftype:
    case MetaKey::Oiftype:
    case MetaKey::Iifgroup:
    case MetaKey::Oifgroup:
    case MetaKey::Iifkind:
    case MetaKey::Oifkind:
      return read_link(machine, key, reg);
    case MetaKey::Skuid:
    case MetaKey::Skgid:
    case MetaKey::Cgroup:
      return read_socket_owner(machine, key, reg);
    case MetaKey::Sdif:
    case MetaKey::Sdifname:
      return read_slave(machine, key, reg);
    case MetaKey::Nftrace:
    case MetaKey::Secpath:
      machine.registers.store_u8(reg, 0);
      return Next::Go;
    case MetaKey::Secmark:
      machine.registers.store_u32(reg, 0);
      return Next::Go;
    case MetaKey::Rtclassid:
      if (machine.here.hook == HookPoint::Prerouting || machine.here.hook == HookPoint::Ingress) {
        return Next::Break;
      }
      machine.registers.store_u32(reg, 0);
      return Next::Go;
    case MetaKey::Prandom:
      return store_unknown(
          machine, reg, 4,
          {.code = "random",
           .what = fmt::format("the random number of {} ({})", machine.where(), machine.position),
           .doubt = Doubt::Chance});
    case MetaKey::Cpu:
      return store_unknown(
          machine, reg, 4,
          {.code = "cpu", .what = "the processor that handles it", .doubt = Doubt::Chance});
    case MetaKey::Time:
    case MetaKey::Day:
    case MetaKey::Hour:
      store_time(machine, key, reg);
      return Next::Go;
    case MetaKey::BridgeIifname:
    case MetaKey::BridgeOifname:
    case MetaKey::BridgePvid:
    case MetaKey::BridgeVlanProtocol:
    case MetaKey::Broute:
    case MetaKey::BridgeMac:
      break;
  }
  return store_unknown(machine, reg, 16,
                       {.code = "unknown-expression",
                        .what = fmt::format("meta key {}", number),
                        .doubt = Doubt::Opaque});
}

}  // namespace

Next run(Machine& machine, const nft::Meta& op) {
  const auto key = static_cast<MetaKey>(op.key);
  if (op.dreg) return read(machine, key, op.key, *op.dreg);
  if (!op.sreg) return Next::Go;
  if (key != MetaKey::Mark && key != MetaKey::Priority) return Next::Go;
  const PartBytes value = machine.registers.load(*op.sreg, 4);
  std::uint32_t number = machine.registers.load_u32(*op.sreg);
  if (!value.all_known()) {
    // Rules and routes ask for one number: what it could be is told by its two ends.
    const bool least =
        machine.decide(machine.registers.origin(*op.sreg, 4), "is the least that it can be");
    const Bytes most = value.greatest();
    if (!least && most.size() == sizeof number) std::memcpy(&number, most.data(), sizeof number);
  }
  (key == MetaKey::Mark ? machine.here.packet.mark : machine.here.packet.priority) = number;
  return Next::Go;
}

Next run(Machine& machine, const nft::Osf& op) {
  const Packet& packet = machine.here.packet;
  if (packet.arp || packet.protocol != kTcp || (packet.tcp_flags & kSyn) == 0) return Next::Break;
  machine.registers.store(
      op.dreg, PartBytes::unknown(16),
      machine.origin(
          {.code = "client-os", .what = "the client's operating system", .doubt = Doubt::Packet}));
  return Next::Go;
}

}  // namespace hark::reach
