// Expressions that load and compare: nft_immediate.c, nft_cmp.c, nft_range.c, nft_bitwise.c,
// nft_byteorder.c, nft_payload.c, nft_exthdr.c.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "reach/nft_clients.h"
#include "reach/nft_machine.h"

namespace hark::reach {

namespace nft = decode::nft;

namespace {

std::string hex(ByteView bytes) {
  std::string out = "0x";
  for (const std::byte byte : bytes) {
    out += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  }
  return out;
}

std::string_view sign_of(nft::CmpOp op) {
  constexpr std::array<std::string_view, 6> kSigns = {"==", "!=", "<", "<=", ">", ">="};
  return kSigns[std::min<std::size_t>(static_cast<std::size_t>(op), kSigns.size() - 1)];
}

}  // namespace

Next run(Machine& machine, const nft::Immediate& op) {
  if (op.verdict) return machine.follow(*op.verdict);
  machine.registers.store(op.dreg, op.data);
  return Next::Go;
}

Next run(Machine& machine, const nft::Cmp& op) {
  std::optional<bool> holds;
  if (const auto known = machine.registers.known(op.sreg, op.data.size())) {
    const int sign = op.data.size() == known->size() && !op.data.empty()
                         ? std::memcmp(known->data(), op.data.data(), op.data.size())
                         : 0;
    switch (op.op) {
      case nft::CmpOp::Eq:
        holds = sign == 0;
        break;
      case nft::CmpOp::Neq:
        holds = sign != 0;
        break;
      case nft::CmpOp::Lt:
        holds = sign < 0;
        break;
      case nft::CmpOp::Lte:
        holds = sign <= 0;
        break;
      case nft::CmpOp::Gt:
        holds = sign > 0;
        break;
      case nft::CmpOp::Gte:
        holds = sign >= 0;
        break;
    }
  } else {
    if (machine.registers.clients(op.sreg, op.data.size())) {
      if (machine.fails_anyway()) return Next::Break;
      machine.may_differ();
    }
    holds = compare_clients(machine, op.sreg, op.op, op.data);
    if (!holds) holds = compare(machine.registers.load(op.sreg, op.data.size()), op.op, op.data);
  }
  if (!holds) {
    // One question for "==" and "!=", so that two rules get one answer.
    const bool negated = op.op == nft::CmpOp::Neq;
    const std::string_view sign = negated ? "==" : sign_of(op.op);
    const bool yes = machine.decide(machine.registers.origin(op.sreg, op.data.size()),
                                    fmt::format("{} {}", sign, hex(op.data)));
    holds = yes != negated;
  }
  return *holds ? Next::Go : Next::Break;
}

Next run(Machine& machine, const nft::Range& op) {
  if (machine.registers.clients(op.sreg, op.from.size())) {
    if (machine.fails_anyway()) return Next::Break;
    machine.may_differ();
  }
  std::optional<bool> inside = clients_within(machine, op.sreg, op.from, op.to);
  if (!inside) inside = within(machine.registers.load(op.sreg, op.from.size()), op.from, op.to);
  if (!inside) {
    inside = machine.decide(machine.registers.origin(op.sreg, op.from.size()),
                            fmt::format("from {} to {}", hex(op.from), hex(op.to)));
  }
  return *inside != op.negated ? Next::Go : Next::Break;
}

namespace {

/// What a mask leaves of bytes that are the client's; they are not if something is turned around.
std::vector<ClientByte> masked_clients(const Registers& from, const nft::Bitwise& op) {
  const auto copies = from.clients(op.sreg, op.length);
  if (!copies || op.op != nft::Bitwise::Op::MaskXor) return {};
  std::vector<ClientByte> out(copies->begin(), copies->end());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto mask = i < op.mask.size() ? std::to_integer<std::uint8_t>(op.mask[i]) : 0;
    if (i < op.xored.size() && op.xored[i] != std::byte{0}) return {};
    out[i].kept = static_cast<std::uint8_t>(out[i].kept & mask);
    if (out[i].kept == 0) out[i] = {};
  }
  return out;
}

}  // namespace

