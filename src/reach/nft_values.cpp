#include "reach/nft_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "base/address.h"

namespace hark::reach::ruletext {
namespace {

using decode::nft::DataType;

struct Symbol {
  std::uint32_t value;
  std::string_view name;
};

// The names of nft's own tables: src/{proto,ct,meta,fib,datatype}.c there.
constexpr Symbol kEtherTypes[] = {
    {0x0800, "ip"}, {0x0806, "arp"}, {0x86dd, "ip6"}, {0x8100, "8021q"}, {0x88a8, "8021ad"}};
constexpr Symbol kArpOps[] = {{1, "request"},   {2, "reply"},   {3, "rrequest"}, {4, "rreply"},
                              {8, "inrequest"}, {9, "inreply"}, {10, "nak"}};
constexpr Symbol kProtocols[] = {
    {0, "ip"},          {1, "icmp"},       {2, "igmp"},        {4, "ipencap"},
    {6, "tcp"},         {17, "udp"},       {33, "dccp"},       {41, "ipv6"},
    {43, "ipv6-route"}, {44, "ipv6-frag"}, {47, "gre"},        {50, "esp"},
    {51, "ah"},         {58, "ipv6-icmp"}, {59, "ipv6-nonxt"}, {60, "ipv6-opts"},
    {88, "eigrp"},      {89, "ospf"},      {103, "pim"},       {108, "ipcomp"},
    {112, "vrrp"},      {115, "l2tp"},     {132, "sctp"},      {135, "mobility-header"},
    {136, "udplite"}};
constexpr Symbol kIcmpTypes[] = {{0, "echo-reply"},           {3, "destination-unreachable"},
                                 {4, "source-quench"},        {5, "redirect"},
                                 {8, "echo-request"},         {9, "router-advertisement"},
                                 {10, "router-solicitation"}, {11, "time-exceeded"},
                                 {12, "parameter-problem"},   {13, "timestamp-request"},
                                 {14, "timestamp-reply"},     {15, "info-request"},
                                 {16, "info-reply"},          {17, "address-mask-request"},
                                 {18, "address-mask-reply"}};
constexpr Symbol kIcmpCodes[] = {{0, "net-unreachable"},  {1, "host-unreachable"},
                                 {2, "prot-unreachable"}, {3, "port-unreachable"},
                                 {4, "frag-needed"},      {9, "net-prohibited"},
                                 {10, "host-prohibited"}, {13, "admin-prohibited"}};
constexpr Symbol kIcmpv6Types[] = {
    {1, "destination-unreachable"}, {2, "packet-too-big"},        {3, "time-exceeded"},
    {4, "parameter-problem"},       {128, "echo-request"},        {129, "echo-reply"},
    {130, "mld-listener-query"},    {131, "mld-listener-report"}, {132, "mld-listener-done"},
    {133, "nd-router-solicit"},     {134, "nd-router-advert"},    {135, "nd-neighbor-solicit"},
    {136, "nd-neighbor-advert"},    {137, "nd-redirect"},         {138, "router-renumbering"},
    {141, "ind-neighbor-solicit"},  {142, "ind-neighbor-advert"}, {143, "mld2-listener-report"}};
constexpr Symbol kIcmpv6Codes[] = {{0, "no-route"},         {1, "admin-prohibited"},
                                   {3, "addr-unreachable"}, {4, "port-unreachable"},
                                   {5, "policy-fail"},      {6, "reject-route"}};
constexpr Symbol kIcmpxCodes[] = {
    {0, "no-route"}, {1, "port-unreachable"}, {2, "host-unreachable"}, {3, "admin-prohibited"}};
constexpr Symbol kIgmpTypes[] = {{0x11, "membership-query"},
                                 {0x12, "membership-report-v1"},
                                 {0x16, "membership-report-v2"},
                                 {0x17, "leave-group"},
                                 {0x22, "membership-report-v3"}};
constexpr Symbol kMhTypes[] = {{0, "binding-refresh-request"},
                               {1, "home-test-init"},
                               {2, "careof-test-init"},
                               {3, "home-test"},
                               {4, "careof-test"},
                               {5, "binding-update"},
                               {6, "binding-acknowledgement"},
                               {7, "binding-error"},
                               {8, "fast-binding-update"},
                               {9, "fast-binding-acknowledgement"},
                               {10, "fast-binding-advertisement"},
                               {11, "experimental-mobility-header"},
                               {12, "home-agent-switch-message"}};
constexpr Symbol kDccpTypes[] = {{0, "request"}, {1, "response"}, {2, "data"},  {3, "ack"},
                                 {4, "dataack"}, {5, "closereq"}, {6, "close"}, {7, "reset"},
                                 {8, "sync"},    {9, "syncack"}};
constexpr Symbol kTcpFlags[] = {{1, "fin"},    {2, "syn"},    {4, "rst"},    {8, "psh"},
                                {0x10, "ack"}, {0x20, "urg"}, {0x40, "ecn"}, {0x80, "cwr"}};
constexpr Symbol kIfaceTypes[] = {{1, "ether"},      {512, "ppp"}, {768, "ipip"}, {769, "ipip6"},
                                  {772, "loopback"}, {776, "sit"}, {778, "ipgre"}};
constexpr Symbol kGroups[] = {{0, "default"}};
constexpr Symbol kCtStates[] = {
    {1, "invalid"}, {2, "established"}, {4, "related"}, {8, "new"}, {64, "untracked"}};
constexpr Symbol kCtStatuses[] = {{1, "expected"},  {2, "seen-reply"}, {4, "assured"},
                                  {8, "confirmed"}, {16, "snat"},      {32, "dnat"},
                                  {512, "dying"}};
constexpr Symbol kCtDirections[] = {{0, "original"}, {1, "reply"}};
constexpr Symbol kCtEvents[] = {{1, "new"},      {2, "related"},    {4, "destroy"}, {8, "reply"},
                                {16, "assured"}, {32, "protoinfo"}, {64, "helper"}, {128, "mark"},
                                {256, "seqadj"}, {512, "secmark"},  {1024, "label"}};
constexpr Symbol kNfprotos[] = {{2, "ipv4"}, {10, "ipv6"}};
constexpr Symbol kPacketTypes[] = {{0, "host"}, {1, "broadcast"}, {2, "multicast"}, {3, "other"}};
constexpr Symbol kDscps[] = {{0, "cs0"},   {8, "cs1"},   {16, "cs2"},  {24, "cs3"},  {32, "cs4"},
                             {40, "cs5"},  {48, "cs6"},  {56, "cs7"},  {1, "lephb"}, {10, "af11"},
                             {12, "af12"}, {14, "af13"}, {18, "af21"}, {20, "af22"}, {22, "af23"},
                             {26, "af31"}, {28, "af32"}, {30, "af33"}, {34, "af41"}, {36, "af42"},
                             {38, "af43"}, {44, "va"},   {46, "ef"}};
constexpr Symbol kEcns[] = {{0, "not-ect"}, {1, "ect1"}, {2, "ect0"}, {3, "ce"}};
constexpr Symbol kFibTypes[] = {{0, "unspec"},    {1, "unicast"},     {2, "local"},
                                {3, "broadcast"}, {4, "anycast"},     {5, "multicast"},
                                {6, "blackhole"}, {7, "unreachable"}, {8, "prohibit"}};
constexpr Symbol kDays[] = {{0, "Sunday"},   {1, "Monday"}, {2, "Tuesday"}, {3, "Wednesday"},
                            {4, "Thursday"}, {5, "Friday"}, {6, "Saturday"}};
constexpr Symbol kExists[] = {{0, "missing"}, {1, "exists"}};
constexpr Symbol kClassids[] = {{0, "none"}, {0xffffffff, "root"}};

/// How the number is written where it has no name.
enum class Plain : std::uint8_t { Decimal, Hex, Hex2, Hex4, Hex8 };
enum class Kind : std::uint8_t { Number, Flags, QuotedNumber };
struct Words {
  Show show;
  std::span<const Symbol> names;
  Plain plain = Plain::Decimal;
  Kind kind = Kind::Number;
};
constexpr Words kWords[] = {
    {Show::Decimal, {}},
    {Show::Hex, {}, Plain::Hex},
    {Show::Exists, kExists},
    {Show::EtherType, kEtherTypes, Plain::Hex4},
    {Show::ArpOp, kArpOps},
    {Show::Protocol, kProtocols},
    {Show::IcmpType, kIcmpTypes},
    {Show::IcmpCode, kIcmpCodes},
    {Show::Icmpv6Type, kIcmpv6Types},
    {Show::Icmpv6Code, kIcmpv6Codes},
    {Show::IcmpxCode, kIcmpxCodes},
    {Show::IgmpType, kIgmpTypes},
    {Show::MhType, kMhTypes},
    {Show::DccpType, kDccpTypes},
    {Show::TcpFlags, kTcpFlags, Plain::Hex, Kind::Flags},
    {Show::Mark, {}, Plain::Hex8},
    {Show::IfaceType, kIfaceTypes},
    {Show::Group, kGroups, Plain::Decimal, Kind::QuotedNumber},
    {Show::CtState, kCtStates, Plain::Hex, Kind::Flags},
    {Show::CtStatus, kCtStatuses, Plain::Hex, Kind::Flags},
    {Show::CtDirection, kCtDirections},
    {Show::CtEvent, kCtEvents, Plain::Hex, Kind::Flags},
    {Show::Nfproto, kNfprotos},
    {Show::PacketType, kPacketTypes},
    {Show::Dscp, kDscps, Plain::Hex2},
    {Show::Ecn, kEcns},
    {Show::FibType, kFibTypes},
    {Show::Day, kDays, Plain::Decimal, Kind::QuotedNumber},
    {Show::Classid, kClassids},
};

const Words* words_for(Show show) {
  for (const Words& words : kWords) {
    if (words.show == show) return &words;
  }
  return nullptr;
}

std::string_view name_in(std::span<const Symbol> names, std::uint64_t value) {
  for (const Symbol& symbol : names) {
    if (symbol.value == value) return symbol.name;
  }
  return {};
}

std::string plain_text(Plain plain, std::uint64_t value) {
  switch (plain) {
    case Plain::Decimal:
      break;
    case Plain::Hex:
      return fmt::format("0x{:x}", value);
    case Plain::Hex2:
      return fmt::format("0x{:02x}", value);
    case Plain::Hex4:
      return fmt::format("0x{:04x}", value);
    case Plain::Hex8:
      return fmt::format("0x{:08x}", value);
  }
  return std::to_string(value);
}

std::string flags_text(std::span<const Symbol> names, std::uint64_t value) {
  if (value == 0) return "0x0";
  std::string out;
  for (std::uint64_t bit = 1; bit != 0 && bit <= value; bit <<= 1) {
    if ((value & bit) == 0) continue;
    const std::string_view name = name_in(names, bit);
    if (!out.empty()) out += ',';
    out += name.empty() ? fmt::format("0x{:x}", bit) : std::string(name);
  }
  return out;
}

/// Anything of up to 64 bytes in hexadecimal, without zeros in front.
std::string long_hex(ByteView value) {
  std::string out;
  for (const std::byte byte : value) out += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  const std::size_t first = out.find_first_not_of('0');
  return "0x" + (first == std::string::npos ? "0" : out.substr(first));
}

std::string address_text(Family family, ByteView value) {
  IpAddress address{.family = family};
  if (value.size() != address.bits() / 8) return long_hex(value);
  std::memcpy(address.bytes.data(), value.data(), value.size());
  return address.text();
}

std::string ether_text(ByteView value) {
  std::string out;
  for (const std::byte byte : value) {
    out += fmt::format("{}{:02x}", out.empty() ? "" : ":", std::to_integer<unsigned>(byte));
  }
  return out;
}

/// The number of the lowest bit that is set, as nft names labels that have no name.
std::string label_text(ByteView value) {
  constexpr unsigned kBits = 8;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto byte = std::to_integer<unsigned>(value[value.size() - 1 - i]);
    for (unsigned bit = 0; bit < kBits; ++bit) {
      if (byte == 1U << bit) return std::to_string(i * kBits + bit);
      if ((byte & 1U << bit) != 0) return long_hex(value);
    }
  }
  return "0x0";
}

constexpr std::uint64_t kMinute = 60;
constexpr std::uint64_t kHour = 60 * kMinute;
constexpr std::uint64_t kDay = 24 * kHour;

/// "2030-01-02 03:04:05" in UTC, of nanoseconds since 1970. Days to dates: H. Hinnant's
/// civil_from_days, for years from 1970 on.
std::string date_text(std::uint64_t nanoseconds) {
  const std::uint64_t seconds = nanoseconds / 1'000'000'000;
  const std::uint64_t z = seconds / kDay + 719468;
  const std::uint64_t era = z / 146097;
  const std::uint64_t doe = z % 146097;
  const std::uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const std::uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::uint64_t mp = (5 * doy + 2) / 153;
  const std::uint64_t day = doy - (153 * mp + 2) / 5 + 1;
  const std::uint64_t month = mp < 10 ? mp + 3 : mp - 9;
  const std::uint64_t year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  const std::uint64_t rest = seconds % kDay;
  return fmt::format("\"{:04}-{:02}-{:02} {:02}:{:02}:{:02}\"", year, month, day, rest / kHour,
                     rest % kHour / kMinute, rest % kMinute);
}

std::string hour_text(std::uint64_t seconds) {
  const std::uint64_t rest = seconds % kMinute;
  const std::string tail = rest == 0 ? "" : fmt::format(":{:02}", rest);
  return fmt::format("\"{:02}:{:02}{}\"", seconds / kHour % 24, seconds % kHour / kMinute, tail);
}

std::string classid_text(std::uint64_t value) {
  const std::string_view name = name_in(kClassids, value);
  if (!name.empty()) return std::string(name);
  return fmt::format("{:x}:{:x}", value >> 16U, value & 0xffffU);
}

std::string text_in(ByteView value) {
  const std::string_view all = as_text(value);
  return std::string(all.substr(0, all.find('\0')));
}

std::string named_text(const Words& words, ByteView value, bool numeric) {
  if (value.size() > sizeof(std::uint64_t)) {
    const auto zero = std::count(value.begin(), value.end(), std::byte{0});
    if (static_cast<std::size_t>(zero) != value.size()) return long_hex(value);
  }
  const std::uint64_t number = number_in(value);
  if (words.kind == Kind::Flags) return flags_text(words.names, number);
  const std::string_view name = numeric ? std::string_view{} : name_in(words.names, number);
  if (name.empty()) return plain_text(words.plain, number);
  return words.kind == Kind::QuotedNumber ? quoted(name) : std::string(name);
}

struct Typed {
  DataType type;
  Show show;
};
constexpr Typed kTypes[] = {
    {DataType::Nfproto, Show::Nfproto},
    {DataType::String, Show::String},
    {DataType::LinkAddress, Show::Ether},
    {DataType::Ipv4Address, Show::Ipv4},
    {DataType::Ipv6Address, Show::Ipv6},
    {DataType::EtherAddress, Show::Ether},
    {DataType::EtherType, Show::EtherType},
    {DataType::ArpOp, Show::ArpOp},
    {DataType::InetProtocol, Show::Protocol},
    {DataType::IcmpType, Show::IcmpType},
    {DataType::TcpFlag, Show::TcpFlags},
    {DataType::DccpPacketType, Show::DccpType},
    {DataType::MhType, Show::MhType},
    {DataType::Time, Show::Milliseconds},
    {DataType::Mark, Show::Mark},
    {DataType::Ifindex, Show::Ifindex},
    {DataType::IfaceType, Show::IfaceType},
    {DataType::Classid, Show::Classid},
    {DataType::CtState, Show::CtState},
    {DataType::CtDirection, Show::CtDirection},
    {DataType::CtStatus, Show::CtStatus},
    {DataType::Icmpv6Type, Show::Icmpv6Type},
    {DataType::CtLabel, Show::CtLabel},
    {DataType::PacketType, Show::PacketType},
    {DataType::IcmpCode, Show::IcmpCode},
    {DataType::Icmpv6Code, Show::Icmpv6Code},
    {DataType::IcmpxCode, Show::IcmpxCode},
    {DataType::DeviceGroup, Show::Group},
    {DataType::Dscp, Show::Dscp},
    {DataType::Ecn, Show::Ecn},
    {DataType::FibAddressType, Show::FibType},
    {DataType::Boolean, Show::Exists},
    {DataType::CtEvent, Show::CtEvent},
    {DataType::Ifname, Show::Ifname},
    {DataType::IgmpType, Show::IgmpType},
    {DataType::TimeDate, Show::Date},
    {DataType::TimeHour, Show::Hour},
    {DataType::TimeDay, Show::Day},
};

}  // namespace

