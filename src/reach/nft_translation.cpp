// A rule of nf_tables followed for all packets at once. Registers hold not values but where their
// bytes come from: the packet's destination, what chance gave, bytes that the rule itself put
// there. A comparison of the destination narrows the Aim; a lookup in a map is as many ways as the
// map has elements; whatever else is asked is a condition that a trace has to judge.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>

#include "decode/nft_keys.h"
#include "reach/aim_ipset.h"
#include "reach/aim_key.h"
#include "reach/prepared_set.h"
#include "reach/translations.h"

namespace hark::reach {

namespace nft = decode::nft;

namespace {

/// Steps through one rule, all its ways counted, and ways that differ in what is no destination.
constexpr std::size_t kMostSteps = 400'000;
constexpr std::size_t kMostOtherWays = 256;

using State = KeyState;

/// A number of as many bytes less or more by one; false: there is none.
bool step_by_one(Bytes& bytes, bool up) {
  for (std::size_t i = bytes.size(); i-- > 0;) {
    const auto byte = std::to_integer<unsigned>(bytes[i]);
    bytes[i] = static_cast<std::byte>((up ? byte + 1U : byte - 1U) & 0xffU);
    if (up ? byte != 0xff : byte != 0) return true;
  }
  return false;
}

}  // namespace

struct NftReader::Inside {
  const host::Network& network;
  const SetsByName& sets;
  AimSets ipsets = AimSets(network);
  std::map<const nft::Set*, std::unique_ptr<PreparedSet>> prepared = {};

  const nft::Rule* rule = nullptr;
  std::vector<NftWay>* ways = nullptr;
  std::size_t steps = 0;

  const PreparedSet* set_called(const std::string& name) {
    const auto found = sets.find({rule->family, rule->table, name});
    if (found == sets.end()) return nullptr;
    auto& out = prepared[found->second];
    if (!out) out = std::make_unique<PreparedSet>(*found->second);
    return out.get();
  }

  void load(State& state, nft::Reg reg, What what, std::size_t length, std::uint8_t from = 0) {
    const std::size_t at = std::size_t{reg} * 4;
    const std::size_t end = std::min(kSlots, at + (length + 3) / 4 * 4);
    for (std::size_t i = at; i < end; ++i) {
      const bool inside = i - at < length;
      state.slots[i] = {.what = inside ? what : What::Padding,
                        .at = static_cast<std::uint8_t>(from + (i - at))};
    }
  }
  void put(State& state, nft::Reg reg, ByteView data) {
    load(state, reg, What::Constant, data.size());
    const std::size_t at = std::size_t{reg} * 4;
    for (std::size_t i = 0; i < data.size() && at + i < kSlots; ++i) {
      state.slots[at + i].value = data[i];
    }
  }

  /// From the expression at `position` on.
  void go(std::size_t position, State state) {
    for (; position < rule->expressions.size(); ++position) {
      if (++steps > kMostSteps) return;
      const nft::Operation& what = rule->expressions[position].operation;
      if (const auto* lookup = std::get_if<nft::Lookup>(&what)) {
        if (!look_up(*lookup, position, state)) return;
        continue;
      }
      if (const auto* match = std::get_if<nft::XtMatch>(&what)) {
        if (!go_by_set(*match, position, state)) return;
        continue;
      }
      const bool goes_on = std::visit([&](const auto& op) { return step(op, state); }, what);
      if (!goes_on || state.aim.empty()) return;
    }
  }

  // What each kind of expression does. False: the rule ends there.

  template <typename T>
  bool step(const T&, State& state) {
    state.aim.conditional = true;
    return true;
  }
  bool step(const nft::Counter&, State&) { return true; }
  bool step(const nft::Log&, State&) { return true; }
  bool step(const nft::Last&, State&) { return true; }
  bool step(const nft::Notrack&, State&) { return true; }
  bool step(const nft::ObjectRef&, State&) { return true; }
  bool step(const nft::PayloadSet&, State&) { return true; }
  bool step(const nft::Dynset& op, State& state) {
    state.aim.sticky =
        state.aim.sticky || op.op == static_cast<std::uint32_t>(nft::DynsetOp::Update);
    return true;
  }
  bool step(const nft::Masquerade&, State&) { return false; }
  bool step(const nft::Reject&, State&) { return false; }
  bool step(const nft::Queue&, State&) { return false; }

  bool step(const nft::Immediate& op, State& state) {
    if (!op.verdict) {
      put(state, op.dreg, op.data);
      return true;
    }
    end_with(*op.verdict, state);
    return false;
  }
  void end_with(const nft::VerdictTo& verdict, const State& state) {
    const bool leads =
        verdict.verdict == nft::Verdict::Jump || verdict.verdict == nft::Verdict::Goto;
    if (leads) ways->push_back({.aim = state.aim, .verdict = verdict});
  }