Next run(Machine& machine, const nft::Bitwise& op) {
  const PartBytes value = machine.registers.load(op.sreg, op.length);
  const std::vector<ClientByte> copies = masked_clients(machine.registers, op);
  std::uint8_t origin = machine.registers.origin(op.sreg, op.length);
  PartBytes result;
  switch (op.op) {
    case nft::Bitwise::Op::MaskXor:
      result = masked(value, op.mask, op.xored);
      break;
    case nft::Bitwise::Op::ShiftLeft:
      result = shifted(value, op.shift, true);
      break;
    case nft::Bitwise::Op::ShiftRight:
      result = shifted(value, op.shift, false);
      break;
    case nft::Bitwise::Op::And:
    case nft::Bitwise::Op::Or:
    case nft::Bitwise::Op::Xor: {
      // Without a second register the other operand is a constant, in the place of the mask.
      const PartBytes other =
          op.sreg2 ? machine.registers.load(*op.sreg2, op.length) : PartBytes::known(op.mask);
      if (origin == 0 && op.sreg2) origin = machine.registers.origin(*op.sreg2, op.length);
      result = combined(value, other, op.op);
      break;
    }
  }
  machine.registers.store(op.dreg, result, origin);
  if (!copies.empty()) machine.registers.mark_clients(op.dreg, copies, origin);
  return Next::Go;
}

Next run(Machine& machine, const nft::Byteorder& op) {
  const std::uint8_t origin = machine.registers.origin(op.sreg, op.length);
  machine.registers.store(op.dreg, swapped(machine.registers.load(op.sreg, op.length), op.size),
                          origin);
  return Next::Go;
}

namespace {

/// Where in the packet's bytes `length` of them begin; nothing: not within the packet.
std::optional<std::size_t> place_of(Machine& machine, nft::PayloadBase base, std::uint32_t offset,
                                    std::uint32_t length) {
  const std::optional<std::size_t> begin = machine.bytes().begin_of(base);
  if (!begin || *begin + offset + length > machine.bytes().bytes.size()) return std::nullopt;
  return *begin + offset;
}

std::string_view base_name(nft::PayloadBase base) {
  constexpr std::array<std::string_view, 5> kNames = {"the link-layer header", "the network header",
                                                      "the transport header", "the payload",
                                                      "the tunnelled packet"};
  return kNames[std::min<std::size_t>(static_cast<std::size_t>(base), kNames.size() - 1)];
}

Origin origin_of(const nft::Payload& op) {
  if (op.base == nft::PayloadBase::Link) {
    const bool source = op.offset >= 6 && op.offset < 12;
    return {.code = "mac",
            .what = source ? "the source MAC address" : "the destination MAC address",
            .doubt = Doubt::Packet};
  }
  return {.code = "packet-shape",
          .what = fmt::format("byte {} of {} ({} long)", op.offset, base_name(op.base), op.length),
          .doubt = Doubt::Packet};
}

}  // namespace

Next run(Machine& machine, const nft::Payload& op) {
  if (op.base == nft::PayloadBase::Tunnel) {
    machine.registers.store(
        op.dreg, PartBytes::unknown(op.length),
        machine.origin({.code = "unknown-expression", .what = "a tunnelled packet's header"}));
    return Next::Go;
  }
  const auto at = place_of(machine, op.base, op.offset, op.length);
  if (!at) return Next::Break;
  const PacketBytes& packet = machine.bytes();
  const std::span<const std::uint8_t> bits = std::span(packet.bits).subspan(*at, op.length);
  std::span<const ClientByte> clients;
  if (!packet.clients.empty()) clients = std::span(packet.clients).subspan(*at, op.length);
  bool known = true;
  bool open = false;  // besides what is the client's
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (bits[i] == 0xff) continue;
    known = false;
    if (clients.empty() || !clients[i].is_client()) open = true;
  }
  machine.registers.store(op.dreg, ByteView(packet.bytes).subspan(*at, op.length), bits,
                          open ? machine.origin(origin_of(op)) : std::uint8_t{0});
  if (!known && !clients.empty()) {
    machine.registers.mark_clients(op.dreg, clients, machine.origin_of_clients());
  }
  return Next::Go;
}

