#include <fmt/format.h>

#include <array>
#include <utility>

#include "decode/xt_table.h"
#include "decode/xt_words.h"

namespace hark::decode::xt {
namespace {

bool inverted(const Line& line) {
  return line.number(Field::Invert) != 0;
}

void address_range(Line& line, const char* option, unsigned bit, Field first, Field last) {
  if (!line.bit(Field::Flags, bit)) return;
  line.option(option,
              line.blob().address(first, line.family()).text() + "-" +
                  line.blob().address(last, line.family()).text(),
              line.bit(Field::Flags, bit << 4U));
}
void iprange(Line& line) {
  address_range(line, "--src-range", 1, Field::SourceAddress, Field::SourceMask);
  address_range(line, "--dst-range", 2, Field::DestinationAddress, Field::DestinationMask);
}

void mac(Line& line) {
  std::string text;
  for (const std::byte byte : line.blob().bytes(Field::Value))
    text += fmt::format("{}{:02x}", text.empty() ? "" : ":", std::to_integer<unsigned>(byte));
  line.option("--mac-source", text, inverted(line));
}

void owner(Line& line) {
  if (line.bit(Field::MatchFlags, 4)) line.flag("--socket-exists", line.bit(Field::Invert, 4));
  if (line.bit(Field::MatchFlags, 1))
    line.option("--uid-owner",
                range_text(line.number(Field::UidMin), line.number(Field::UidMax), '-'),
                line.bit(Field::Invert, 1));
  if (line.bit(Field::MatchFlags, 2))
    line.option("--gid-owner",
                range_text(line.number(Field::GidMin), line.number(Field::GidMax), '-'),
                line.bit(Field::Invert, 2));
  if (line.bit(Field::MatchFlags, 8)) line.flag("--suppl-groups");
}

void pkttype(Line& line) {
  constexpr std::array kTypes = {"unicast", "broadcast", "multicast"};
  const std::size_t type = line.number(Field::Type);
  line.option("--pkt-type", type < kTypes.size() ? kTypes[type] : std::to_string(type),
              inverted(line));
}

std::string device_text(const Line& line, Field name, Field mask) {
  DeviceMatch out;
  for (std::size_t i = 0; i < out.name.size(); ++i) {
    out.name[i] = static_cast<char>(line.blob().item(name, i, 1));
    out.mask[i] = static_cast<std::uint8_t>(line.blob().item(mask, i, 1));
  }
  return out.text();
}
void physdev(Line& line) {
  const auto flag = [&](unsigned bit, const char* option) {
    if (line.bit(Field::Flags, bit)) line.flag(option, line.bit(Field::Invert, bit));
  };
  flag(0x08, "--physdev-is-in");
  if (line.bit(Field::Flags, 1))
    line.option("--physdev-in", device_text(line, Field::InDevice, Field::InDeviceMask),
                line.bit(Field::Invert, 1));
  flag(0x10, "--physdev-is-out");
  if (line.bit(Field::Flags, 2))
    line.option("--physdev-out", device_text(line, Field::OutDevice, Field::OutDeviceMask),
                line.bit(Field::Invert, 2));
  flag(0x04, "--physdev-is-bridged");
}

void dscp(Line& line) {
  line.option("--dscp", hex_text(line.number(Field::Value), 2), inverted(line));
}
void tos(Line& line) {
  line.option("--tos",
              hex_text(line.number(Field::Value), 2) + "/" + hex_text(line.number(Field::Mask), 2),
              inverted(line));
}
void ttl(Line& line) {
  const std::string name = line.blob().name() == "ttl" ? "--ttl" : "--hl";
  constexpr std::array kModes = {"-eq", "-eq", "-lt", "-gt"};
  const std::size_t mode = line.number(Field::Mode);
  line.option(name + (mode < kModes.size() ? kModes[mode] : "?"),
              std::to_string(line.number(Field::Value)), mode == 1);
}
void length(Line& line) {
  line.option("--length", range_text(line.number(Field::Min), line.number(Field::Max)),
              inverted(line));
}
void tcpmss(Line& line) {
  line.option("--mss", range_text(line.number(Field::Min), line.number(Field::Max)),
              inverted(line));
}

void statistic(Line& line) {
  constexpr double kWhole = 2147483648.0;
  const bool turned = line.bit(Field::Flags, 1);
  if (line.number(Field::Mode) == 0)
    line.option("--mode", "random")
        .option("--probability",
                fmt::format("{:.11f}", static_cast<double>(line.number(Field::Value)) / kWhole),
                turned);
  else
    line.option("--mode", "nth")
        .option("--every", std::to_string(line.number(Field::Every) + 1), turned)
        .option("--packet", std::to_string(line.number(Field::Phase)));
}

void connlimit(Line& line) {
  const IpAddress mask = line.blob().address(Field::Mask, line.family());
  const std::string bits = AddressMatch{mask, mask}.text();
  line.option(line.bit(Field::Flags, 1) ? "--connlimit-upto" : "--connlimit-above",
              std::to_string(line.number(Field::Most)))
      .option("--connlimit-mask", bits.substr(bits.rfind('/') + 1))
      .flag(line.bit(Field::Flags, 2) ? "--connlimit-daddr" : "--connlimit-saddr");
}

void connbytes(Line& line) {
  constexpr std::array kModes = {"packets", "bytes", "avgpkt"};
  constexpr std::array kDirections = {"original", "reply", "both"};
  const auto from = line.number(Field::From);
  const auto to = line.number(Field::To);
  const bool turned = from > to;
  std::string text = std::to_string(turned ? to : from);
  const auto end = turned ? from : to;
  if (end < 0xffffffffffffffff) text += ":" + std::to_string(end);
  const std::size_t mode = line.number(Field::What);
  const std::size_t direction = line.number(Field::Direction);
  line.option("--connbytes", text, turned)
      .option("--connbytes-mode", mode < kModes.size() ? kModes[mode] : "?")
      .option("--connbytes-dir", direction < kDirections.size() ? kDirections[direction] : "?");
}

void connlabel(Line& line) {
  line.option("--label", std::to_string(line.number(Field::Value)), line.bit(Field::Flags, 1));
  if (line.bit(Field::Flags, 2)) line.flag("--set");
}
void helper(Line& line) {
  line.option("--helper", quoted(line.blob().text(Field::Name)), inverted(line));
}
void devgroup(Line& line) {
  const auto group = [&](const char* option, unsigned bit, Field value, Field mask) {
    if (!line.bit(Field::Flags, bit)) return;
    std::string text = hex_text(line.number(value));
    if (line.number(mask) != 0xffffffff) text += "/" + hex_text(line.number(mask));
    line.option(option, text, line.bit(Field::Flags, bit << 1U));
  };
  group("--src-group", 1, Field::SourceAddress, Field::SourceMask);
  group("--dst-group", 4, Field::DestinationAddress, Field::DestinationMask);
}
void rpfilter(Line& line) {
  if (line.bit(Field::Flags, 1)) line.flag("--loose");
  if (line.bit(Field::Flags, 2)) line.flag("--validmark");
  if (line.bit(Field::Flags, 4)) line.flag("--accept-local");
  if (line.bit(Field::Flags, 8)) line.flag("--invert");
}
void socket(Line& line) {
  if (line.bit(Field::Flags, 1)) line.flag("--transparent");
  if (line.bit(Field::Flags, 2)) line.flag("--nowildcard");
  if (line.bit(Field::Flags, 4)) line.flag("--restore-skmark");
}

void cgroup(Line& line) {
  if (line.number(Field::HasPath) != 0)
    line.option("--path", line.blob().text(Field::Path), line.number(Field::InvertPath) != 0);
  else
    line.option("--cgroup", std::to_string(line.number(Field::ClassId)),
                line.number(Field::InvertClass) != 0);
}
void realm(Line& line) {
  std::string text = hex_text(line.number(Field::Value));
  if (line.number(Field::Mask) != 0xffffffff) text += "/" + hex_text(line.number(Field::Mask));
  line.option("--realm", text, inverted(line));
}
void cpu(Line& line) {
  line.option("--cpu", std::to_string(line.number(Field::Value)), inverted(line));
}
void quota(Line& line) {
  line.option("--quota", std::to_string(line.number(Field::Value)), line.bit(Field::Flags, 1));
}
void nfacct(Line& line) {
  line.option("--nfacct-name", line.blob().text(Field::Name));
}
void nothing(Line&) {}

constexpr std::array<std::pair<std::string_view, Write>, 25> kWriters = {{
    {"iprange", iprange},
    {"mac", mac},
    {"owner", owner},
    {"pkttype", pkttype},
    {"physdev", physdev},
    {"dscp", dscp},
    {"tos", tos},
    {"ttl", ttl},
    {"hl", ttl},
    {"length", length},
    {"tcpmss", tcpmss},
    {"statistic", statistic},
    {"connlimit", connlimit},
    {"connbytes", connbytes},
    {"connlabel", connlabel},
    {"helper", helper},
    {"devgroup", devgroup},
    {"rpfilter", rpfilter},
    {"socket", socket},
    {"cgroup", cgroup},
    {"realm", realm},
    {"cpu", cpu},
    {"quota", quota},
    {"nfacct", nfacct},
    {"eui64", nothing},
}};

}  // namespace

Write rare_match_writer(std::string_view name) {
  for (const auto& [known, write] : kWriters)
    if (known == name) return write;
  return nullptr;
}

}  // namespace hark::decode::xt