  bool step(const nft::Payload& op, State& state) {
    load(state, op.dreg, What::Unknown, op.length);
    if (op.base == nft::PayloadBase::Transport) {
      const bool port = op.offset == 2 && op.length == 2;
      if (port) load(state, op.dreg, What::Port, 2);
      if (op.offset == 0 && op.length == 2) load(state, op.dreg, What::Client, 2);
      return true;
    }
    if (op.base != nft::PayloadBase::Network) return true;
    // struct iphdr and struct ipv6hdr; where IPv6 has the source, IPv4 has the end of its own.
    constexpr std::uint32_t kProtocol4 = 9, kSource4 = 12, kTo4 = 16;
    constexpr std::uint32_t kProtocol6 = 6, kSource6 = 8, kTo6 = 24;
    const bool six = !state.aim.inet || (rule->family == nft::TableFamily::Ip6);
    const auto length = static_cast<std::uint32_t>(op.length);
    if (length == 1 && op.offset == (six ? kProtocol6 : kProtocol4)) {
      load(state, op.dreg, What::Protocol, 1);
    } else if (!six && op.offset == kTo4 && length <= 4) {
      load(state, op.dreg, What::Address4, length);
    } else if (six && op.offset == kTo6 && length <= 16) {
      load(state, op.dreg, What::Address6, length);
    } else if (op.offset == (six ? kSource6 : kSource4)) {
      load(state, op.dreg, What::Client, length);
    }
    return true;
  }

  bool step(const nft::Meta& op, State& state) {
    if (!op.dreg) return true;
    struct Known {
      nft::MetaKey key;
      What what;
      std::size_t length;
    };
    constexpr std::array<Known, 5> kKnown = {{{nft::MetaKey::L4proto, What::Protocol, 1},
                                              {nft::MetaKey::Nfproto, What::NetfilterFamily, 1},
                                              {nft::MetaKey::Protocol, What::EtherType, 2},
                                              {nft::MetaKey::Prandom, What::Chance, 4},
                                              {nft::MetaKey::Iifname, What::Client, 16}}};
    const auto found = std::ranges::find(kKnown, static_cast<nft::MetaKey>(op.key), &Known::key);
    if (found == kKnown.end()) {
      load(state, *op.dreg, What::Unknown, 4);
    } else {
      load(state, *op.dreg, found->what, found->length);
    }
    return true;
  }
  bool step(const nft::Fib& op, State& state) {
    const bool type = op.result == static_cast<std::uint32_t>(nft::FibResult::AddressType) &&
                      (op.flags & nft::kFibDestination) != 0;
    load(state, op.dreg, type ? What::AddressType : What::Unknown, type ? 4 : 16);
    return true;
  }
  bool step(const nft::Ct& op, State& state) {
    if (op.dreg) load(state, *op.dreg, What::Unknown, 16);
    return true;
  }
  bool step(const nft::Rt& op, State& state) {
    load(state, op.dreg, What::Unknown, 16);
    return true;
  }
  bool step(const nft::Numgen& op, State& state) {
    load(state, op.dreg, What::Chance, 4);
    return true;
  }
  bool step(const nft::Hash& op, State& state) {
    load(state, op.dreg, What::Chance, 4);
    return true;
  }

  bool step(const nft::Byteorder& op, State& state) {
    const What what = state.slots[std::size_t{op.sreg} * 4].what;
    load(state, op.dreg, what == What::Chance ? What::Chance : What::Unknown, op.length);
    return true;
  }
  bool step(const nft::Bitwise& op, State& state) {
    const std::size_t from = std::size_t{op.sreg} * 4;
    const Slots before = state.slots;
    const bool masks = op.op == nft::Bitwise::Op::MaskXor && op.mask.size() == op.length &&
                       std::ranges::all_of(op.xored, [](std::byte b) { return b == std::byte{}; });
    const bool chance = before[from].what == What::Chance;
    load(state, op.dreg, chance ? What::Chance : What::Unknown, op.length);
    if (!masks || chance) return true;
    const std::size_t to = std::size_t{op.dreg} * 4;
    for (std::size_t i = 0; i < op.length && from + i < kSlots && to + i < kSlots; ++i) {
      state.slots[to + i] = before[from + i];
      state.slots[to + i].mask &= std::to_integer<std::uint8_t>(op.mask[i]);
    }
    return true;
  }