Next run(Machine& machine, const nft::PayloadSet& op) {
  const auto at = place_of(machine, op.base, op.offset, op.length);
  if (!at) return Next::Break;
  const PartBytes value = machine.registers.load(op.sreg, op.length);
  if (value.all_known()) {
    write_header(machine.here.packet, machine.bytes(), *at, value.bytes);
  } else {
    machine.here.packet.header_written = true;
  }
  machine.packet_changed();
  return Next::Go;
}

namespace {

// NFT_EXTHDR_OP_*
constexpr std::uint32_t kIp6Header = 0;
constexpr std::uint32_t kTcpOption = 1;
constexpr std::uint32_t kIp4Option = 2;
constexpr std::uint8_t kTcpOptionNop = 1;

/// Where the option begins within the packet's bytes, and its length.
std::optional<std::pair<std::size_t, std::size_t>> find_tcp_option(const PacketBytes& packet,
                                                                   std::uint8_t type) {
  if (!packet.transport || !packet.inner) return std::nullopt;
  const auto byte = [&packet](std::size_t at) {
    return std::to_integer<std::size_t>(packet.bytes[at]);
  };
  std::size_t at = *packet.transport + 20;
  while (at + 1 < *packet.inner) {
    const std::size_t length = byte(at) <= kTcpOptionNop ? 1 : byte(at + 1);
    if (byte(at) == type) return std::pair(at, length);
    if (length == 0) break;
    at += length;
  }
  return std::nullopt;
}

Next read_tcp_option(Machine& machine, const nft::Exthdr& op) {
  const auto found = find_tcp_option(machine.bytes(), op.type);
  if (op.present && op.dreg) {
    machine.registers.store_u32(*op.dreg, found ? 1 : 0);
    return Next::Go;
  }
  if (!op.dreg) {
    // Writes it (a smaller maximum segment size) or strips it: nothing that decides later.
    if (found) machine.here.packet.header_written = machine.here.packet.header_written || !op.sreg;
    return Next::Go;
  }
  if (!found || op.offset + op.length > found->second) return Next::Break;
  const PacketBytes& packet = machine.bytes();
  const std::size_t at = found->first + op.offset;
  if (at + op.length > packet.bytes.size()) return Next::Break;
  const std::uint8_t origin =
      machine.origin({.code = "packet-shape",
                      .what = fmt::format("TCP option {} of the client", op.type),
                      .doubt = Doubt::Packet});
  machine.registers.store(*op.dreg, ByteView(packet.bytes).subspan(at, op.length),
                          std::span(packet.bits).subspan(at, op.length), origin);
  return Next::Go;
}

}  // namespace

Next run(Machine& machine, const nft::Exthdr& op) {
  const Packet& packet = machine.here.packet;
  const bool tcp = !packet.arp && packet.protocol == kTcp;
  if (op.op == kTcpOption && tcp) return read_tcp_option(machine, op);
  // Extension headers and options of IP: there are none. A packet that is not of the protocol has
  // none either, but only of the transports is that an answer; nothing here is SCTP or DCCP.
  const bool own = (op.op == kIp6Header && packet.family == Family::Inet6) ||
                   (op.op == kIp4Option && packet.family == Family::Inet);
  const bool transport = op.op != kIp6Header && op.op != kIp4Option;
  if (packet.arp ? !transport : !own && !transport) return Next::Break;
  if (!op.present || !op.dreg) return Next::Break;
  machine.registers.store_u32(*op.dreg, 0);
  return Next::Go;
}

}  // namespace hark::reach