Show show_of(DataType type) {
  for (const Typed& typed : kTypes) {
    if (typed.type == type) return typed.show;
  }
  return Show::Decimal;
}

bool is_flags(Show show) {
  if (show == Show::CtLabel) return true;
  const Words* words = words_for(show);
  return words != nullptr && words->kind == Kind::Flags;
}
bool has_prefixes(Show show) {
  return show == Show::Ipv4 || show == Show::Ipv6;
}
bool is_text(Show show) {
  return show == Show::String || show == Show::Ifname;
}

std::uint64_t number_in(ByteView big_endian) {
  std::uint64_t out = 0;
  const ByteView last = big_endian.last(std::min(big_endian.size(), sizeof out));
  for (const std::byte byte : last) out = out << 8U | std::to_integer<unsigned>(byte);
  return out;
}

std::string quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

std::string duration_text(std::uint64_t milliseconds) {
  struct Unit {
    std::uint64_t size;
    const char* name;
  };
  constexpr Unit kUnits[] = {
      {kDay * 1000, "d"}, {kHour * 1000, "h"}, {kMinute * 1000, "m"}, {1000, "s"}, {1, "ms"}};
  std::string out;
  for (const Unit& unit : kUnits) {
    if (milliseconds < unit.size) continue;
    out += std::to_string(milliseconds / unit.size) + unit.name;
    milliseconds %= unit.size;
  }
  return out.empty() ? "0s" : out;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"bytes", "kbytes", "mbytes"};
  constexpr std::uint64_t kStep = 1024;
  std::size_t unit = 0;
  while (bytes != 0 && bytes % kStep == 0 && unit + 1 < std::size(kUnits)) {
    bytes /= kStep;
    ++unit;
  }
  return std::to_string(bytes) + ' ' + kUnits[unit];
}

