#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "decode/xt_table.h"
#include "decode/xt_words.h"

namespace hark::decode::xt {
namespace {

void ports(Line& line, Field field, const char* option, bool inverted) {
  const std::uint32_t low = line.blob().item(field, 0, 2);
  const std::uint32_t high = line.blob().item(field, 1, 2);
  if (low == 0 && high == 0xffff && !inverted) return;
  line.option(option, range_text(low, high), inverted);
}

void both_ports(Line& line) {
  ports(line, Field::SourcePorts, "--sport", line.bit(Field::InvertFlags, 1));
  ports(line, Field::DestinationPorts, "--dport", line.bit(Field::InvertFlags, 2));
}

std::string tcp_flags(std::uint64_t flags) {
  constexpr std::array<BitName, 6> kNames = {
      {{1, "FIN"}, {2, "SYN"}, {4, "RST"}, {8, "PSH"}, {16, "ACK"}, {32, "URG"}}};
  return flags == 0 ? "NONE" : bits_text(flags, kNames);
}

void tcp(Line& line) {
  both_ports(line);
  const bool not_option = line.bit(Field::InvertFlags, 8);
  if (line.number(Field::Option) != 0 || not_option)
    line.option("--tcp-option", std::to_string(line.number(Field::Option)), not_option);
  const bool not_flags = line.bit(Field::InvertFlags, 4);
  if (line.number(Field::FlagMask) != 0 || not_flags)
    line.option("--tcp-flags", tcp_flags(line.number(Field::FlagMask)), not_flags)
        .word(tcp_flags(line.number(Field::FlagValue)));
}

void icmp(Line& line) {
  const bool six = line.blob().name() == "icmp6";
  std::string type = std::to_string(line.number(Field::Type));
  const std::uint32_t low = line.blob().item(Field::Code, 0, 1);
  if (!six && type == "255")
    type = "any";
  else if (low != 0 || line.blob().item(Field::Code, 1, 1) != 0xff)
    type += "/" + std::to_string(low);
  line.option(six ? "--icmpv6-type" : "--icmp-type", type, line.bit(Field::InvertFlags, 1));
}

void multiport(Line& line) {
  constexpr std::array kOptions = {"--sports", "--dports", "--ports"};
  const std::size_t side = std::min<std::size_t>(line.number(Field::Flags), 2);
  std::string list;
  const std::size_t count = line.number(Field::Count);
  for (std::size_t i = 0; i < count && i < 15; ++i) {
    if (i != 0) list += line.blob().item(Field::PortFlags, i - 1, 1) != 0 ? ':' : ',';
    list += std::to_string(line.blob().item(Field::Ports, i, 2));
  }
  line.option(kOptions[side], list, line.number(Field::Invert) != 0);
}

constexpr std::array<BitName, 7> kStates = {{{1, "INVALID"},
                                             {8, "NEW"},
                                             {4, "RELATED"},
                                             {2, "ESTABLISHED"},
                                             {256, "UNTRACKED"},
                                             {64, "SNAT"},
                                             {128, "DNAT"}}};
constexpr std::array<BitName, 4> kStatus = {
    {{1, "EXPECTED"}, {2, "SEEN_REPLY"}, {4, "ASSURED"}, {8, "CONFIRMED"}}};

void conntrack_tuple(Line& line) {
  struct Address {
    unsigned bit;
    const char* option;
    Field address, mask;
  };
  for (const Address& one :
       {Address{1U << 2U, "--ctorigsrc", Field::SourceAddress, Field::SourceMask},
        Address{1U << 3U, "--ctorigdst", Field::DestinationAddress, Field::DestinationMask},
        Address{1U << 4U, "--ctreplsrc", Field::ReplySource, Field::ReplySourceMask},
        Address{1U << 5U, "--ctrepldst", Field::ReplyDestination, Field::ReplyDestinationMask}}) {
    if (!line.bit(Field::MatchFlags, one.bit)) continue;
    line.option(one.option,
                network_text(line.blob().address(one.address, line.family()),
                             line.blob().address(one.mask, line.family())),
                line.bit(Field::InvertFlags, one.bit));
  }
  struct Port {
    unsigned bit;
    const char* option;
    Field low, high;
  };
  for (const Port& one :
       {Port{1U << 8U, "--ctorigsrcport", Field::SourcePort, Field::SourcePortHigh},
        Port{1U << 9U, "--ctorigdstport", Field::DestinationPort, Field::DestinationPortHigh},
        Port{1U << 10U, "--ctreplsrcport", Field::ReplySourcePort, Field::ReplySourcePortHigh},
        Port{1U << 11U, "--ctrepldstport", Field::ReplyDestinationPort,
             Field::ReplyDestinationPortHigh}}) {
    if (!line.bit(Field::MatchFlags, one.bit)) continue;
    line.option(one.option, range_text(line.number(one.low), line.number(one.high)),
                line.bit(Field::InvertFlags, one.bit));
  }
}

void conntrack(Line& line) {
  constexpr unsigned kState = 1, kProtocol = 2, kStatusBit = 1U << 6U, kExpires = 1U << 7U;
  constexpr unsigned kDirection = 1U << 12U, kAlias = 1U << 13U;
  const bool alias = line.bit(Field::MatchFlags, kAlias);
  if (alias) line.rename("state");
  if (line.bit(Field::MatchFlags, kState))
    line.option(alias ? "--state" : "--ctstate", bits_text(line.number(Field::State), kStates),
                line.bit(Field::InvertFlags, kState));
  if (line.bit(Field::MatchFlags, kProtocol))
    line.option("--ctproto", std::to_string(line.number(Field::Protocol)),
                line.bit(Field::InvertFlags, kProtocol));
  conntrack_tuple(line);
  if (line.bit(Field::MatchFlags, kStatusBit)) {
    const std::string status = bits_text(line.number(Field::Status), kStatus);
    line.option("--ctstatus", status.empty() ? "NONE" : status,
                line.bit(Field::InvertFlags, kStatusBit));
  }
  if (line.bit(Field::MatchFlags, kExpires))
    line.option("--ctexpire",
                range_text(line.number(Field::ExpiresMin), line.number(Field::ExpiresMax)),
                line.bit(Field::InvertFlags, kExpires));
  if (line.bit(Field::MatchFlags, kDirection))
    line.option("--ctdir", line.bit(Field::InvertFlags, kDirection) ? "REPLY" : "ORIGINAL");
}

void state(Line& line) {
  constexpr std::array<BitName, 5> kNames = {
      {{1, "INVALID"}, {8, "NEW"}, {4, "RELATED"}, {2, "ESTABLISHED"}, {64, "UNTRACKED"}}};
  line.option("--state", bits_text(line.number(Field::State), kNames));
}

void addrtype(Line& line) {
  constexpr std::array<BitName, 12> kTypes = {{{1, "UNSPEC"},
                                               {2, "UNICAST"},
                                               {4, "LOCAL"},
                                               {8, "BROADCAST"},
                                               {16, "ANYCAST"},
                                               {32, "MULTICAST"},
                                               {64, "BLACKHOLE"},
                                               {128, "UNREACHABLE"},
                                               {256, "PROHIBIT"},
                                               {512, "THROW"},
                                               {1024, "NAT"},
                                               {2048, "XRESOLVE"}}};
  if (const auto types = line.number(Field::SourceMask))
    line.option("--src-type", bits_text(types, kTypes),
                line.number(Field::InvertSource) != 0 || line.bit(Field::Flags, 1));
  if (const auto types = line.number(Field::DestinationMask))
    line.option("--dst-type", bits_text(types, kTypes),
                line.number(Field::InvertDestination) != 0 || line.bit(Field::Flags, 2));
  if (line.bit(Field::Flags, 4)) line.flag("--limit-iface-in");
  if (line.bit(Field::Flags, 8)) line.flag("--limit-iface-out");
}

void comment(Line& line) {
  line.option("--comment", quoted(line.blob().text(Field::Text)));
}

void mark(Line& line) {
  line.option("--mark", mark_text(line.number(Field::Value), line.number(Field::Mask)),
              line.number(Field::Invert) != 0);
}

struct Period {
  const char* name;
  std::uint64_t seconds;
};
constexpr std::array<Period, 4> kPeriods = {
    {{"day", 86'400}, {"hour", 3'600}, {"min", 60}, {"sec", 1}}};

/// How often a period fits into the largest unit in which that is a whole number, or nearly.
std::string rate_text(std::uint64_t period, std::uint64_t scale) {
  if (period == 0) return "0";
  std::size_t i = 1;
  for (; i < kPeriods.size(); ++i) {
    const std::uint64_t unit = kPeriods[i].seconds * scale;
    if (period > unit || unit / period < unit % period) break;
  }
  return fmt::format("{}/{}", kPeriods[i - 1].seconds * scale / period, kPeriods[i - 1].name);
}

void limit(Line& line) {
  constexpr std::uint64_t kScale = 10'000;
  constexpr std::uint64_t kUsualBurst = 5;
  line.option("--limit", rate_text(line.number(Field::Average), kScale));
  if (line.number(Field::Burst) != kUsualBurst)
    line.option("--limit-burst", std::to_string(line.number(Field::Burst)));
}

/// cost_to_bytes() of libxt_hashlimit.c, and the largest unit that it reaches.
std::string bytes_text(std::uint64_t count) {
  constexpr std::uint64_t kKilo = 1024;
  if (count >= kKilo * kKilo) return fmt::format("{}mb", count / (kKilo * kKilo));
  if (count >= kKilo) return fmt::format("{}kb", count / kKilo);
  return fmt::format("{}b", count);
}
std::uint64_t bytes_of_cost(std::uint64_t cost) {
  constexpr std::uint64_t kMost = 0xffffffff;
  constexpr unsigned kByteShift = 4;  // XT_HASHLIMIT_BYTE_SHIFT
  const std::uint64_t rate = cost != 0 ? kMost / cost : kMost;
  return rate == 0 ? 0 : (rate - 1) << kByteShift;
}

/// Writes the rate and gives after how many milliseconds entries expire if nothing is said.
std::uint64_t hashlimit_rate(Line& line) {
  constexpr unsigned kInvert = 16, kBytes = 32;
  constexpr std::uint64_t kByteExpire = 15'000, kBurstExpire = 60'000;
  const std::string option =
      line.bit(Field::Mode, kInvert) ? "--hashlimit-above" : "--hashlimit-upto";
  const std::uint64_t average = line.number(Field::Average);
  const std::uint64_t burst = line.number(Field::Burst);
  if (line.bit(Field::Mode, kBytes)) {
    const std::uint64_t rate = bytes_of_cost(average);
    line.option(option, bytes_text(rate) + "/s");
    if (burst != 0) line.option("--hashlimit-burst", bytes_text(rate * burst));
    return burst != 0 ? kBurstExpire : kByteExpire;
  }
  const std::string rate = rate_text(average, line.blob().revision() == 1 ? 10'000 : 1'000'000);
  line.option(option, rate).option("--hashlimit-burst", std::to_string(burst));
  const auto unit = std::ranges::find_if(
      kPeriods, [&](const Period& period) { return rate.ends_with(period.name); });
  return unit == kPeriods.end() ? 0 : unit->seconds * 1000;
}

void hashlimit(Line& line) {
  constexpr unsigned kRateMatch = 64;
  constexpr std::array<BitName, 4> kModes = {
      {{4, "srcip"}, {8, "srcport"}, {1, "dstip"}, {2, "dstport"}}};
  const std::uint64_t usual_expire = hashlimit_rate(line);
  if (const auto mode = line.number(Field::Mode) & 15U)
    line.option("--hashlimit-mode", bits_text(mode, kModes));
  line.option("--hashlimit-name", line.blob().text(Field::Name));
  if (const auto size = line.number(Field::Size))
    line.option("--hashlimit-htable-size", std::to_string(size));
  if (const auto most = line.number(Field::Most))
    line.option("--hashlimit-htable-max", std::to_string(most));
  if (const auto interval = line.number(Field::Interval); interval != 1000)
    line.option("--hashlimit-htable-gcinterval", std::to_string(interval));
  if (const auto expire = line.number(Field::Expire); expire != usual_expire)
    line.option("--hashlimit-htable-expire", std::to_string(expire));
  const unsigned bits = line.family() == hark::Family::Inet ? 32 : 128;
  if (const auto mask = line.number(Field::SourceMask); mask != bits)
    line.option("--hashlimit-srcmask", std::to_string(mask));
  if (const auto mask = line.number(Field::DestinationMask); mask != bits)
    line.option("--hashlimit-dstmask", std::to_string(mask));
  if (line.bit(Field::Mode, kRateMatch)) line.flag("--hashlimit-rate-match");
}

void recent(Line& line) {
  constexpr std::array<BitName, 4> kWhat = {
      {{2, "--set"}, {1, "--rcheck"}, {4, "--update"}, {8, "--remove"}}};
  if (line.number(Field::Invert) != 0) line.word("!");
  for (const BitName& what : kWhat)
    if (line.bit(Field::Flags, what.bit)) line.flag(what.name);
  if (const auto seconds = line.number(Field::Seconds))
    line.option("--seconds", std::to_string(seconds));
  if (line.bit(Field::Flags, 32)) line.flag("--reap");
  if (const auto hits = line.number(Field::Hits)) line.option("--hitcount", std::to_string(hits));
  if (line.bit(Field::Flags, 16)) line.flag("--rttl");
  line.option("--name", line.blob().text(Field::Name));
  if (line.blob().has(Field::Mask))
    line.option("--mask", line.blob().address(Field::Mask, line.family()).text());
  line.flag(line.number(Field::Side) == 0 ? "--rsource" : "--rdest");
}

void counters(Line& line, Field op, Field value, const std::string& what) {
  constexpr std::array kOps = {"", "-eq", "-eq", "-lt", "-gt"};
  const std::size_t which = line.number(op);
  if (which == 0 || which >= kOps.size()) return;
  line.option("--" + what + kOps[which], std::to_string(line.number(value)), which == 2);
}

void set(Line& line) {
  line.option("--match-set", line.set_name(line.blob().u16(Field::Index)),
              line.bit(Field::SetFlags, 1));
  line.word(directions_text(line.number(Field::SetFlags), line.number(Field::Dimensions)));
  if (line.bit(Field::Flags, 1U << 7U)) line.flag("--return-nomatch");
  if (line.bit(Field::Flags, 1U << 3U)) line.flag("--update-counters", true);
  if (line.bit(Field::Flags, 1U << 4U)) line.flag("--update-subcounters", true);
  counters(line, Field::PacketsOp, Field::Packets, "packets");
  counters(line, Field::BytesOp, Field::Bytes, "bytes");
}

constexpr std::array<std::pair<std::string_view, Write>, 16> kWriters = {{
    {"tcp", tcp},
    {"udp", both_ports},
    {"udplite", both_ports},
    {"icmp", icmp},
    {"icmp6", icmp},
    {"multiport", multiport},
    {"conntrack", conntrack},
    {"state", state},
    {"addrtype", addrtype},
    {"comment", comment},
    {"mark", mark},
    {"connmark", mark},
    {"limit", limit},
    {"hashlimit", hashlimit},
    {"recent", recent},
    {"set", set},
}};

}  // namespace

Write common_match_writer(std::string_view name) {
  for (const auto& [known, write] : kWriters)
    if (known == name) return write;
  return nullptr;
}

}  // namespace hark::decode::xt
