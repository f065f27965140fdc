#include "reach/nft_fields.h"

#include <fmt/format.h>

#include <vector>

#include "base/text.h"

namespace hark::reach::ruletext {
namespace {

namespace nft = decode::nft;

constexpr HeaderField kEther[] = {{"daddr", 0, 48, Show::Ether},
                                  {"saddr", 48, 48, Show::Ether},
                                  {"type", 96, 16, Show::EtherType}};
/// Its bits are counted from the begin of the Ethernet header.
constexpr HeaderField kVlan[] = {
    {"pcp", 112, 3}, {"dei", 115, 1}, {"id", 116, 12}, {"type", 128, 16, Show::EtherType}};
constexpr HeaderField kArp[] = {{"htype", 0, 16},
                                {"ptype", 16, 16, Show::EtherType},
                                {"hlen", 32, 8},
                                {"plen", 40, 8},
                                {"operation", 48, 16, Show::ArpOp},
                                {"saddr ether", 64, 48, Show::Ether},
                                {"saddr ip", 112, 32, Show::Ipv4},
                                {"daddr ether", 144, 48, Show::Ether},
                                {"daddr ip", 192, 32, Show::Ipv4}};
constexpr HeaderField kIp[] = {{"version", 0, 4},
                               {"hdrlength", 4, 4},
                               {"dscp", 8, 6, Show::Dscp},
                               {"ecn", 14, 2, Show::Ecn},
                               {"length", 16, 16},
                               {"id", 32, 16},
                               {"frag-off", 48, 16},
                               {"ttl", 64, 8},
                               {"protocol", 72, 8, Show::Protocol},
                               {"checksum", 80, 16},
                               {"saddr", 96, 32, Show::Ipv4},
                               {"daddr", 128, 32, Show::Ipv4}};
constexpr HeaderField kIp6[] = {{"version", 0, 4},
                                {"dscp", 4, 6, Show::Dscp},
                                {"ecn", 10, 2, Show::Ecn},
                                {"flowlabel", 12, 20},
                                {"length", 32, 16},
                                {"nexthdr", 48, 8, Show::Protocol},
                                {"hoplimit", 56, 8},
                                {"saddr", 64, 128, Show::Ipv6},
                                {"daddr", 192, 128, Show::Ipv6}};
constexpr HeaderField kPorts[] = {{"sport", 0, 16}, {"dport", 16, 16}};
constexpr HeaderField kTcp[] = {{"sport", 0, 16},
                                {"dport", 16, 16},
                                {"sequence", 32, 32},
                                {"ackseq", 64, 32},
                                {"doff", 96, 4},
                                {"reserved", 100, 4},
                                {"flags", 104, 8, Show::TcpFlags},
                                {"window", 112, 16},
                                {"checksum", 128, 16},
                                {"urgptr", 144, 16}};
constexpr HeaderField kUdp[] = {
    {"sport", 0, 16}, {"dport", 16, 16}, {"length", 32, 16}, {"checksum", 48, 16}};
constexpr HeaderField kUdplite[] = {
    {"sport", 0, 16}, {"dport", 16, 16}, {"csumcov", 32, 16}, {"checksum", 48, 16}};
constexpr HeaderField kDccp[] = {
    {"sport", 0, 16}, {"dport", 16, 16}, {"type", 67, 4, Show::DccpType}};
constexpr HeaderField kSctp[] = {
    {"sport", 0, 16}, {"dport", 16, 16}, {"vtag", 32, 32}, {"checksum", 64, 32}};
constexpr HeaderField kIcmp[] = {{"type", 0, 8, Show::IcmpType},
                                 {"code", 8, 8, Show::IcmpCode},
                                 {"checksum", 16, 16},
                                 {"id", 32, 16},
                                 {"sequence", 48, 16}};
constexpr HeaderField kIcmpUnreachable[] = {{"type", 0, 8, Show::IcmpType},
                                            {"code", 8, 8, Show::IcmpCode},
                                            {"checksum", 16, 16},
                                            {"mtu", 48, 16}};
constexpr HeaderField kIcmpRedirect[] = {{"type", 0, 8, Show::IcmpType},
                                         {"code", 8, 8, Show::IcmpCode},
                                         {"checksum", 16, 16},
                                         {"gateway", 32, 32}};
constexpr HeaderField kIcmpv6TooBig[] = {{"type", 0, 8, Show::Icmpv6Type},
                                         {"code", 8, 8, Show::Icmpv6Code},
                                         {"checksum", 16, 16},
                                         {"mtu", 32, 32}};
constexpr HeaderField kIcmpv6Problem[] = {{"type", 0, 8, Show::Icmpv6Type},
                                          {"code", 8, 8, Show::Icmpv6Code},
                                          {"checksum", 16, 16},
                                          {"parameter-problem", 32, 32}};
constexpr HeaderField kIcmpv6[] = {{"type", 0, 8, Show::Icmpv6Type},
                                   {"code", 8, 8, Show::Icmpv6Code},
                                   {"checksum", 16, 16},
                                   {"id", 32, 16},
                                   {"sequence", 48, 16},
                                   {"parameter-problem", 32, 32}};
constexpr HeaderField kIgmp[] = {{"type", 0, 8, Show::IgmpType},
                                 {"mrt", 8, 8},
                                 {"checksum", 16, 16},
                                 {"group", 32, 32, Show::Ipv4}};
constexpr HeaderField kAh[] = {{"nexthdr", 0, 8, Show::Protocol},
                               {"hdrlength", 8, 8},
                               {"reserved", 16, 16},
                               {"spi", 32, 32},
                               {"sequence", 64, 32}};
constexpr HeaderField kEsp[] = {{"spi", 0, 32}, {"sequence", 32, 32}};
constexpr HeaderField kComp[] = {
    {"nexthdr", 0, 8, Show::Protocol}, {"flags", 8, 8, Show::Hex}, {"cpi", 16, 16}};

constexpr Header kEtherHeader = {"ether", Layer::Link, 0, kEther};
constexpr Header kVlanHeader = {"vlan", Layer::Link, kEtherVlan, kVlan};
constexpr Header kAnyTransport = {"th", Layer::Transport, 0, kPorts};
constexpr Header kHeaders[] = {
    {"ip", Layer::Network, kEtherIp, kIp},
    {"ip6", Layer::Network, kEtherIp6, kIp6},
    {"arp", Layer::Network, kEtherArp, kArp},
    {"tcp", Layer::Transport, kProtocolTcp, kTcp},
    {"udp", Layer::Transport, 17, kUdp},
    {"udplite", Layer::Transport, 136, kUdplite},
    {"dccp", Layer::Transport, 33, kDccp},
    {"sctp", Layer::Transport, 132, kSctp},
    {"icmp", Layer::Transport, kProtocolIcmp, kIcmp},
    {"icmpv6", Layer::Transport, kProtocolIcmpv6, kIcmpv6},
    {"igmp", Layer::Transport, 2, kIgmp},
    {"ah", Layer::Transport, 51, kAh},
    {"esp", Layer::Transport, 50, kEsp},
    {"comp", Layer::Transport, 108, kComp},
};

struct IcmpHeader {
  std::uint32_t type;
  Header header;
};
constexpr IcmpHeader kIcmpHeaders[] = {
    {3, {"icmp", Layer::Transport, kProtocolIcmp, kIcmpUnreachable}},
    {5, {"icmp", Layer::Transport, kProtocolIcmp, kIcmpRedirect}},
    {2, {"icmpv6", Layer::Transport, kProtocolIcmpv6, kIcmpv6TooBig}},
    {4, {"icmpv6", Layer::Transport, kProtocolIcmpv6, kIcmpv6Problem}},
};

// Extension headers of IPv6, options of TCP and IPv4, chunks of SCTP.
constexpr HeaderField kHopByHop[] = {{"nexthdr", 0, 8, Show::Protocol}, {"hdrlength", 8, 8}};
constexpr HeaderField kRouting[] = {
    {"nexthdr", 0, 8, Show::Protocol}, {"hdrlength", 8, 8}, {"type", 16, 8}, {"seg-left", 24, 8}};
constexpr HeaderField kFragment[] = {{"nexthdr", 0, 8, Show::Protocol},
                                     {"reserved", 8, 8},
                                     {"frag-off", 16, 13},
                                     {"reserved2", 29, 2},
                                     {"more-fragments", 31, 1},
                                     {"id", 32, 32}};
constexpr HeaderField kMobility[] = {{"nexthdr", 0, 8, Show::Protocol},
                                     {"hdrlength", 8, 8},
                                     {"type", 16, 8, Show::MhType},
                                     {"reserved", 24, 8},
                                     {"checksum", 32, 16}};
constexpr HeaderField kOption[] = {{"kind", 0, 8}, {"length", 8, 8}};
constexpr HeaderField kMaxseg[] = {{"kind", 0, 8}, {"length", 8, 8}, {"size", 16, 16}};
constexpr HeaderField kWindow[] = {{"kind", 0, 8}, {"length", 8, 8}, {"count", 16, 8}};
constexpr HeaderField kSack[] = {
    {"kind", 0, 8}, {"length", 8, 8}, {"left", 16, 32}, {"right", 48, 32}};
constexpr HeaderField kTimestamp[] = {
    {"kind", 0, 8}, {"length", 8, 8}, {"tsval", 16, 32}, {"tsecr", 48, 32}};
constexpr HeaderField kMptcp[] = {{"kind", 0, 8}, {"length", 8, 8}, {"subtype", 16, 4}};
constexpr HeaderField kIpOption[] = {
    {"type", 0, 8}, {"length", 8, 8}, {"ptr", 16, 8}, {"addr", 24, 32, Show::Ipv4}};
constexpr HeaderField kChunk[] = {{"type", 0, 8}, {"flags", 8, 8}, {"length", 16, 16}};
constexpr HeaderField kDataChunk[] = {{"type", 0, 8},  {"flags", 8, 8},    {"length", 16, 16},
                                      {"tsn", 32, 32}, {"stream", 64, 16}, {"ssn", 80, 16},
                                      {"ppid", 96, 32}};

struct Extension {
  nft::ExthdrOp op;
  std::uint8_t type;
  std::string_view name;
  std::span<const HeaderField> fields;
};
constexpr Extension kExtensions[] = {
    {nft::ExthdrOp::Ipv6, 0, "hbh", kHopByHop},
    {nft::ExthdrOp::Ipv6, 43, "rt", kRouting},
    {nft::ExthdrOp::Ipv6, 44, "frag", kFragment},
    {nft::ExthdrOp::Ipv6, 60, "dst", kHopByHop},
    {nft::ExthdrOp::Ipv6, 135, "mh", kMobility},
    {nft::ExthdrOp::TcpOption, 0, "eol", kOption},
    {nft::ExthdrOp::TcpOption, 1, "nop", kOption},
    {nft::ExthdrOp::TcpOption, 2, "maxseg", kMaxseg},
    {nft::ExthdrOp::TcpOption, 3, "window", kWindow},
    {nft::ExthdrOp::TcpOption, 4, "sack-perm", kOption},
    {nft::ExthdrOp::TcpOption, 5, "sack", kSack},
    {nft::ExthdrOp::TcpOption, 8, "timestamp", kTimestamp},
    {nft::ExthdrOp::TcpOption, 19, "md5sig", kOption},
    {nft::ExthdrOp::TcpOption, 30, "mptcp", kMptcp},
    {nft::ExthdrOp::TcpOption, 34, "fastopen", kOption},
    {nft::ExthdrOp::Ipv4, 7, "rr", kIpOption},
    {nft::ExthdrOp::Ipv4, 131, "lsrr", kIpOption},
    {nft::ExthdrOp::Ipv4, 137, "ssrr", kIpOption},
    {nft::ExthdrOp::Ipv4, 148, "ra", kIpOption},
    {nft::ExthdrOp::Sctp, 0, "data", kDataChunk},
    {nft::ExthdrOp::Sctp, 1, "init", kChunk},
    {nft::ExthdrOp::Sctp, 2, "init-ack", kChunk},
    {nft::ExthdrOp::Sctp, 3, "sack", kChunk},
    {nft::ExthdrOp::Sctp, 4, "heartbeat", kChunk},
    {nft::ExthdrOp::Sctp, 5, "heartbeat-ack", kChunk},
    {nft::ExthdrOp::Sctp, 6, "abort", kChunk},
    {nft::ExthdrOp::Sctp, 7, "shutdown", kChunk},
    {nft::ExthdrOp::Sctp, 8, "shutdown-ack", kChunk},
    {nft::ExthdrOp::Sctp, 9, "error", kChunk},
    {nft::ExthdrOp::Sctp, 10, "cookie-echo", kChunk},
    {nft::ExthdrOp::Sctp, 11, "cookie-ack", kChunk},
    {nft::ExthdrOp::Sctp, 12, "ecne", kChunk},
    {nft::ExthdrOp::Sctp, 13, "cwr", kChunk},
    {nft::ExthdrOp::Sctp, 14, "shutdown-complete", kChunk},
    {nft::ExthdrOp::Sctp, 0x80, "asconf-ack", kChunk},
    {nft::ExthdrOp::Sctp, 0xc0, "forward-tsn", kChunk},
    {nft::ExthdrOp::Sctp, 0xc1, "asconf", kChunk},
};
/// What stands before the name, by operation.
constexpr std::string_view kExtensionKinds[] = {"", "tcp option ", "ip option ", "sctp chunk ",
                                                "dccp option "};

const Extension* find_extension(const nft::Exthdr& exthdr) {
  for (const Extension& extension : kExtensions) {
    const bool same = static_cast<std::uint32_t>(extension.op) == exthdr.op;
    if (same && extension.type == exthdr.type) return &extension;
  }
  return nullptr;
}

std::string extension_name(const nft::Exthdr& exthdr) {
  const Extension* known = find_extension(exthdr);
  const std::string_view kind =
      exthdr.op < std::size(kExtensionKinds) ? kExtensionKinds[exthdr.op] : "?";
  const std::string name =
      known != nullptr ? std::string(known->name) : std::to_string(exthdr.type);
  return std::string(kind) + name;
}

struct MetaShow {
  nft::MetaKey key;
  Show show;
  bool host_order = true;
  bool bare = false;  ///< without "meta" before it
};
constexpr MetaShow kMetaShows[] = {
    {nft::MetaKey::Protocol, Show::EtherType, false},
    {nft::MetaKey::Priority, Show::Classid},
    {nft::MetaKey::Mark, Show::Mark},
    {nft::MetaKey::Iif, Show::Ifindex, true, true},
    {nft::MetaKey::Oif, Show::Ifindex, true, true},
    {nft::MetaKey::Iifname, Show::Ifname, true, true},
    {nft::MetaKey::Oifname, Show::Ifname, true, true},
    {nft::MetaKey::Iiftype, Show::IfaceType},
    {nft::MetaKey::Oiftype, Show::IfaceType},
    {nft::MetaKey::Nfproto, Show::Nfproto},
    {nft::MetaKey::L4proto, Show::Protocol, false},
    {nft::MetaKey::BridgeIifname, Show::Ifname},
    {nft::MetaKey::BridgeOifname, Show::Ifname},
    {nft::MetaKey::Pkttype, Show::PacketType},
    {nft::MetaKey::Iifgroup, Show::Group, true, true},
    {nft::MetaKey::Oifgroup, Show::Group, true, true},
    {nft::MetaKey::Prandom, Show::Decimal, false},
    {nft::MetaKey::Secpath, Show::Exists},
    {nft::MetaKey::Iifkind, Show::Ifname},
    {nft::MetaKey::Oifkind, Show::Ifname},
    {nft::MetaKey::BridgeVlanProtocol, Show::EtherType, false},
    {nft::MetaKey::Time, Show::Date},
    {nft::MetaKey::Day, Show::Day},
    {nft::MetaKey::Hour, Show::Hour},
    {nft::MetaKey::Sdif, Show::Ifindex},
    {nft::MetaKey::Sdifname, Show::Ifname},
    {nft::MetaKey::BridgeMac, Show::Ether, false},
};

struct CtShow {
  nft::CtKey key;
  Show show;
  bool host_order = true;
};
constexpr CtShow kCtShows[] = {
    {nft::CtKey::State, Show::CtState},
    {nft::CtKey::Direction, Show::CtDirection},
    {nft::CtKey::Status, Show::CtStatus},
    {nft::CtKey::Mark, Show::Mark},
    {nft::CtKey::Expiration, Show::Milliseconds},
    {nft::CtKey::Helper, Show::String},
    {nft::CtKey::L3protocol, Show::Nfproto},
    {nft::CtKey::Source, Show::Ipv4, false},
    {nft::CtKey::Destination, Show::Ipv4, false},
    {nft::CtKey::Protocol, Show::Protocol, false},
    {nft::CtKey::SourcePort, Show::Decimal, false},
    {nft::CtKey::DestinationPort, Show::Decimal, false},
    {nft::CtKey::Labels, Show::CtLabel},
    {nft::CtKey::EventMask, Show::CtEvent},
    {nft::CtKey::SourceIp, Show::Ipv4, false},
    {nft::CtKey::DestinationIp, Show::Ipv4, false},
    {nft::CtKey::SourceIp6, Show::Ipv6, false},
    {nft::CtKey::DestinationIp6, Show::Ipv6, false},
    {nft::CtKey::Id, Show::Decimal, false},
};

std::string or_number(const char* name, std::uint32_t key) {
  return name != nullptr ? std::string(name) : std::to_string(key);
}

}  // namespace

const Header* find_header(Layer layer, std::uint32_t number) {
  for (const Header& header : kHeaders) {
    if (header.layer == layer && header.number == number) return &header;
  }
  return nullptr;
}
const Header* find_icmp_header(std::uint32_t number, std::uint32_t type) {
  for (const IcmpHeader& icmp : kIcmpHeaders) {
    if (icmp.type == type && icmp.header.number == number) return &icmp.header;
  }
  return nullptr;
}
const Header& any_transport() {
  return kAnyTransport;
}
const Header& ether_header() {
  return kEtherHeader;
}
const Header& vlan_header() {
  return kVlanHeader;
}

KeyWords words_of(const nft::Meta& meta) {
  const std::string name = or_number(nft::meta_key_name(meta.key), meta.key);
  for (const MetaShow& known : kMetaShows) {
    if (static_cast<std::uint32_t>(known.key) != meta.key) continue;
    return {known.bare ? name : "meta " + name, known.show, known.host_order};
  }
  return {"meta " + name, Show::Decimal, true};
}

KeyWords words_of(const nft::Ct& ct) {
  // The kernel tells a direction of the protocol as well; nft does not print it.
  const bool protocol = ct.key == static_cast<std::uint32_t>(nft::CtKey::Protocol);
  const char* direction = !ct.direction || protocol ? ""
                          : *ct.direction == 0      ? "original "
                                                    : "reply ";
  const std::string words =
      std::string("ct ") + direction + or_number(nft::ct_key_name(ct.key), ct.key);
  for (const CtShow& known : kCtShows) {
    if (static_cast<std::uint32_t>(known.key) != ct.key) continue;
    return {words, known.show, known.host_order};
  }
  return {words, Show::Decimal, true};
}

KeyWords words_of(const nft::Fib& fib) {
  struct Flag {
    std::uint32_t bit;
    const char* name;
  };
  constexpr Flag kFlags[] = {{nft::kFibSource, "saddr"},
                             {nft::kFibDestination, "daddr"},
                             {nft::kFibMark, "mark"},
                             {nft::kFibIif, "iif"},
                             {nft::kFibOif, "oif"}};
  std::vector<std::string> flags;
  for (const Flag& flag : kFlags) {
    if ((fib.flags & flag.bit) != 0) flags.emplace_back(flag.name);
  }
  const std::string words =
      "fib " + join(flags, " . ") + ' ' + or_number(nft::fib_result_name(fib.result), fib.result);
  if ((fib.flags & nft::kFibPresent) != 0) return {words, Show::Exists, true};
  if (fib.result == static_cast<std::uint32_t>(nft::FibResult::Oif)) {
    return {words, Show::Ifindex, true};
  }
  if (fib.result == static_cast<std::uint32_t>(nft::FibResult::Oifname)) {
    return {words, Show::Ifname, true};
  }
  return {words, Show::FibType, true};
}

KeyWords words_of(const nft::Rt& rt) {
  constexpr Show kShows[] = {Show::Decimal, Show::Ipv4, Show::Ipv6, Show::Decimal, Show::Exists};
  const std::string words = "rt " + or_number(nft::rt_key_name(rt.key), rt.key);
  const bool address = rt.key == static_cast<std::uint32_t>(nft::RtKey::Nexthop4) ||
                       rt.key == static_cast<std::uint32_t>(nft::RtKey::Nexthop6);
  return {words, rt.key < std::size(kShows) ? kShows[rt.key] : Show::Decimal, !address};
}

KeyWords words_of(const nft::Socket& socket) {
  std::string words = "socket " + or_number(nft::socket_key_name(socket.key), socket.key);
  if (socket.key == static_cast<std::uint32_t>(nft::SocketKey::CgroupV2)) {
    words += " level " + std::to_string(socket.level);
  }
  const bool mark = socket.key == static_cast<std::uint32_t>(nft::SocketKey::Mark);
  return {words, mark ? Show::Mark : Show::Decimal, true};
}

KeyWords words_of(const nft::Osf& osf) {
  constexpr const char* kTtls[] = {"", "ttl loose ", "ttl skip "};
  const char* ttl = osf.ttl < std::size(kTtls) ? kTtls[osf.ttl] : "ttl ? ";
  return {std::string("osf ") + ttl + (osf.version ? "version" : "name"), Show::String, true};
}

KeyWords words_of(const nft::Xfrm& xfrm) {
  struct Key {
    const char* name;
    Show show;
    bool host_order;
  };
  constexpr Key kKeys[] = {{"?", Show::Hex, true},           {"ip daddr", Show::Ipv4, false},
                           {"ip6 daddr", Show::Ipv6, false}, {"ip saddr", Show::Ipv4, false},
                           {"ip6 saddr", Show::Ipv6, false}, {"reqid", Show::Decimal, true},
                           {"spi", Show::Decimal, false}};
  const Key& key = kKeys[xfrm.key < std::size(kKeys) ? xfrm.key : 0];
  const std::string number = xfrm.number == 0 ? "" : fmt::format("spnum {} ", xfrm.number);
  return {fmt::format("ipsec {} {}{}", xfrm.direction == 0 ? "in" : "out", number, key.name),
          key.show, key.host_order};
}

KeyWords words_of(const nft::Exthdr& exthdr) {
  const bool ipv6 = exthdr.op == static_cast<std::uint32_t>(nft::ExthdrOp::Ipv6);
  return {(ipv6 ? "exthdr " : "") + extension_name(exthdr), Show::Exists, true};
}

std::optional<KeyWords> field_of(const nft::Exthdr& exthdr, std::uint32_t first,
                                 std::uint32_t bits) {
  const Extension* extension = find_extension(exthdr);
  if (extension == nullptr) return std::nullopt;
  for (const HeaderField& field : extension->fields) {
    if (field.offset != first || field.bits != bits) continue;
    return KeyWords{extension_name(exthdr) + ' ' + std::string(field.name), field.show, false};
  }
  return std::nullopt;
}

}  // namespace hark::reach::ruletext