std::string_view protocol_name(std::uint32_t number) {
  return name_in(kProtocols, number);
}

std::string value_text(Show show, ByteView value, const LinkName& link_name, bool numeric) {
  if (const Words* words = words_for(show); words != nullptr && show != Show::Classid) {
    return named_text(*words, value, numeric);
  }
  if (show == Show::Ipv4) return address_text(Family::Inet, value);
  if (show == Show::Ipv6) return address_text(Family::Inet6, value);
  if (show == Show::Ether) return ether_text(value);
  if (show == Show::String) return quoted(text_in(value));
  if (show == Show::Ifname) return quoted(text_in(value));
  if (show == Show::CtLabel) return label_text(value);
  const std::uint64_t number = number_in(value);
  if (show == Show::Ifindex) {
    const std::string name = link_name ? link_name(static_cast<std::uint32_t>(number)) : "";
    return name.empty() ? std::to_string(number) : quoted(name);
  }
  if (show == Show::Classid) return classid_text(number);
  if (show == Show::Date) return date_text(number);
  if (show == Show::Hour) return hour_text(number);
  if (show == Show::Milliseconds) {
    return numeric ? std::to_string(number / 1000) + "s" : duration_text(number);
  }
  return long_hex(value);
}

}  // namespace hark::reach::ruletext