  bool step(const nft::Cmp& op, State& state) {
    Bytes first = op.data;
    Bytes last = op.data;
    using enum nft::CmpOp;
    const bool up = op.op == Gt || op.op == Gte;
    const bool down = op.op == Lt || op.op == Lte;
    if (op.op == Gt && !step_by_one(first, true)) return false;
    if (op.op == Lt && !step_by_one(last, false)) return false;
    if (down) std::ranges::fill(first, std::byte{0});
    if (up) std::ranges::fill(last, std::byte{0xff});
    return ask_key(state, std::size_t{op.sreg} * 4, first, last, op.op == Neq);
  }
  bool step(const nft::Range& op, State& state) {
    return ask_key(state, std::size_t{op.sreg} * 4, op.from, op.to, op.negated);
  }
  bool step(const nft::XtTarget& op, State& state) {
    const Family family = rule->family == nft::TableFamily::Ip6 ? Family::Inet6 : Family::Inet;
    if (auto found = translation_of(op, family)) {
      found_one(state, std::move(*found));
      return false;
    }
    return true;
  }

  // Where it leads.

  void found_one(State& state, Translation found) {
    if (found.address && !state.aim.ask_family(found.address->family)) return;
    ways->push_back({.aim = state.aim, .translation = std::move(found)});
  }
  [[nodiscard]] std::optional<Bytes> constant(const State& state, std::optional<nft::Reg> reg,
                                              std::size_t length) const {
    if (!reg) return std::nullopt;
    const std::size_t at = std::size_t{*reg} * 4;
    Bytes out;
    for (std::size_t i = at; i < at + length && i < kSlots; ++i) {
      if (state.slots[i].what != What::Constant) return std::nullopt;
      out.push_back(state.slots[i].value);
    }
    return out.size() == length ? std::optional(std::move(out)) : std::nullopt;
  }
  void read_port(const State& state, std::optional<nft::Reg> reg, Translation& out) const {
    const auto port = constant(state, reg, 2);
    if (port) out.port = port_at(*port);
    if (reg && !port) out.open = true;
  }
  void read_address(const State& state, Family family, std::optional<nft::Reg> reg,
                    Translation& out) const {
    const std::size_t length = family == Family::Inet ? 4 : 16;
    const auto bytes = constant(state, reg, length);
    if (bytes) out.address = address_at(*bytes, family, 0);
    if (reg && !bytes) out.open = true;
  }

  bool step(const nft::Nat& op, State& state) {
    if (!op.destination) return false;
    constexpr std::uint8_t kIpv6 = 10;  // NFPROTO_IPV6
    const bool both = op.family != kIpv6 && op.family != 2 && !op.address_min;
    const Family family = op.family == kIpv6 ? Family::Inet6 : Family::Inet;
    if (!both && !state.aim.ask_family(family)) return false;
    Translation out;
    if ((op.flags & nft::kNatNetmap) != 0) out.kind = Translation::Kind::Netmap;
    read_address(state, family, op.address_min, out);
    if (op.address_max && op.address_max != op.address_min) {
      Translation last;
      read_address(state, family, op.address_max, last);
      if (last.address != out.address) out.last_address = last.address;
    }
    read_port(state, op.port_min, out);
    found_one(state, std::move(out));
    return false;
  }
  bool step(const nft::Redirect& op, State& state) {
    Translation out;
    out.kind = Translation::Kind::Redirect;
    read_port(state, op.port_min, out);
    found_one(state, std::move(out));
    return false;
  }
  bool step(const nft::Tproxy& op, State& state) {
    constexpr std::uint8_t kIpv6 = 10;  // NFPROTO_IPV6
    const Family family = op.family == kIpv6 ? Family::Inet6 : Family::Inet;
    if (op.family != 0 && op.family != 1 && !state.aim.ask_family(family)) return false;
    Translation out;
    out.kind = Translation::Kind::Tproxy;
    read_address(state, family, op.address, out);
    read_port(state, op.port, out);
    found_one(state, std::move(out));
    return true;
  }

  /// A set of ipset may have pairs: all but the last way are told. False: nothing is left.
  bool go_by_set(const nft::XtMatch& match, std::size_t position, State& state) {
    std::vector<Aim> aims = ipsets.ask(state.aim, match);
    if (aims.empty()) return false;
    state.aim = std::move(aims.back());
    aims.pop_back();
    for (Aim& aim : aims) go(position + 1, {.aim = std::move(aim), .slots = state.slots});
    return true;
  }

  // Sets and maps.

  /// False: the rule's ways are told, or it has none.
  bool look_up(const nft::Lookup& op, std::size_t position, State& state) {
    const PreparedSet* set = set_called(op.set);
    const std::size_t at = std::size_t{op.sreg} * 4;
    if (set == nullptr || !set->read()) {
      state.aim.unread = state.aim.conditional = true;
      if (op.dreg) load(state, *op.dreg, What::Unknown, 16);
      return true;
    }
    const std::size_t length = std::min<std::size_t>(set->set().key_length, kSlots - at);
    const auto key = std::span(state.slots).subspan(at, length);
    const bool of_destination = std::ranges::any_of(key, is_of_destination);
    if (!op.verdict && !op.dreg) return ask_set(op, *set, state, of_destination);
    return of_destination ? each_element(op, *set, position, state)
                          : each_value(op, *set, position, state);
  }

