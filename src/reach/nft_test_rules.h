// Small rulesets for tests, made by hand as the decoder would give them.
#pragma once

#include <bit>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "decode/nft_keys.h"
#include "reach/netfilter.h"
#include "reach/prepared_ruleset.h"
#include "reach/test_world.h"

namespace hark::reach {

namespace nft = decode::nft;

inline Bytes hex_bytes(std::initializer_list<unsigned> values) {
  Bytes out;
  for (const unsigned value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}
/// A number as registers have those of the kernel's own: in this machine's order.
inline Bytes host_number(std::uint32_t value) {
  Bytes out;
  append_value(out, value);
  return out;
}
inline Bytes port_bytes(unsigned port) {
  return hex_bytes({port >> 8U, port & 0xffU});
}
inline Bytes name_bytes(std::string_view name) {
  Bytes out = to_bytes(name);
  out.resize(16);
  return out;
}

using Rules = std::vector<nft::Expression>;

template <typename Operation>
nft::Expression expression(Operation operation) {
  return {.name = "", .operation = std::move(operation)};
}
inline nft::Expression load_transport(std::uint32_t offset, std::uint32_t length, nft::Reg to = 0) {
  return expression(nft::Payload{
      .dreg = to, .base = nft::PayloadBase::Transport, .offset = offset, .length = length});
}
inline nft::Expression load_network(std::uint32_t offset, std::uint32_t length, nft::Reg to = 0) {
  return expression(nft::Payload{
      .dreg = to, .base = nft::PayloadBase::Network, .offset = offset, .length = length});
}
inline nft::Expression load_link(std::uint32_t offset, std::uint32_t length, nft::Reg to = 0) {
  return expression(
      nft::Payload{.dreg = to, .base = nft::PayloadBase::Link, .offset = offset, .length = length});
}
inline nft::Expression load_meta(nft::MetaKey key, nft::Reg to = 0) {
  return expression(nft::Meta{.key = static_cast<std::uint32_t>(key), .dreg = to});
}
inline nft::Expression set_meta(nft::MetaKey key, nft::Reg from = 0) {
  return expression(nft::Meta{.key = static_cast<std::uint32_t>(key), .sreg = from});
}
inline nft::Expression load_ct(nft::CtKey key, nft::Reg to = 0) {
  return expression(nft::Ct{.key = static_cast<std::uint32_t>(key), .dreg = to});
}
inline nft::Expression set_ct(nft::CtKey key, nft::Reg from = 0) {
  return expression(nft::Ct{.key = static_cast<std::uint32_t>(key), .sreg = from});
}
inline nft::Expression value(Bytes data, nft::Reg to = 0) {
  return expression(nft::Immediate{.dreg = to, .data = std::move(data)});
}
inline nft::Expression is(Bytes data, nft::CmpOp op = nft::CmpOp::Eq, nft::Reg from = 0) {
  return expression(nft::Cmp{.sreg = from, .op = op, .data = std::move(data)});
}
inline nft::Expression verdict(nft::Verdict code, std::string chain = {}) {
  return expression(
      nft::Immediate{.dreg = 0,
                     .data = {},
                     .verdict = nft::VerdictTo{.verdict = code, .chain = std::move(chain)}});
}
inline nft::Expression drop() {
  return verdict(nft::Verdict::Drop);
}
inline nft::Expression accept() {
  return verdict(nft::Verdict::Accept);
}
inline Rules destination_port(unsigned port) {
  return {load_transport(2, 2), is(port_bytes(port))};
}
/// `ct state WANTED`, as a list of states is compiled: a test of bits.
inline Rules state(std::uint32_t bits) {
  return {load_ct(nft::CtKey::State),
          expression(nft::Bitwise{.length = 4, .mask = host_number(bits), .xored = host_number(0)}),
          is(host_number(0), nft::CmpOp::Neq)};
}
inline Rules operator+(Rules a, const Rules& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline Rules operator+(Rules a, nft::Expression b) {
  a.push_back(std::move(b));
  return a;
}

/// A host with rules.
struct TestRules : TestWorld {
  nft::TableFamily family = nft::TableFamily::Inet;
  std::string table_name;
  std::uint64_t handle = 0;

  TestRules() { table("t"); }

  void table(std::string name, nft::TableFamily of = nft::TableFamily::Inet) {
    family = of;
    table_name = std::move(name);
    handle = 0;
    network.nft.tables.push_back(
        {.family = of, .name = table_name, .handle = network.nft.tables.size() + 1});
  }
  nft::Chain& chain(std::string name) {
    network.nft.chains.push_back(
        {.family = family, .table = table_name, .name = std::move(name), .handle = ++handle});
    return network.nft.chains.back();
  }
  nft::Chain& base(std::string name, std::uint32_t hook, std::int32_t priority,
                   std::string type = "filter") {
    nft::Chain& out = chain(std::move(name));
    out.hook = nft::Hook{.number = hook, .priority = priority, .devices = {}};
    out.type = std::move(type);
    return out;
  }
  void rule(std::string chain_name, Rules expressions) {
    network.nft.rules.push_back({.family = family,
                                 .table = table_name,
                                 .chain = std::move(chain_name),
                                 .handle = ++handle,
                                 .expressions = std::move(expressions)});
  }
  nft::Set& set(std::string name, std::uint32_t flags, std::uint32_t key_length) {
    nft::Set made;
    made.family = family;
    made.table = table_name;
    made.name = std::move(name);
    made.flags = flags;
    made.key_length = key_length;
    made.elements.emplace();
    network.nft.sets.push_back(std::move(made));
    return network.nft.sets.back();
  }

  HookResult run(HookPoint hook, Packet& packet, ConntrackView& view) {
    World here = world();
    return run_hook(here, hook, packet, view);
  }
  HookResult::End end(HookPoint hook, Packet packet) {
    ConntrackView view;
    return run(hook, packet, view).end;
  }
  /// Every end that is possible, and how many runs that took.
  std::vector<HookResult::End> ends(HookPoint hook, const Packet& packet) {
    std::vector<HookResult::End> out;
    (void)explore([&](Choices& each) {
      World here{.host = host,
                 .network = network,
                 .choices = each,
                 .path = path,
                 .assumptions = assumptions,
                 .waived = waived};
      Packet copy = packet;
      ConntrackView view;
      out.push_back(run_hook(here, hook, copy, view).end);
    });
    return out;
  }
};

// Numbers of hooks: NF_INET_*
constexpr std::uint32_t kAtPrerouting = 0;
constexpr std::uint32_t kAtInput = 1;
constexpr std::uint32_t kAtOutput = 3;
constexpr std::uint32_t kAtPostrouting = 4;

}  // namespace hark::reach
