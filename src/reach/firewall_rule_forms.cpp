// What a rule asks for, read off its expressions: nft(8) compiles `tcp dport 22` to a load of two
// bytes of the transport header into a register, and a comparison of that register.
#include <algorithm>
#include <array>

#include "decode/nft_keys.h"
#include "decode/xt_blob.h"
#include "reach/destinations.h"
#include "reach/firewall_rules.h"

namespace hark::reach {

namespace nft = decode::nft;
using decode::xt::Field;

namespace {

constexpr std::uint8_t kTcp = 6;  // IPPROTO_TCP
constexpr std::uint8_t kUdp = 17;

using PortRange = Interval<std::uint16_t>;

std::optional<std::uint16_t> port_of(ByteView bytes) {
  if (bytes.size() < 2) return std::nullopt;
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[0]) << 8U |
                                    std::to_integer<unsigned>(bytes[1]));
}

void ask_protocol(RuleView& rule, std::uint8_t number) {
  rule.conditional = true;
  if (number == kTcp) {
    rule.protocol = Protocol::Tcp;
  } else if (number == kUdp) {
    rule.protocol = Protocol::Udp;
  } else {
    rule.odd = true;
  }
}

/// What an iptables match asks for.
void read_match(const nft::XtMatch& match, RuleView& rule) {
  constexpr std::array<std::string_view, 6> kOfClients = {"conntrack", "state",  "limit",
                                                          "hashlimit", "recent", "connlimit"};
  constexpr std::uint64_t kInvertDestination = 2;  // XT_TCP_INV_DSTPT, XT_UDP_INV_DSTPT
  constexpr std::uint64_t kDestination = 1;        // XT_MULTIPORT_DESTINATION
  if (match.name == "comment") return;
  rule.conditional = true;
  if (std::ranges::find(kOfClients, match.name) != kOfClients.end()) return;
  const auto blob = decode::xt::read(match);
  const auto item = [&](Field field, std::size_t at) {
    return static_cast<std::uint16_t>(blob->item(field, at, 2));
  };
  if (blob && (match.name == "tcp" || match.name == "udp")) {
    ask_protocol(rule, match.name == "tcp" ? kTcp : kUdp);
    const PortRange asked{item(Field::DestinationPorts, 0), item(Field::DestinationPorts, 1)};
    if (!(asked == PortRange{0, 0xffff})) rule.ports.push_back(asked);
    const PortRange from{item(Field::SourcePorts, 0), item(Field::SourcePorts, 1)};
    rule.odd = rule.odd || !(from == PortRange{0, 0xffff}) ||
               (blob->number(Field::InvertFlags) & kInvertDestination) != 0;
    return;
  }
  if (!blob || match.name != "multiport" || blob->number(Field::Flags) != kDestination ||
      blob->number(Field::Invert) != 0) {
    rule.odd = true;
    return;
  }
  const std::size_t count = std::min<std::size_t>(blob->number(Field::Count), 15);
  for (std::size_t i = 0; i < count; ++i) {
    PortRange range{item(Field::Ports, i), item(Field::Ports, i)};
    if (blob->item(Field::PortFlags, i, 1) != 0) range.last = item(Field::Ports, ++i);
    rule.ports.push_back(range);
  }
}

RuleEnd end_of_target(const std::string& name) {
  struct Target {
    std::string_view name;
    RuleEnd end;
  };
  constexpr std::array<Target, 7> kTargets = {{{"REJECT", RuleEnd::Reject},
                                               {"DNAT", RuleEnd::Dnat},
                                               {"REDIRECT", RuleEnd::Dnat},
                                               {"LOG", RuleEnd::None},
                                               {"NFLOG", RuleEnd::None},
                                               {"MARK", RuleEnd::None},
                                               {"CT", RuleEnd::None}}};
  const auto found = std::ranges::find(kTargets, name, &Target::name);
  return found == kTargets.end() ? RuleEnd::Other : found->end;
}

/// Follows a rule of nf_tables over its registers.
class Reader {
 public:
  Reader(const host::Network& network, const SetsByName& sets, const nft::Rule& rule)
      : network_(network), sets_(sets), source_(rule) {}

  RuleView read() {
    out_.nft = &source_;
    for (const nft::Expression& expression : source_.expressions) {
      std::visit([this](const auto& what) { step(what); }, expression.operation);
    }
    return std::move(out_);
  }

 private:
  enum class Loaded : std::uint8_t {
    Nothing,
    Port,
    Protocol,
    Family,
    Interface,
    Client,  ///< his address, or his connection
    Other,
  };

