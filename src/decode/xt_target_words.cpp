#include <fmt/format.h>

#include <array>
#include <utility>

#include "decode/xt_table.h"
#include "decode/xt_words.h"

namespace hark::decode::xt {
namespace {

void plain(Line&) {}

void reject(Line& line) {
  constexpr std::array kWith = {"icmp-net-unreachable",
                                "icmp-host-unreachable",
                                "icmp-proto-unreachable",
                                "icmp-port-unreachable",
                                "echo-reply",
                                "icmp-net-prohibited",
                                "icmp-host-prohibited",
                                "tcp-reset",
                                "icmp-admin-prohibited"};
  constexpr std::array kWith6 = {"icmp6-no-route",
                                 "icmp6-adm-prohibited",
                                 "icmp6-not-neighbour",
                                 "icmp6-addr-unreachable",
                                 "icmp6-port-unreachable",
                                 "echo-reply",
                                 "tcp-reset",
                                 "icmp6-policy-fail",
                                 "icmp6-reject-route"};
  const std::size_t with = line.number(Field::Type);
  const auto& names = line.family() == hark::Family::Inet ? kWith : kWith6;
  line.option("--reject-with", with < names.size() ? names[with] : "?");
}

void log(Line& line) {
  constexpr std::uint64_t kUsualLevel = 4;
  if (const std::string prefix = line.blob().text(Field::Prefix); !prefix.empty())
    line.option("--log-prefix", quoted(prefix));
  if (line.number(Field::LogLevel) != kUsualLevel)
    line.option("--log-level", std::to_string(line.number(Field::LogLevel)));
  constexpr std::array<BitName, 5> kFlags = {{{1, "--log-tcp-sequence"},
                                              {2, "--log-tcp-options"},
                                              {4, "--log-ip-options"},
                                              {8, "--log-uid"},
                                              {32, "--log-macdecode"}}};
  for (const BitName& flag : kFlags)
    if (line.bit(Field::Flags, flag.bit)) line.flag(flag.name);
}

void nflog(Line& line) {
  if (const std::string prefix = line.blob().text(Field::Prefix); !prefix.empty())
    line.option("--nflog-prefix", quoted(prefix));
  if (const auto group = line.number(Field::Group))
    line.option("--nflog-group", std::to_string(group));
  if (line.bit(Field::Flags, 1))
    line.option("--nflog-size", std::to_string(line.number(Field::Length)));
  else if (const auto length = line.number(Field::Length))
    line.option("--nflog-range", std::to_string(length));
  if (const auto threshold = line.number(Field::Threshold))
    line.option("--nflog-threshold", std::to_string(threshold));
}

constexpr unsigned kMapAddress = 1, kPortGiven = 2, kRandom = 4, kPersistent = 8;
constexpr unsigned kRandomFully = 16, kPortOffset = 32;

/// "10.0.0.1-10.0.0.9:80-90/80"
std::string nat_range(const Line& line) {
  std::string out;
  const bool ported = line.bit(Field::Flags, kPortGiven);
  if (line.bit(Field::Flags, kMapAddress)) {
    const IpAddress first = line.blob().address(Field::FirstAddress, line.family());
    const IpAddress last = line.blob().address(Field::LastAddress, line.family());
    const bool brackets = ported && line.family() == hark::Family::Inet6;
    out = first.text();
    if (last != first) out += "-" + last.text();
    if (brackets) out = "[" + out + "]";
  }
  if (!ported) return out;
  out += ":" + range_text(line.number(Field::FirstPort), line.number(Field::LastPort), '-');
  if (line.bit(Field::Flags, kPortOffset))
    out += "/" + std::to_string(line.number(Field::BasePort));
  return out;
}

void nat_flags(Line& line) {
  if (line.bit(Field::Flags, kRandom)) line.flag("--random");
  if (line.bit(Field::Flags, kRandomFully)) line.flag("--random-fully");
  if (line.bit(Field::Flags, kPersistent)) line.flag("--persistent");
}

void dnat(Line& line) {
  line.option("--to-destination", nat_range(line));
  nat_flags(line);
}
void snat(Line& line) {
  line.option("--to-source", nat_range(line));
  nat_flags(line);
}
/// MASQUERADE and REDIRECT
void own_address(Line& line) {
  if (line.bit(Field::Flags, kPortGiven))
    line.option("--to-ports",
                range_text(line.number(Field::FirstPort), line.number(Field::LastPort), '-'));
  nat_flags(line);
}

void netmap(Line& line) {
  const IpAddress first = line.blob().address(Field::FirstAddress, line.family());
  const IpAddress last = line.blob().address(Field::LastAddress, line.family());
  IpAddress mask = first;
  for (std::size_t i = 0; i < first.bits() / 8; ++i)
    mask.bytes[i] = static_cast<std::uint8_t>(~(first.bytes[i] ^ last.bytes[i]));
  line.option("--to", network_text(first, mask));
}

void mark(Line& line) {
  line.option("--set-xmark",
              hex_text(line.number(Field::Value)) + "/" + hex_text(line.number(Field::Mask)));
}

void connmark(Line& line) {
  constexpr std::array kModes = {"--set-xmark", "--save-mark", "--restore-mark"};
  const std::size_t mode = line.number(Field::Mode);
  if (mode == 0)
    line.option(kModes[0],
                hex_text(line.number(Field::CtMark)) + "/" + hex_text(line.number(Field::CtMask)));
  else
    line.flag(mode < kModes.size() ? kModes[mode] : "?")
        .option("--nfmask", hex_text(line.number(Field::PacketMask)))
        .option("--ctmask", hex_text(line.number(Field::CtMask)));
  if (const auto bits = line.number(Field::ShiftBits))
    line.option(
        line.number(Field::ShiftDirection) == 0 ? "--left-shift-mark" : "--right-shift-mark",
        std::to_string(bits));
}

void ct(Line& line) {
  constexpr std::array<BitName, 11> kEvents = {{{1, "new"},
                                                {2, "related"},
                                                {4, "destroy"},
                                                {8, "reply"},
                                                {16, "assured"},
                                                {32, "protoinfo"},
                                                {64, "helper"},
                                                {128, "mark"},
                                                {256, "natseqinfo"},
                                                {512, "secmark"},
                                                {1024, "label"}}};
  constexpr std::array<BitName, 1> kExpectEvents = {{{1, "new"}}};
  if (line.bit(Field::Flags, 2)) return line.rename("NOTRACK");
  if (line.bit(Field::Flags, 1)) line.flag("--notrack");
  if (const std::string helper = line.blob().text(Field::Helper); !helper.empty())
    line.option("--helper", helper);
  if (const std::string policy = line.blob().text(Field::TimeoutPolicy); !policy.empty())
    line.option("--timeout", policy);
  if (const auto events = line.number(Field::Events))
    line.option("--ctevents", bits_text(events, kEvents));
  if (const auto events = line.number(Field::ExpectEvents))
    line.option("--expevents", bits_text(events, kExpectEvents));
  const std::string option = line.bit(Field::Flags, 4)   ? "--zone-orig"
                             : line.bit(Field::Flags, 8) ? "--zone-reply"
                                                         : "--zone";
  if (line.bit(Field::Flags, 16))
    line.option(option, "mark");
  else if (const auto zone = line.number(Field::Zone))
    line.option(option, std::to_string(zone));
}

void tproxy(Line& line) {
  line.option("--on-port", std::to_string(line.number(Field::FirstPort)))
      .option("--on-ip", line.blob().address(Field::FirstAddress, line.family()).text())
      .option("--tproxy-mark",
              hex_text(line.number(Field::Value)) + "/" + hex_text(line.number(Field::Mask)));
}

void tcpmss(Line& line) {
  constexpr std::uint64_t kClamp = 0xffff;
  if (line.number(Field::Mss) == kClamp)
    line.flag("--clamp-mss-to-pmtu");
  else
    line.option("--set-mss", std::to_string(line.number(Field::Mss)));
}

void set(Line& line) {
  constexpr std::uint16_t kNone = 0xffff;
  const auto one = [&](const char* option, Field index, Field flags, Field dimensions) {
    if (!line.blob().has(index) || line.blob().u16(index) == kNone) return false;
    line.option(option, line.set_name(line.blob().u16(index)))
        .word(directions_text(line.number(flags), line.number(dimensions)));
    return true;
  };
  if (one("--add-set", Field::Index, Field::SetFlags, Field::Dimensions)) {
    if (line.bit(Field::Flags, 1)) line.flag("--exist");
    if (line.blob().has(Field::Timeout) && line.number(Field::Timeout) != 0xffffffff)
      line.option("--timeout", std::to_string(line.number(Field::Timeout)));
  }
  one("--del-set", Field::DeleteIndex, Field::DeleteSetFlags, Field::DeleteDimensions);
  if (one("--map-set", Field::MapIndex, Field::MapSetFlags, Field::MapDimensions)) {
    if (line.bit(Field::Flags, 1U << 8U)) line.flag("--map-mark");
    if (line.bit(Field::Flags, 1U << 9U)) line.flag("--map-prio");
    if (line.bit(Field::Flags, 1U << 10U)) line.flag("--map-queue");
  }
}

void classify(Line& line) {
  const auto value = line.number(Field::Value);
  line.option("--set-class", fmt::format("{:04x}:{:04x}", value >> 16U, value & 0xffffU));
}
void dscp(Line& line) {
  line.option("--set-dscp", hex_text(line.number(Field::Value), 2));
}
void tos(Line& line) {
  line.option("--set-tos",
              hex_text(line.number(Field::Value), 2) + "/" + hex_text(line.number(Field::Mask), 2));
}
void ttl(Line& line) {
  constexpr std::array kModes = {"-set", "-inc", "-dec"};
  const std::size_t mode = line.number(Field::Mode);
  const std::string name = line.blob().name() == "TTL" ? "--ttl" : "--hl";
  line.option(name + (mode < kModes.size() ? kModes[mode] : "?"),
              std::to_string(line.number(Field::Value)));
}
void ecn(Line& line) {
  if (line.bit(Field::Mode, 0x30)) line.flag("--ecn-tcp-remove");
  if (line.bit(Field::Mode, 0x01))
    line.option("--ecn-ip-ect", std::to_string(line.number(Field::Value)));
}

void nfqueue(Line& line) {
  const auto first = line.number(Field::Queue);
  const auto count = line.number(Field::Queues);
  if (count > 1)
    line.option("--queue-balance", fmt::format("{}:{}", first, first + count - 1));
  else
    line.option("--queue-num", std::to_string(first));
  if (line.bit(Field::Flags, 1)) line.flag("--queue-bypass");
  if (line.bit(Field::Flags, 2)) line.flag("--queue-cpu-fanout");
}

void synproxy(Line& line) {
  if (line.bit(Field::Options, 4)) line.flag("--sack-perm");
  if (line.bit(Field::Options, 8)) line.flag("--timestamp");
  if (line.bit(Field::Options, 2))
    line.option("--wscale", std::to_string(line.number(Field::WindowScale)));
  if (line.bit(Field::Options, 1)) line.option("--mss", std::to_string(line.number(Field::Mss)));
  if (line.bit(Field::Options, 16)) line.flag("--ecn");
}

void checksum(Line& line) {
  line.flag("--checksum-fill");
}
void idletimer(Line& line) {
  line.option("--timeout", std::to_string(line.number(Field::Timeout)))
      .option("--label", line.blob().text(Field::Label));
  if (line.bit(Field::Type, 1)) line.flag("--alarm");
}
void audit(Line& line) {
  constexpr std::array kTypes = {"accept", "drop", "reject"};
  const std::size_t type = line.number(Field::Type);
  line.option("--type", type < kTypes.size() ? kTypes[type] : "?");
}
void tee(Line& line) {
  line.option("--gateway", line.blob().address(Field::FirstAddress, line.family()).text());
  if (const std::string device = line.blob().text(Field::OutDevice); !device.empty())
    line.option("--oif", device);
}
void secmark(Line& line) {
  line.option("--selctx", line.blob().text(Field::Text));
}
void connsecmark(Line& line) {
  line.flag(line.number(Field::Mode) == 1 ? "--save" : "--restore");
}

unsigned prefix_length(const Line& line, Field mask) {
  unsigned out = 0;
  const std::size_t size = line.family() == hark::Family::Inet ? 4 : 16;
  for (const std::byte byte : line.blob().bytes(mask).first(size))
    for (unsigned bits = std::to_integer<unsigned>(byte); bits != 0; bits &= bits - 1) ++out;
  return out;
}
void hmark(Line& line) {
  // XT_HMARK_FLAG()
  constexpr unsigned kSource = 1, kDestination = 2, kSourcePort = 1U << 6U;
  constexpr unsigned kDestinationPort = 1U << 7U, kProtocol = 1U << 8U, kSeed = 1U << 9U;
  constexpr unsigned kModulus = 1U << 10U, kOffset = 1U << 11U, kConntrack = 1U << 12U;
  if (line.bit(Field::Flags, kConntrack)) line.option("--hmark-tuple", "ct");
  if (line.bit(Field::Flags, kSource))
    line.option("--hmark-src-prefix", std::to_string(prefix_length(line, Field::SourceMask)));
  if (line.bit(Field::Flags, kDestination))
    line.option("--hmark-dst-prefix", std::to_string(prefix_length(line, Field::DestinationMask)));
  if (line.bit(Field::Flags, kSourcePort))
    line.option("--hmark-sport-mask", hex_text(line.blob().item(Field::PortMask, 0, 2), 4));
  if (line.bit(Field::Flags, kDestinationPort))
    line.option("--hmark-dport-mask", hex_text(line.blob().item(Field::PortMask, 1, 2), 4));
  if (line.bit(Field::Flags, kProtocol))
    line.option("--hmark-proto-mask", hex_text(line.number(Field::Protocol), 2));
  if (line.bit(Field::Flags, kSeed))
    line.option("--hmark-rnd", hex_text(line.number(Field::Seed), 8));
  if (line.bit(Field::Flags, kModulus))
    line.option("--hmark-mod", std::to_string(line.number(Field::Modulus)));
  if (line.bit(Field::Flags, kOffset))
    line.option("--hmark-offset", std::to_string(line.number(Field::Offset)));
}
void optstrip(Line& line) {
  std::string list;
  for (std::size_t i = 0; i < 256; ++i) {
    if ((line.blob().item(Field::Options, i / 32, 4) >> i % 32 & 1U) == 0) continue;
    list += (list.empty() ? "" : ",") + std::to_string(i);
  }
  line.option("--strip-options", list);
}
void npt(Line& line) {
  constexpr auto six = hark::Family::Inet6;
  line.option("--src-pfx",
              fmt::format("{}/{}", line.blob().address(Field::SourceAddress, six).text(),
                          line.number(Field::SourceMask)))
      .option("--dst-pfx",
              fmt::format("{}/{}", line.blob().address(Field::DestinationAddress, six).text(),
                          line.number(Field::DestinationMask)));
}

constexpr std::array<std::pair<std::string_view, Write>, 34> kWriters = {{
    {"HMARK", hmark},
    {"TCPOPTSTRIP", optstrip},
    {"SNPT", npt},
    {"DNPT", npt},
    {"REJECT", reject},
    {"LOG", log},
    {"NFLOG", nflog},
    {"DNAT", dnat},
    {"SNAT", snat},
    {"MASQUERADE", own_address},
    {"REDIRECT", own_address},
    {"NETMAP", netmap},
    {"MARK", mark},
    {"CONNMARK", connmark},
    {"CT", ct},
    {"NOTRACK", plain},
    {"TPROXY", tproxy},
    {"TCPMSS", tcpmss},
    {"SET", set},
    {"CLASSIFY", classify},
    {"DSCP", dscp},
    {"TOS", tos},
    {"TTL", ttl},
    {"HL", ttl},
    {"ECN", ecn},
    {"NFQUEUE", nfqueue},
    {"SYNPROXY", synproxy},
    {"CHECKSUM", checksum},
    {"TRACE", plain},
    {"IDLETIMER", idletimer},
    {"AUDIT", audit},
    {"TEE", tee},
    {"SECMARK", secmark},
    {"CONNSECMARK", connsecmark},
}};

}  // namespace

Write target_writer(std::string_view name) {
  for (const auto& [known, write] : kWriters)
    if (known == name) return write;
  return nullptr;
}

}  // namespace hark::decode::xt
