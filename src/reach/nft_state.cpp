// Expressions that ask what was before: nft_ct.c, nft_limit.c, nft_quota.c, nft_connlimit.c,
// nft_numgen.c, nft_hash.c.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "decode/nft_keys.h"
#include "reach/conntrack.h"
#include "reach/jhash.h"
#include "reach/nft_machine.h"
#include "reach/nft_numbers.h"

namespace hark::reach {

namespace nft = decode::nft;
using nft::CtKey;

namespace {

constexpr std::size_t kLabelBytes = 16;

/// nf_ct_zone is chosen by a template, which only packets have that conntrack did not see yet.
Next write_ct(Machine& machine, const nft::Ct& op, CtKey key) {
  Packet& packet = machine.here.packet;
  Registers& from = machine.registers;
  if (key == CtKey::Zone) {
    if (packet.ct == CtState::None) {
      std::uint16_t zone = 0;
      const Bytes bytes = from.load(*op.sreg, sizeof zone).bytes;
      if (bytes.size() == sizeof zone) std::memcpy(&zone, bytes.data(), sizeof zone);
      packet.ct_zone = zone;
    }
    return Next::Go;
  }
  Connection* connection = connection_of(packet, machine.here.view);
  if (connection == nullptr) return Next::Go;
  if (key == CtKey::Mark) connection->mark = from.load_u32(*op.sreg);
  if (key == CtKey::Labels) {
    // Labels are only ever added: the value is its own mask.
    connection->labels.resize(kLabelBytes);
    const Bytes more = from.load(*op.sreg, kLabelBytes).bytes;
    for (std::size_t i = 0; i < more.size(); ++i) connection->labels[i] |= more[i];
  }
  return Next::Go;
}

/// The client's own, where many are followed at once, are no bytes that are known.
void mark(Machine& machine, nft::Reg reg, std::size_t length, std::uint8_t first) {
  std::vector<ClientByte> copies(length);
  for (std::size_t i = 0; i < length; ++i) copies[i].at = static_cast<std::uint8_t>(first + i);
  machine.registers.mark_clients(reg, copies, machine.origin_of_clients());
}

void store_address(Machine& machine, nft::Reg reg, const IpAddress& address) {
  const auto* bytes = reinterpret_cast<const std::byte*>(address.bytes.data());
  const Clients* clients = machine.here.world.clients;
  const std::size_t length = address.bits() / 8;
  machine.registers.store(reg, ByteView(bytes, length));
  if (clients != nullptr && clients->address() == address) {
    mark(machine, reg, length, ClientByte::kAddress);
  }
}

void store_port(Machine& machine, nft::Reg reg, std::uint16_t port) {
  const std::array<std::byte, 2> bytes = {static_cast<std::byte>(port >> 8U),
                                          static_cast<std::byte>(port & 0xffU)};
  const Clients* clients = machine.here.world.clients;
  machine.registers.store(reg, ByteView(bytes));
  if (clients != nullptr && clients->port() == port) {
    mark(machine, reg, bytes.size(), ClientByte::kPort);
  }
}

/// Keys of one direction's tuple.
Next read_tuple(Machine& machine, const nft::Ct& op, CtKey key, const Connection& connection) {
  const Tuple& tuple = op.direction.value_or(0) == 0 ? connection.original : connection.reply;
  const bool v4 = tuple.source.family == Family::Inet;
  const bool wants4 = key == CtKey::SourceIp || key == CtKey::DestinationIp;
  const bool wants6 = key == CtKey::SourceIp6 || key == CtKey::DestinationIp6;
  if ((wants4 && !v4) || (wants6 && v4)) return Next::Break;
  if (key == CtKey::SourcePort) {
    store_port(machine, *op.dreg, tuple.source_port);
  } else if (key == CtKey::DestinationPort) {
    store_port(machine, *op.dreg, tuple.destination_port);
  } else {
    const bool source = key == CtKey::Source || key == CtKey::SourceIp || key == CtKey::SourceIp6;
    store_address(machine, *op.dreg, source ? tuple.source : tuple.destination);
  }
  return Next::Go;
}

/// Packets and bytes so far: of a first packet itself alone, else not known.
Next read_count(Machine& machine, const nft::Ct& op, CtKey key) {
  const Packet& packet = machine.here.packet;
  if (packet.ct != CtState::New) {
    machine.registers.store(*op.dreg, PartBytes::unknown(8),
                            machine.origin({.code = "ct-count",
                                            .what = "how much the connection has carried",
                                            .doubt = Doubt::Time}));
    return Next::Go;
  }
  const PacketBytes& bytes = machine.bytes();
  const std::size_t length = bytes.bytes.size() - bytes.network.value_or(0);
  const bool reply = op.direction == std::uint8_t{1};
  const std::uint64_t count = key == CtKey::Packets ? 1 : length;
  machine.registers.store_u64(*op.dreg, reply ? 0 : count);
  return Next::Go;
}

Next store_unknown(Machine& machine, nft::Reg reg, std::size_t length, std::string what,
                   Doubt doubt) {
  machine.registers.store(
      reg, PartBytes::unknown(length),
      machine.origin({.code = "ct-count", .what = std::move(what), .doubt = doubt}));
  return Next::Go;
}

Next read_connection(Machine& machine, const nft::Ct& op, CtKey key, const Connection& connection) {
  Registers& to = machine.registers;
  const nft::Reg reg = *op.dreg;
  switch (key) {
    case CtKey::Direction:
      to.store_u8(reg, machine.here.packet.ct_reply ? 1 : 0);
      break;
    case CtKey::Status:
      to.store_u32(reg, status_bits(connection));
      break;
    case CtKey::Mark:
      to.store_u32(reg, connection.mark);
      break;
    case CtKey::Secmark:
      to.store_u32(reg, 0);
      break;
    case CtKey::L3protocol:
      to.store_u8(reg, connection.original.source.family == Family::Inet ? kProtoIp : kProtoIp6);
      break;
    case CtKey::Protocol:
      to.store_u8(reg, connection.protocol);
      break;
    case CtKey::Zone:
      to.store_u16(reg, connection.zone);
      break;
    case CtKey::Labels: {
      Bytes labels = connection.labels;
      labels.resize(kLabelBytes);
      to.store(reg, labels);
      break;
    }
    case CtKey::Packets:
    case CtKey::Bytes:
    case CtKey::AveragePacket:
      return read_count(machine, op, key);
    case CtKey::Helper:
      return Next::Break;  // only of connections that another one announced
    case CtKey::Expiration:
      return store_unknown(machine, reg, 4, "the connection's timeout", Doubt::Time);
    case CtKey::Id:
      return store_unknown(machine, reg, 4, "the connection's id", Doubt::Chance);
    case CtKey::Source:
    case CtKey::Destination:
    case CtKey::SourcePort:
    case CtKey::DestinationPort:
    case CtKey::SourceIp:
    case CtKey::DestinationIp:
    case CtKey::SourceIp6:
    case CtKey::DestinationIp6:
      return read_tuple(machine, op, key, connection);
    case CtKey::State:
    case CtKey::EventMask:
      break;
  }
  return Next::Go;
}

}  // namespace

Next run(Machine& machine, const nft::Ct& op) {
  const auto key = static_cast<CtKey>(op.key);
  if (op.sreg) return write_ct(machine, op, key);
  if (!op.dreg) return Next::Go;
  if (key == CtKey::State) {
    machine.registers.store_u32(*op.dreg, state_bits(machine.here.packet));
    return Next::Go;
  }
  const Connection* connection = connection_of(machine.here.packet, machine.here.view);
  if (connection == nullptr) return Next::Break;
  return read_connection(machine, op, key, *connection);
}

Next run(Machine& machine, const nft::Notrack&) {
  Packet& packet = machine.here.packet;
  if (packet.ct == CtState::None) packet.ct = CtState::Untracked;
  return Next::Go;
}

Next run(Machine& machine, const nft::Limit& op) {
  constexpr std::array<std::pair<std::uint64_t, std::string_view>, 5> kUnits = {
      {{1, "second"}, {60, "minute"}, {3600, "hour"}, {86400, "day"}, {604800, "week"}}};
  const auto* const unit =
      std::ranges::find(kUnits, op.unit_s, [](const auto& u) { return u.first; });
  const std::string words =
      fmt::format("limit rate {}{}/{}", op.rate, op.type == 1 ? " bytes" : "",
                  unit == kUnits.end() ? fmt::format("{} seconds", op.unit_s) : unit->second);
  const bool within = machine.ask("rate-limit", words, Doubt::Chance);
  return within != op.inverted ? Next::Go : Next::Break;
}

Next run(Machine& machine, const nft::Quota& op) {
  const PacketBytes& bytes = machine.bytes();
  const std::uint64_t length = bytes.bytes.size() - bytes.network.value_or(0);
  const bool over = op.consumed + length > op.bytes;
  return over == op.inverted ? Next::Go : Next::Break;
}

Next run(Machine& machine, const nft::Connlimit& op) {
  // This connection counts as well.
  if (op.count == 0) return op.inverted ? Next::Go : Next::Break;
  const bool within = machine.ask("connlimit", fmt::format("ct count {}", op.count), Doubt::Time);
  return within != op.inverted ? Next::Go : Next::Break;
}

namespace {

/// Moduli up to this have a way for each number.
constexpr std::uint32_t kMostNumbers = 16;

/// A number below `modulus` that nobody can tell.
Next store_number(Machine& machine, nft::Reg reg, std::uint32_t modulus, std::uint32_t offset,
                  std::string_view code, const std::string& what) {
  if (modulus <= 1) {
    machine.registers.store_u32(reg, offset);
    return Next::Go;
  }
  if (modulus <= kMostNumbers) {
    machine.registers.store_u32(reg, offset + machine.ask(code, what, Doubt::Chance, modulus));
    return Next::Go;
  }
  PartBytes value = PartBytes::unknown(sizeof(std::uint32_t));
  if (offset == 0) {
    // The bits above the greatest number are zero.
    const auto width = static_cast<unsigned>(std::bit_width(modulus - 1));
    const std::uint32_t known = width >= 32 ? 0 : ~((std::uint32_t{1} << width) - 1);
    std::memcpy(value.bits.data(), &known, sizeof known);
  }
  machine.registers.store(reg, value,
                          machine.origin({.code = std::string(code),
                                          .what = fmt::format("{} of {}", what, machine.where()),
                                          .doubt = Doubt::Chance}));
  return Next::Go;
}

}  // namespace

Next run(Machine& machine, const nft::Numgen& op) {
  return store_number(machine, op.dreg, op.modulus, op.offset, op.random ? "random" : "numgen",
                      fmt::format("numgen {} mod {}", op.random ? "random" : "inc", op.modulus));
}

Next run(Machine& machine, const nft::Hash& op) {
  if (!op.symmetric && op.seed) {
    if (const auto key = machine.registers.known(op.sreg, op.length)) {
      machine.registers.store_u32(op.dreg,
                                  op.offset + reciprocal_scale(jhash(*key, *op.seed), op.modulus));
      return Next::Go;
    }
  }
  return store_number(machine, op.dreg, op.modulus, op.offset, "hash",
                      fmt::format("{} mod {}", op.symmetric ? "symhash" : "jhash", op.modulus));
}

}  // namespace hark::reach