  template <typename T>
  void step(const T&) {
    out_.conditional = out_.odd = true;
  }
  void step(const nft::Counter&) {}
  void step(const nft::Log&) {}
  void step(const nft::Last&) {}
  void step(const nft::Notrack&) {}
  void step(const nft::Limit&) { out_.conditional = true; }
  void step(const nft::Quota&) { out_.conditional = true; }
  void step(const nft::Connlimit&) { out_.conditional = true; }
  void step(const nft::ObjectRef& object) {
    const bool counts = object.type == static_cast<std::uint32_t>(nft::ObjectType::Counter);
    out_.conditional = out_.conditional || !counts;
  }
  void step(const nft::XtMatch& match) { read_match(match, out_); }
  void step(const nft::XtTarget& target) { out_.end = end_of_target(target.name); }
  void step(const nft::Reject&) { out_.end = RuleEnd::Reject; }
  void step(const nft::Redirect&) { out_.end = RuleEnd::Dnat; }
  void step(const nft::Masquerade&) { out_.end = RuleEnd::Other; }
  void step(const nft::Queue&) { out_.end = RuleEnd::Other; }
  void step(const nft::Nat& nat) { out_.end = nat.destination ? RuleEnd::Dnat : RuleEnd::Other; }

  void step(const nft::Immediate& immediate) {
    if (!immediate.verdict) {
      registers_[immediate.dreg] = Loaded::Other;
      return;
    }
    set_end(*immediate.verdict);
  }
  void set_end(const nft::VerdictTo& to) {
    switch (to.verdict) {
      case nft::Verdict::Accept:
        out_.end = RuleEnd::Accept;
        return;
      case nft::Verdict::Drop:
        out_.end = RuleEnd::Drop;
        return;
      case nft::Verdict::Return:
        out_.end = RuleEnd::Return;
        return;
      case nft::Verdict::Jump:
      case nft::Verdict::Goto:
        out_.end = to.verdict == nft::Verdict::Jump ? RuleEnd::Jump : RuleEnd::Goto;
        out_.chain = to.chain;
        return;
      case nft::Verdict::Continue:
      case nft::Verdict::Break:
        return;
      case nft::Verdict::Stolen:
      case nft::Verdict::Queue:
        break;
    }
    out_.end = RuleEnd::Other;
  }

  void step(const nft::Payload& load) {
    // Offsets in struct iphdr and struct ipv6hdr. A prefix is a load of its first bytes; the one
    // byte that IPv4 has where the source of IPv6 begins is the time to live.
    constexpr std::array<std::uint32_t, 2> kProtocols = {9, 6};
    const bool of_network = load.base == nft::PayloadBase::Network;
    const bool client4 = load.offset == 12 && load.length <= 4;
    const bool client6 = load.offset == 8 && load.length > 1;
    Loaded what = Loaded::Other;
    if (load.base == nft::PayloadBase::Transport && load.offset == 2 && load.length == 2) {
      what = Loaded::Port;
    } else if (of_network && load.length == 1 &&
               std::ranges::find(kProtocols, load.offset) != kProtocols.end()) {
      what = Loaded::Protocol;
    } else if (of_network && (client4 || client6)) {
      what = Loaded::Client;
    }
    registers_[load.dreg] = what;
  }
  void step(const nft::Meta& meta) {
    if (!meta.dreg) return;
    struct Known {
      nft::MetaKey key;
      Loaded what;
    };
    using enum nft::MetaKey;
    constexpr std::array<Known, 7> kKnown = {{{L4proto, Loaded::Protocol},
                                              {Nfproto, Loaded::Family},
                                              {nft::MetaKey::Protocol, Loaded::Family},
                                              {Iif, Loaded::Interface},
                                              {Iifname, Loaded::Interface},
                                              {Iifgroup, Loaded::Interface},
                                              {Iiftype, Loaded::Interface}}};
    const auto found = std::ranges::find(kKnown, static_cast<nft::MetaKey>(meta.key), &Known::key);
    registers_[*meta.dreg] = found == kKnown.end() ? Loaded::Other : found->what;
  }
  void step(const nft::Ct& ct) {
    if (!ct.dreg) return;
    const bool state = ct.key == static_cast<std::uint32_t>(nft::CtKey::State);
    registers_[*ct.dreg] = state ? Loaded::Client : Loaded::Other;
  }
  void step(const nft::Bitwise& bitwise) { registers_[bitwise.dreg] = registers_[bitwise.sreg]; }
  void step(const nft::Byteorder& order) { registers_[order.dreg] = registers_[order.sreg]; }

  void step(const nft::Cmp& compare) {
    out_.conditional = true;
    const Loaded what = registers_[compare.sreg];
    if (what == Loaded::Port) {
      compare_port(compare);
    } else if (what == Loaded::Protocol && compare.op == nft::CmpOp::Eq &&
               compare.data.size() == 1) {
      ask_protocol(out_, std::to_integer<std::uint8_t>(compare.data[0]));
    } else if (what == Loaded::Interface) {
      if (compare.op == nft::CmpOp::Eq && names_loopback(compare.data)) out_.from_loopback = true;
    } else if (what != Loaded::Client && what != Loaded::Family) {
      out_.odd = true;
    }
  }
  void compare_port(const nft::Cmp& compare) {
    const auto port = port_of(compare.data);
    if (port && compare.op == nft::CmpOp::Eq) {
      out_.ports.push_back({*port, *port});
    } else if (port && compare.op == nft::CmpOp::Gte) {
      out_.ports.push_back({*port, 0xffff});
    } else if (port && compare.op == nft::CmpOp::Lte && !out_.ports.empty()) {
      out_.ports.back().last = *port;
    } else {
      out_.odd = true;
    }
  }
  /// "lo", or its index.
  [[nodiscard]] bool names_loopback(ByteView data) const {
    const std::string_view text = as_text(data);
    const host::Link* link = network_.link(text.substr(0, text.find('\0')));
    if (link != nullptr && link->is_loopback()) return true;
    return data.size() == 4 && std::ranges::any_of(network_.links, [&](const host::Link& one) {
             return one.is_loopback() && std::to_integer<unsigned>(data[0]) == one.index &&
                    std::to_integer<unsigned>(data[1]) == 0;
           });
  }

