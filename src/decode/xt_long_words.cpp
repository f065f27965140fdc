// Matches with more to say than a number or two.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "decode/xt_programs.h"
#include "decode/xt_words.h"

namespace hark::decode::xt {
namespace {

bool inverted(const Line& line) {
  return line.number(Field::Invert) != 0;
}

constexpr std::uint64_t kDay = 86'400;

std::string clock_text(std::uint64_t seconds) {
  return fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

/// Seconds since 1970 as time_print_date() of libxt_time.c writes them (Howard Hinnant's
/// civil_from_days).
std::string date_text(std::uint64_t seconds) {
  const std::uint64_t shifted = seconds / kDay + 719'468;
  const std::uint64_t era = shifted / 146'097;
  const std::uint64_t in_era = shifted % 146'097;
  const std::uint64_t year_in_era =
      (in_era - in_era / 1'460 + in_era / 36'524 - in_era / 146'096) / 365;
  const std::uint64_t in_year = in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
  const std::uint64_t from_march = (5 * in_year + 2) / 153;
  const std::uint64_t day = in_year - (153 * from_march + 2) / 5 + 1;
  const std::uint64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
  const std::uint64_t year = year_in_era + era * 400 + (month <= 2 ? 1 : 0);
  const std::uint64_t rest = seconds % kDay;
  return fmt::format("{}-{:02}-{:02}T{}", year, month, day, clock_text(rest));
}

void time(Line& line) {
  constexpr std::uint64_t kAllMonthDays = 0xfffffffe, kAllWeekDays = 0xfe, kForever = 0xffffffff;
  constexpr std::array<BitName, 7> kWeek = {
      {{2, "Mon"}, {4, "Tue"}, {8, "Wed"}, {16, "Thu"}, {32, "Fri"}, {64, "Sat"}, {128, "Sun"}}};
  const auto start = line.number(Field::DayStart);
  const auto stop = line.number(Field::DayStop);
  if (start != 0 || stop != kDay - 1)
    line.option("--timestart", clock_text(start)).option("--timestop", clock_text(stop));
  if (const auto days = line.number(Field::MonthDays); days != kAllMonthDays) {
    std::string list;
    for (unsigned day = 1; day <= 31; ++day)
      if ((days >> day & 1U) != 0) list += (list.empty() ? "" : ",") + std::to_string(day);
    line.option("--monthdays", list);
  }
  if (line.number(Field::WeekDays) != kAllWeekDays)
    line.option("--weekdays", bits_text(line.number(Field::WeekDays), kWeek));
  if (const auto from = line.number(Field::DateStart)) line.option("--datestart", date_text(from));
  if (const auto until = line.number(Field::DateStop); until != kForever)
    line.option("--datestop", date_text(until));
  if (line.bit(Field::Flags, 1)) line.flag("--kerneltz");
  if (line.bit(Field::Flags, 2)) line.flag("--contiguous");
}

void string(Line& line) {
  const std::size_t size = std::min<std::size_t>(line.number(Field::Length), 128);
  const ByteView pattern = line.blob().bytes(Field::Text).first(size);
  std::string hex;
  bool printable = true;
  for (const std::byte byte : pattern) {
    const auto c = std::to_integer<unsigned>(byte);
    hex += fmt::format("{:02x}", c);
    printable = printable && c >= 0x20 && c < 0x7f;
  }
  const bool turned = line.bit(Field::Flags, 1);
  if (printable)
    line.option("--string", quoted(as_text(pattern)), turned);
  else
    line.option("--hex-string", "\"|" + hex + "|\"", turned);
  line.option("--algo", line.blob().text(Field::Algorithm));
  if (const auto from = line.number(Field::From)) line.option("--from", std::to_string(from));
  if (const auto to = line.number(Field::To); to != 0xffff && to != 0)
    line.option("--to", std::to_string(to));
  if (line.bit(Field::Flags, 2)) line.flag("--icase");
}

void u32(Line& line) {
  constexpr std::array kOps = {"&", "<<", ">>", "@"};
  std::string text;
  for (const U32Test& test : u32_tests(line.blob())) {
    text += (text.empty() ? "" : "&&") + hex_text(test.offset);
    for (const U32Test::Step& step : test.steps)
      text += kOps[static_cast<std::size_t>(step.op)] + hex_text(step.number);
    text += '=';
    for (std::size_t i = 0; i < test.values.size(); ++i) {
      const auto& [low, high] = test.values[i];
      text += (i == 0 ? "" : ",") + hex_text(low);
      if (high != low) text += ":" + hex_text(high);
    }
  }
  line.option("--u32", "\"" + text + "\"", inverted(line));
}

void bpf(Line& line) {
  const auto program = bpf_program(line.blob());
  if (program.empty() && line.blob().has(Field::Path)) {
    line.option("--object-pinned", line.blob().text(Field::Path));
    return;
  }
  std::string text = std::to_string(program.size());
  for (const BpfInstruction& one : program)
    text += fmt::format(",{} {} {} {}", one.code, one.if_true, one.if_false, one.k);
  line.option("--bytecode", "\"" + text + "\"");
}

void cluster(Line& line) {
  line.option("--cluster-local-nodemask", hex_text(line.number(Field::Mask), 8),
              line.bit(Field::Flags, 1))
      .option("--cluster-total-nodes", std::to_string(line.number(Field::Count)))
      .option("--cluster-hash-seed", hex_text(line.number(Field::Seed), 8));
}

void policy_element(Line& line, const PolicyElement& one) {
  const auto part = [&](unsigned bit, const char* option, const std::string& value) {
    if ((one.wants & bit) != 0) line.option(option, value, (one.inverts & bit) != 0);
  };
  const auto protocol = [&]() -> std::string {
    switch (one.protocol) {
      case 50:
        return "esp";
      case 51:
        return "ah";
      case 108:
        return "ipcomp";
      default:
        return std::to_string(one.protocol);
    }
  };
  part(PolicyElement::Request, "--reqid", std::to_string(one.request));
  part(PolicyElement::Spi, "--spi", hex_text(one.spi));
  part(PolicyElement::Protocol, "--proto", protocol());
  part(PolicyElement::Mode, "--mode", one.mode == 0 ? "transport" : "tunnel");
  part(PolicyElement::Destination, "--tunnel-dst",
       network_text(one.destination, one.destination_mask));
  part(PolicyElement::Source, "--tunnel-src", network_text(one.source, one.source_mask));
}

void policy(Line& line) {
  line.option("--dir", line.bit(Field::Flags, 1) ? "in" : "out");
  line.option("--pol", line.bit(Field::Flags, 4) ? "none" : "ipsec");
  if (line.bit(Field::Flags, 8)) line.flag("--strict");
  bool first = true;
  for (const PolicyElement& one : policy_elements(line.blob(), line.family())) {
    if (!first) line.flag("--next");
    first = false;
    policy_element(line, one);
  }
}

/// Security parameter indexes: a range of 32-bit numbers.
void spis(Line& line, const char* option, bool turned) {
  const std::uint32_t low = line.blob().item(Field::Value, 0, 4);
  const std::uint32_t high = line.blob().item(Field::Value, 1, 4);
  if (low == 0 && high == 0xffffffff && !turned) return;
  line.option(option, range_text(low, high), turned);
}
void esp(Line& line) {
  spis(line, "--espspi", line.bit(Field::InvertFlags, 1));
}
void ipcomp(Line& line) {
  spis(line, "--ipcompspi", line.bit(Field::InvertFlags, 1));
  if (line.number(Field::Reserved) != 0) line.flag("--compres");
}
void ah(Line& line) {
  if (line.family() == hark::Family::Inet) {
    spis(line, "--ahspi", line.bit(Field::Flags, 1));
    return;
  }
  spis(line, "--ahspi", line.bit(Field::InvertFlags, 1));
  const bool turned = line.bit(Field::InvertFlags, 2);
  if (line.number(Field::Length) != 0 || turned)
    line.option("--ahlen", std::to_string(line.number(Field::Length)), turned);
  if (line.number(Field::Reserved) != 0) line.flag("--ahres");
}

void port_pair(Line& line, Field field, const char* option, unsigned bit) {
  if (!line.bit(Field::Flags, bit)) return;
  line.option(option, range_text(line.blob().item(field, 0, 2), line.blob().item(field, 1, 2)),
              line.bit(Field::InvertFlags, bit));
}
void sctp(Line& line) {
  port_pair(line, Field::SourcePorts, "--sport", 1);
  port_pair(line, Field::DestinationPorts, "--dport", 2);
  if (line.bit(Field::Flags, 4))
    line.option("--chunk-types", "[chunks]", line.bit(Field::InvertFlags, 4));
}
void dccp(Line& line) {
  constexpr std::array<BitName, 11> kTypes = {{{1, "REQUEST"},
                                               {2, "RESPONSE"},
                                               {4, "DATA"},
                                               {8, "ACK"},
                                               {16, "DATAACK"},
                                               {32, "CLOSEREQ"},
                                               {64, "CLOSE"},
                                               {128, "RESET"},
                                               {256, "SYNC"},
                                               {512, "SYNCACK"},
                                               {1024, "INVALID"}}};
  port_pair(line, Field::SourcePorts, "--sport", 1);
  port_pair(line, Field::DestinationPorts, "--dport", 2);
  if (line.bit(Field::Flags, 4))
    line.option("--dccp-types", bits_text(line.number(Field::Type), kTypes),
                line.bit(Field::InvertFlags, 4));
  if (line.bit(Field::Flags, 8))
    line.option("--dccp-option", std::to_string(line.number(Field::Option)),
                line.bit(Field::InvertFlags, 8));
}
void ecn(Line& line) {
  if (line.bit(Field::Mode, 0x10)) line.flag("--ecn-tcp-ece", line.bit(Field::Invert, 0x10));
  if (line.bit(Field::Mode, 0x20)) line.flag("--ecn-tcp-cwr", line.bit(Field::Invert, 0x20));
  if (line.bit(Field::Mode, 0x01))
    line.option("--ecn-ip-ect", std::to_string(line.number(Field::Value)),
                line.bit(Field::Invert, 0x01));
}
void osf(Line& line) {
  line.option("--genre", line.blob().text(Field::Name), line.bit(Field::Flags, 2));
  if (line.bit(Field::Flags, 4)) line.option("--ttl", std::to_string(line.number(Field::Ttl)));
  if (line.bit(Field::Flags, 8)) line.option("--log", std::to_string(line.number(Field::LogLevel)));
}

void ipv6_length(Line& line, const char* option, unsigned bit) {
  const bool turned = line.bit(Field::InvertFlags, bit);
  if (line.number(Field::Length) != 0 || turned)
    line.option(option, std::to_string(line.number(Field::Length)), turned);
}
void frag(Line& line) {
  const std::uint32_t low = line.blob().item(Field::Value, 0, 4);
  const std::uint32_t high = line.blob().item(Field::Value, 1, 4);
  const bool turned = line.bit(Field::InvertFlags, 1);
  if (low != 0 || high != 0xffffffff || turned)
    line.option("--fragid", range_text(low, high), turned);
  ipv6_length(line, "--fraglen", 2);
  constexpr std::array<BitName, 4> kFlags = {
      {{4, "--fragres"}, {8, "--fragfirst"}, {16, "--fragmore"}, {32, "--fraglast"}}};
  for (const BitName& flag : kFlags)
    if (line.bit(Field::Flags, flag.bit)) line.flag(flag.name);
}
void options(Line& line) {
  const std::string name = line.blob().name() == "hbh" ? "--hbh" : "--dst";
  if (line.bit(Field::Flags, 1))
    line.option(name + "-len", std::to_string(line.number(Field::Length)),
                line.bit(Field::InvertFlags, 1));
  if (!line.bit(Field::Flags, 2)) return;
  std::string list;
  for (std::size_t i = 0; i < line.number(Field::OptionCount) && i < 16; ++i) {
    const std::uint32_t option = line.blob().item(Field::Options, i, 2);
    list += (i == 0 ? "" : ",") + std::to_string(option >> 8U);
    if ((option & 0xffU) != 0xff) list += ":" + std::to_string(option & 0xffU);
  }
  line.option(name + "-opts", list);
}
void rt(Line& line) {
  if (line.bit(Field::Flags, 1))
    line.option("--rt-type", std::to_string(line.number(Field::Type)),
                line.bit(Field::InvertFlags, 1));
  if (line.bit(Field::Flags, 2))
    line.option(
        "--rt-segsleft",
        range_text(line.blob().item(Field::Value, 0, 4), line.blob().item(Field::Value, 1, 4)),
        line.bit(Field::InvertFlags, 2));
  if (line.bit(Field::Flags, 4))
    line.option("--rt-len", std::to_string(line.number(Field::Length)),
                line.bit(Field::InvertFlags, 4));
  if (line.bit(Field::Flags, 8)) line.flag("--rt-0-res");
}
void mh(Line& line) {
  const std::uint32_t low = line.blob().item(Field::Value, 0, 1);
  const std::uint32_t high = line.blob().item(Field::Value, 1, 1);
  const bool turned = line.bit(Field::InvertFlags, 1);
  if (low != 0 || high != 0xff || turned) line.option("--mh-type", range_text(low, high), turned);
}
void ipv6header(Line& line) {
  constexpr std::array<BitName, 8> kHeaders = {{{128, "hop-by-hop"},
                                                {64, "ipv6-opts"},
                                                {32, "ipv6-route"},
                                                {16, "ipv6-frag"},
                                                {8, "ah"},
                                                {4, "esp"},
                                                {2, "ipv6-nonxt"},
                                                {1, "protocol"}}};
  line.option("--header", bits_text(line.number(Field::MatchFlags), kHeaders),
              line.number(Field::InvertFlags) != 0);
  if (line.number(Field::Mode) != 0) line.flag("--soft");
}

constexpr std::array<std::pair<std::string_view, Write>, 18> kWriters = {{
    {"time", time},
    {"string", string},
    {"u32", u32},
    {"bpf", bpf},
    {"cluster", cluster},
    {"policy", policy},
    {"esp", esp},
    {"ipcomp", ipcomp},
    {"ah", ah},
    {"sctp", sctp},
    {"dccp", dccp},
    {"ecn", ecn},
    {"osf", osf},
    {"frag", frag},
    {"hbh", options},
    {"dst", options},
    {"rt", rt},
    {"mh", mh},
}};

}  // namespace

Write long_match_writer(std::string_view name) {
  if (name == "ipv6header") return ipv6header;
  for (const auto& [known, write] : kWriters)
    if (known == name) return write;
  return nullptr;
}

}  // namespace hark::decode::xt