  /// A set without values.
  bool ask_set(const nft::Lookup& op, const PreparedSet& set, State& state, bool of_destination) {
    const std::size_t at = std::size_t{op.sreg} * 4;
    constexpr std::uint32_t kOfClients = nft::kSetTimeout | nft::kSetEval;
    if (!of_destination) {
      const bool client = state.slots[at].what == What::Client;
      if (client && (set.set().flags & kOfClients) != 0) state.aim.sticky = true;
      state.aim.conditional = true;
      return true;
    }
    if (set.catch_all() != nullptr) return !op.inverted;
    if (op.inverted) {
      State left = state;
      bool narrowed = true;
      for (const KeyRange& one : set.key_ranges()) {
        narrowed = ask_key(left, at, one.first, one.last, true) && narrowed;
      }
      // Of keys with several parts each could be another one.
      if (set.fields().size() == 1 && narrowed) state = std::move(left);
      state.aim.conditional = true;
      return set.fields().size() > 1 || narrowed;
    }
    // The parts of a key on their own: whether they go together a trace tells.
    return narrow_to(set, at, state);
  }

  bool narrow_to(const PreparedSet& set, std::size_t at, State& state) {
    std::optional<Aim> sum;
    for (const KeyRange& one : set.key_ranges()) {
      if (++steps > kMostSteps) break;
      State way = state;
      if (!ask_key(way, at, one.first, one.last, false)) continue;
      if (!sum) {
        sum = std::move(way.aim);
        continue;
      }
      sum->ports = sum->ports.unite(way.aim.ports);
      if (sum->addresses && way.aim.addresses) {
        sum->addresses = sum->addresses->unite(*way.aim.addresses);
      } else {
        sum->addresses.reset();
      }
      sum->tcp = sum->tcp || way.aim.tcp;
      sum->udp = sum->udp || way.aim.udp;
      sum->inet = sum->inet || way.aim.inet;
      sum->inet6 = sum->inet6 || way.aim.inet6;
      sum->local = sum->local && way.aim.local;
      sum->conditional = sum->conditional || way.aim.conditional;
    }
    if (!sum) return false;
    state.aim = std::move(*sum);
    return true;
  }

  /// With this element's value.
  void take(const nft::Lookup& op, const nft::Element& element, std::size_t position, State state) {
    if (op.verdict) {
      if (element.verdict) end_with(*element.verdict, state);
      return;
    }
    if (element.data) {
      put(state, *op.dreg, *element.data);
    } else {
      load(state, *op.dreg, What::Unknown, 16);
    }
    go(position + 1, std::move(state));
  }

  bool each_element(const nft::Lookup& op, const PreparedSet& set, std::size_t position,
                    State& state) {
    const std::size_t at = std::size_t{op.sreg} * 4;
    for (const KeyRange& one : set.key_ranges()) {
      if (++steps > kMostSteps) return false;
      State way = state;
      if (ask_key(way, at, one.first, one.last, false)) {
        take(op, *one.element, position, std::move(way));
      }
    }
    if (set.catch_all() != nullptr) {
      state.aim.conditional = true;
      take(op, *set.catch_all(), position, state);
      return false;
    }
    // What stands behind a verdict map is for what is not in it.
    return op.verdict;
  }

  /// The key says nothing of the destination: each value is possible, once.
  bool each_value(const nft::Lookup& op, const PreparedSet& set, std::size_t position,
                  State& state) {
    const std::size_t at = std::size_t{op.sreg} * 4;
    (state.slots[at].what == What::Chance ? state.aim.chance : state.aim.conditional) = true;
    std::set<std::string> chains;
    std::set<Bytes> values;
    for (const nft::Element& one : *set.set().elements) {
      if (one.interval_end) continue;
      if (chains.size() + values.size() > kMostOtherWays) {
        state.aim.unread = true;
        break;
      }
      const bool is_new = op.verdict ? one.verdict && chains.insert(one.verdict->chain).second
                                     : one.data && values.insert(*one.data).second;
      if (is_new) take(op, one, position, state);
    }
    return op.verdict;
  }
};

NftReader::NftReader(const host::Network& network, const SetsByName& sets)
    : inside_(new Inside{network, sets}) {}
NftReader::~NftReader() = default;

bool NftReader::read(const nft::Rule& rule, const Aim& aim, std::vector<NftWay>& ways) {
  inside_->rule = &rule;
  inside_->ways = &ways;
  inside_->steps = 0;
  inside_->go(0, {.aim = aim});
  return inside_->steps <= kMostSteps;
}

}  // namespace hark::reach