  void step(const nft::Range& range) {
    out_.conditional = true;
    const auto first = port_of(range.from);
    const auto last = port_of(range.to);
    if (registers_[range.sreg] == Loaded::Port && !range.negated && first && last) {
      out_.ports.push_back({*first, *last});
    } else if (registers_[range.sreg] != Loaded::Client) {
      out_.odd = true;
    }
  }

  void step(const nft::Lookup& lookup) {
    out_.conditional = true;
    const nft::Set* set = set_called(lookup.set);
    if (lookup.verdict && set != nullptr && set->elements) {
      for (const nft::Element& one : *set->elements) {
        if (one.verdict && !one.verdict->chain.empty()) out_.mapped.push_back(one.verdict->chain);
      }
    }
    if (lookup.verdict) {
      out_.end = RuleEnd::Other;
      return;
    }
    const Loaded what = registers_[lookup.sreg];
    const bool single = set != nullptr && set->fields.empty() && !lookup.dreg;
    if (single && what == Loaded::Port && set->elements && !lookup.inverted) {
      add_ports(*set);
    } else if (!single || (what != Loaded::Client && what != Loaded::Interface &&
                           what != Loaded::Protocol && what != Loaded::Family)) {
      out_.odd = true;
    }
  }
  void add_ports(const nft::Set& set) {
    std::vector<std::pair<std::uint16_t, bool>> ends;  // where one begins; true: where it ended
    for (const nft::Element& one : *set.elements) {
      if (const auto port = port_of(one.key)) ends.emplace_back(*port, one.interval_end);
      if (one.catch_all) out_.odd = true;
    }
    std::ranges::sort(ends);
    for (std::size_t i = 0; i < ends.size(); ++i) {
      const auto [port, is_end] = ends[i];
      if (is_end) continue;
      PortRange range{port, port};
      if (set.interval()) {
        const auto end = std::find_if(ends.begin() + static_cast<std::ptrdiff_t>(i), ends.end(),
                                      [](const auto& next) { return next.second; });
        range.last = end == ends.end() ? 0xffff : static_cast<std::uint16_t>(end->first - 1);
      }
      out_.ports.push_back(range);
    }
  }
  [[nodiscard]] const nft::Set* set_called(const std::string& name) const {
    const auto found = sets_.find({source_.family, source_.table, name});
    return found == sets_.end() ? nullptr : found->second;
  }

  const host::Network& network_;
  const SetsByName& sets_;
  const nft::Rule& source_;
  RuleView out_;
  std::array<Loaded, 256> registers_ = {};
};

}  // namespace

SetsByName sets_by_name(const host::NftRuleset& ruleset) {
  SetsByName out;
  for (const nft::Set& set : ruleset.sets) out[{set.family, set.table, set.name}] = &set;
  return out;
}

RuleView view_of(const host::Network& network, const SetsByName& sets, const nft::Rule& rule) {
  return Reader(network, sets, rule).read();
}

RuleView view_of(const decode::xt::Table& table, const decode::xt::Rule& rule) {
  using Jump = decode::xt::Rule::Jump;
  RuleView out;
  if (rule.protocol != 0) ask_protocol(out, static_cast<std::uint8_t>(rule.protocol));
  if (!rule.source.any() || !rule.in.any() || !rule.out.any()) out.conditional = true;
  if (!rule.destination.any() || rule.fragments || rule.not_source || rule.not_destination ||
      rule.not_out || rule.not_protocol || rule.not_fragments) {
    out.conditional = out.odd = true;
  }
  out.from_loopback = !rule.in.any() && !rule.not_in && rule.in.matches("lo");
  for (const nft::XtMatch& match : rule.matches) read_match(match, out);
  switch (rule.jump) {
    case Jump::Target:
      out.end = end_of_target(rule.target.name);
      break;
    case Jump::Continue:
      break;
    case Jump::Accept:
      out.end = RuleEnd::Accept;
      break;
    case Jump::Drop:
      out.end = RuleEnd::Drop;
      break;
    case Jump::Queue:
      out.end = RuleEnd::Other;
      break;
    case Jump::Return:
      out.end = RuleEnd::Return;
      break;
    case Jump::Chain:
      out.end = rule.go_to ? RuleEnd::Goto : RuleEnd::Jump;
      out.chain = table.chains[rule.chain].name;
      break;
  }
  return out;
}

}  // namespace hark::reach
