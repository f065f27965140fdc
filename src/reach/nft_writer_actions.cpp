#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "reach/nft_writer.h"

namespace hark::reach::ruletext {
namespace {

namespace nft = decode::nft;

constexpr std::uint32_t kPortLength = 2;
constexpr std::uint8_t kFamilyIp = 2;    // NFPROTO_IPV4
constexpr std::uint8_t kFamilyIp6 = 10;  // NFPROTO_IPV6

struct Flag {
  std::uint32_t bit;
  const char* name;
};
std::string flag_words(std::span<const Flag> flags, std::uint32_t value, std::string_view between) {
  std::vector<std::string> names;
  for (const Flag& flag : flags) {
    if ((value & flag.bit) != 0) names.emplace_back(flag.name);
  }
  return join(names, between);
}

std::string nat_flags(std::uint32_t flags) {
  constexpr Flag kFlags[] = {{nft::kNatRandom, "random"},
                             {nft::kNatFullyRandom, "fully-random"},
                             {nft::kNatPersistent, "persistent"}};
  const std::string words = flag_words(kFlags, flags, ",");
  return words.empty() ? "" : ' ' + words;
}

std::string_view unit_name(std::uint64_t seconds) {
  struct Unit {
    std::uint64_t seconds;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {
      {1, "second"}, {60, "minute"}, {3600, "hour"}, {86400, "day"}, {604800, "week"}};
  for (const Unit& unit : kUnits) {
    if (unit.seconds == seconds) return unit.name;
  }
  return {};
}

constexpr unsigned kDeepestChain = 2;
constexpr std::size_t kInlineRules = 16;

}  // namespace

void Writer::write(const nft::Unknown& it) {
  say("[unknown: " + it.why + ']');
  registers_ = {};  // what it wrote, and where, is not known
}

void Writer::write(const nft::Notrack&) {
  say("notrack");
}

std::string Writer::address_and_port(std::optional<Reg> address_min, std::optional<Reg> address_max,
                                     std::optional<Reg> port_min, std::optional<Reg> port_max,
                                     bool ipv6) {
  const Show show = ipv6 ? Show::Ipv6 : Show::Ipv4;
  const std::uint32_t length = ipv6 ? 16 : 4;
  std::string out;
  const bool mapped = address_min && at(*address_min).kind != Operand::Kind::Constant;
  if (address_min) {
    out = value_at(*address_min, show, false, length);
    const bool brackets = ipv6 && port_min && !mapped;
    if (brackets) out = '[' + out + ']';
    // The upper end of a range from a map is the same words.
    if (address_max && *address_max != *address_min && !mapped) {
      const std::string last = value_at(*address_max, show, false, length);
      out += '-' + (brackets ? '[' + last + ']' : last);
    }
  }
  // A map that gives address and port at once fills both registers.
  const bool both = port_min && at(*port_min).continued;
  if (port_min && !both) {
    out += ':' + value_at(*port_min, Show::Decimal, false, kPortLength);
    if (port_max && *port_max != *port_min) {
      out += '-' + value_at(*port_max, Show::Decimal, false, kPortLength);
    }
  }
  return out.empty() ? "" : " to " + out;
}

void Writer::write(const nft::Nat& it) {
  const bool ipv6 = it.family == kFamilyIp6;
  const bool both = (it.port_min && at(*it.port_min).continued) ||
                    (it.address_max && at(*it.address_max).continued);
  const bool named =
      rule_.family == nft::TableFamily::Inet || both || (it.flags & nft::kNatNetmap) != 0;
  std::string family;
  if (named && it.address_min) family = ipv6 ? " ip6" : " ip";
  if (it.address_min && rule_.family == nft::TableFamily::Inet) {
    leave_out(headers_.implied_by(Layer::Network, ipv6 ? kEtherIp6 : kEtherIp));
  }
  const char* prefix = (it.flags & nft::kNatNetmap) != 0 ? " prefix" : "";
  say(fmt::format("{}{}{}{}{}", it.destination ? "dnat" : "snat", family, prefix,
                  address_and_port(it.address_min, it.address_max, it.port_min, it.port_max, ipv6),
                  nat_flags(it.flags)));
}

void Writer::write(const nft::Masquerade& it) {
  say("masquerade" + address_and_port({}, {}, it.port_min, it.port_max, false) +
      nat_flags(it.flags));
}

void Writer::write(const nft::Redirect& it) {
  say("redirect" + address_and_port({}, {}, it.port_min, it.port_max, false) + nat_flags(it.flags));
}

void Writer::write(const nft::Tproxy& it) {
  const bool ipv6 = it.family == kFamilyIp6;
  const bool named = rule_.family == nft::TableFamily::Inet && it.family != 0;
  const char* family = !named ? "" : ipv6 ? " ip6" : " ip";
  say(std::string("tproxy") + family + address_and_port(it.address, {}, it.port, {}, ipv6));
}

/// stmt_reject_print of nft: what a table of one family does by itself is left out.
void Writer::write(const nft::Reject& it) {
  constexpr std::uint8_t kPort4 = 3;
  constexpr std::uint8_t kPort6 = 4;
  constexpr std::uint8_t kPortX = 1;
  const bool one_family =
      rule_.family == nft::TableFamily::Ip || rule_.family == nft::TableFamily::Ip6;
  const std::array<std::byte, 1> code = {static_cast<std::byte>(it.icmp_code)};
  if (it.type == static_cast<std::uint32_t>(nft::RejectType::TcpReset)) {
    if (one_family) leave_out(headers_.implied_by(Layer::Transport, kProtocolTcp));
    return say("reject with tcp reset");
  }
  if (it.type == static_cast<std::uint32_t>(nft::RejectType::Icmpx)) {
    if (it.icmp_code == kPortX) return say("reject");
    return say("reject with icmpx " + value(Show::IcmpxCode, code));
  }
  const bool ipv6 = headers_.network() == kEtherIp6;
  if (one_family && it.icmp_code == (ipv6 ? kPort6 : kPort4)) return say("reject");
  if (!one_family) leave_out(headers_.implied_by(Layer::Network, ipv6 ? kEtherIp6 : kEtherIp));
  say(fmt::format("reject with {} {}", ipv6 ? "icmpv6" : "icmp",
                  value(ipv6 ? Show::Icmpv6Code : Show::IcmpCode, code)));
}

void Writer::write(const nft::Synproxy& it) {
  constexpr std::uint32_t kMss = 0x01, kWscale = 0x02, kSackPerm = 0x04, kTimestamp = 0x08;
  std::string out = "synproxy";
  if ((it.flags & kMss) != 0) out += fmt::format(" mss {}", it.mss);
  if ((it.flags & kWscale) != 0) out += fmt::format(" wscale {}", it.wscale);
  if ((it.flags & kTimestamp) != 0) out += " timestamp";
  if ((it.flags & kSackPerm) != 0) out += " sack-perm";
  say(out);
}

void Writer::write(const nft::Limit& it) {
  constexpr std::uint32_t kUsualBurst = 5;
  const bool packets = it.type == 0;
  std::string unit(unit_name(it.unit_s));
  if (unit.empty()) unit = std::to_string(it.unit_s) + "s";
  std::string out = fmt::format("limit rate {}{}/{}", it.inverted ? "over " : "",
                                packets ? std::to_string(it.rate) : bytes_text(it.rate), unit);
  if (packets && it.burst != 0 && it.burst != kUsualBurst) {
    out += fmt::format(" burst {} packets", it.burst);
  }
  if (!packets && it.burst != 0) out += " burst " + bytes_text(it.burst);
  say(out);
}

void Writer::write(const nft::Quota& it) {
  std::string out = fmt::format("quota {}{}", it.inverted ? "over " : "", bytes_text(it.bytes));
  if (it.consumed != 0) out += " used " + bytes_text(it.consumed);
  say(out);
}

void Writer::write(const nft::Connlimit& it) {
  say(fmt::format("ct count {}{}", it.inverted ? "over " : "", it.count));
}

void Writer::write(const nft::Counter& it) {
  if (help_.counts) say(fmt::format("counter packets {} bytes {}", it.packets, it.bytes));
}

void Writer::write(const nft::Last& it) {
  say(it.used_ms_ago ? "last used " + duration_text(*it.used_ms_ago) : "last used never");
}

void Writer::write(const nft::Log& it) {
  constexpr const char* kLevels[] = {"emerg",  "alert", "crit",  "err",  "warn",
                                     "notice", "info",  "debug", "audit"};
  constexpr std::uint32_t kUsualLevel = 4;
  constexpr std::uint32_t kAll = 0x2f;  // NF_LOG_MASK
  constexpr Flag kTcp[] = {{0x01, "sequence"}, {0x02, "options"}};
  std::string out = "log";
  if (!it.prefix.empty()) out += " prefix " + quoted(it.prefix);
  if (it.group) {
    out += fmt::format(" group {}", *it.group);
    if (it.snaplen != 0) out += fmt::format(" snaplen {}", it.snaplen);
    if (it.qthreshold != 0) out += fmt::format(" queue-threshold {}", it.qthreshold);
  }
  const std::uint32_t level = it.level.value_or(kUsualLevel);
  if (level != kUsualLevel) {
    out += std::string(" level ") + (level < std::size(kLevels) ? kLevels[level] : "?");
  }
  if ((it.flags & kAll) == kAll) {
    out += " flags all";
  } else {
    const std::string tcp = flag_words(kTcp, it.flags, ",");
    if (!tcp.empty()) out += " flags tcp " + tcp;
    if ((it.flags & 0x04U) != 0) out += " flags ip options";
    if ((it.flags & 0x08U) != 0) out += " flags skuid";
    if ((it.flags & 0x20U) != 0) out += " flags ether";
  }
  say(out);
}

void Writer::write(const nft::Queue& it) {
  constexpr Flag kFlags[] = {{nft::kQueueBypass, "bypass"}, {nft::kQueueFanout, "fanout"}};
  const std::string flags = flag_words(kFlags, it.flags, ",");
  std::string out = "queue";
  if (!flags.empty()) out += " flags " + flags;
  if (it.sreg) {
    out += " to " + value_at(*it.sreg, Show::Decimal, true, 2);
  } else {
    out += fmt::format(" to {}", it.first);
    if (it.count > 1) out += fmt::format("-{}", it.first + it.count - 1);
  }
  say(out);
}

void Writer::write(const nft::Dup& it) {
  const bool ipv6 = rule_.family == nft::TableFamily::Ip6;
  std::string out = "dup to";
  if (it.address) {
    out += ' ' + value_at(*it.address, ipv6 ? Show::Ipv6 : Show::Ipv4, false, ipv6 ? 16 : 4);
    if (it.device) out += " device";
  }
  if (it.device) out += ' ' + value_at(*it.device, Show::Ifindex, true, 4);
  say(out);
}

void Writer::write(const nft::Fwd& it) {
  std::string out = "fwd";
  if (it.address) {
    const bool ipv6 = it.family != kFamilyIp;
    out += ipv6 ? " ip6 to " : " ip to ";
    out += value_at(*it.address, ipv6 ? Show::Ipv6 : Show::Ipv4, false, ipv6 ? 16 : 4);
    if (it.device) out += " device " + value_at(*it.device, Show::Ifindex, true, 4);
  } else if (it.device) {
    out += " to " + value_at(*it.device, Show::Ifindex, true, 4);
  }
  say(out);
}

void Writer::write(const nft::FlowOffload& it) {
  say("flow add @" + it.flowtable);
}

void Writer::write(const nft::XtMatch& it) {
  const std::string words = help_.match_words ? help_.match_words(it) : "";
  say(words.empty() ? "xt match " + quoted(it.name) : words);
}

void Writer::write(const nft::XtTarget& it) {
  const std::string words = help_.target_words ? help_.target_words(it) : "";
  say(words.empty() ? "xt target " + quoted(it.name) : words);
}

/// A chain without a name of its own stands where it is used.
std::string Writer::inline_chain(const std::string& name) {
  if (!name.starts_with("__chain")) return name;
  if (depth_ >= kDeepestChain) return "{ … }";
  std::vector<std::string> rules;
  for (const nft::Rule& rule : ruleset_.rules) {
    const bool here =
        rule.family == rule_.family && rule.table == rule_.table && rule.chain == name;
    if (!here) continue;
    if (rules.size() == kInlineRules) {
      rules.emplace_back("…");
      break;
    }
    rules.push_back(Writer(ruleset_, rule, help_, depth_ + 1).text());
  }
  return "{ " + join(rules, "; ") + " }";
}

std::string Writer::statement_text(const nft::Expression& expression) {
  // nft tells the state of a counter in a set with the element, not with the rule.
  if (std::holds_alternative<nft::Counter>(expression.operation)) return "counter";
  std::vector<std::string> kept;
  kept.swap(statements_);
  std::visit([this](const auto& it) { write(it); }, expression.operation);
  kept.swap(statements_);
  return join(kept, " ");
}

std::string Writer::text() {
  while (next_ < rule_.expressions.size()) {
    const nft::Operation& operation = rule_.expressions[next_].operation;
    ++next_;
    std::visit([this](const auto& it) { write(it); }, operation);
  }
  std::erase(statements_, std::string());
  return join(statements_, " ");
}

}  // namespace hark::reach::ruletext

namespace hark::reach {

std::string rule_text(const host::NftRuleset& ruleset, const decode::nft::Rule& rule,
                      const RuleTextHelp& help) {
  return ruletext::Writer(ruleset, rule, help, 0).text();
}

}  // namespace hark::reach
