#include "decode/nft_keys.h"

#include <array>
#include <cstddef>

#include "decode/nft_ruleset.h"

namespace hark::decode::nft {
namespace {

constexpr std::array<const char*, 38> kMetaKeys = {
    "length",  "protocol", "priority", "mark",    "iif",     "oif",       "iifname",  "oifname",
    "iiftype", "oiftype",  "skuid",    "skgid",   "nftrace", "rtclassid", "secmark",  "nfproto",
    "l4proto", "ibrname",  "obrname",  "pkttype", "cpu",     "iifgroup",  "oifgroup", "cgroup",
    "random",  "ipsec",    "iifkind",  "oifkind", "ibrpvid", "ibrvproto", "time",     "day",
    "hour",    "sdif",     "sdifname", "broute",  nullptr,   "ibrhwaddr",
};
constexpr std::array<const char*, 24> kCtKeys = {
    "state",     "direction", "status",   "mark",      "secmark",   "expiration",
    "helper",    "l3proto",   "saddr",    "daddr",     "protocol",  "proto-src",
    "proto-dst", "label",     "packets",  "bytes",     "avgpkt",    "zone",
    "event",     "ip saddr",  "ip daddr", "ip6 saddr", "ip6 daddr", "id",
};
constexpr std::array<const char*, 5> kRtKeys = {"classid", "ip nexthop", "ip6 nexthop", "mtu",
                                                "ipsec"};
constexpr std::array<const char*, 4> kSocketKeys = {"transparent", "mark", "wildcard", "cgroupv2"};
constexpr std::array<const char*, 4> kFibResults = {nullptr, "oif", "oifname", "type"};
constexpr std::array<const char*, 11> kObjectTypes = {
    nullptr,  "counter",    "quota",   "ct helper",      "limit",   "ct count",
    "tunnel", "ct timeout", "secmark", "ct expectation", "synproxy"};
constexpr std::array<const char*, 47> kDataTypes = {
    nullptr,      "verdict",      "nf_proto",     "bitmask",     "integer",      "string",
    "ll_addr",    "ipv4_addr",    "ipv6_addr",    "ether_addr",  "ether_type",   "arp_op",
    "inet_proto", "inet_service", "icmp_type",    "tcp_flag",    "dccp_pkttype", "mh_type",
    "time",       "mark",         "iface_index",  "iface_type",  "realm",        "classid",
    "uid",        "gid",          "ct_state",     "ct_dir",      "ct_status",    "icmpv6_type",
    "ct_label",   "pkt_type",     "icmp_code",    "icmpv6_code", "icmpx_code",   "devgroup",
    "dscp",       "ecn",          "fib_addrtype", "boolean",     "ct_event",     "ifname",
    "igmp_type",  "time",         "hour",         "day",         "cgroupsv2",
};

template <std::size_t size>
const char* look_up(const std::array<const char*, size>& names, std::uint32_t number) {
  return number < size ? names[number] : nullptr;
}

struct FamilyWords {
  TableFamily family;
  const char* name;
  std::array<const char*, 6> hooks;
};
constexpr std::array<const char*, 6> kInetHooks = {"prerouting", "input",       "forward",
                                                   "output",     "postrouting", nullptr};
constexpr std::array<FamilyWords, 6> kFamilies = {{
    {TableFamily::Inet,
     "inet",
     {"prerouting", "input", "forward", "output", "postrouting", "ingress"}},
    {TableFamily::Ip, "ip", kInetHooks},
    {TableFamily::Arp, "arp", {"input", "output", "forward", nullptr, nullptr, nullptr}},
    {TableFamily::Netdev, "netdev", {"ingress", "egress", nullptr, nullptr, nullptr, nullptr}},
    {TableFamily::Bridge, "bridge", kInetHooks},
    {TableFamily::Ip6, "ip6", kInetHooks},
}};
const FamilyWords* words_of(TableFamily family) {
  for (const FamilyWords& words : kFamilies) {
    if (words.family == family) return &words;
  }
  return nullptr;
}

constexpr std::uint32_t kTypeBits = 6;  // TYPE_BITS of nft's include/datatype.h

}  // namespace

const char* name_of(TableFamily family) {
  const FamilyWords* words = words_of(family);
  return words == nullptr ? "?" : words->name;
}
const char* hook_name(TableFamily family, std::uint32_t number) {
  const FamilyWords* words = words_of(family);
  return words == nullptr ? nullptr : look_up(words->hooks, number);
}

const char* meta_key_name(std::uint32_t key) {
  return look_up(kMetaKeys, key);
}
const char* ct_key_name(std::uint32_t key) {
  return look_up(kCtKeys, key);
}
const char* rt_key_name(std::uint32_t key) {
  return look_up(kRtKeys, key);
}
const char* socket_key_name(std::uint32_t key) {
  return look_up(kSocketKeys, key);
}
const char* fib_result_name(std::uint32_t result) {
  return look_up(kFibResults, result);
}
const char* object_type_name(std::uint32_t type) {
  return look_up(kObjectTypes, type);
}
const char* data_type_name(std::uint32_t type) {
  return look_up(kDataTypes, type);
}

std::string set_type_name(std::uint32_t type) {
  std::string out;
  for (; out.empty() || type != 0; type >>= kTypeBits) {
    const char* name = data_type_name(type & ((1U << kTypeBits) - 1));
    out = std::string(name == nullptr ? "?" : name) + (out.empty() ? "" : " . ") + out;
  }
  return out;
}

}  // namespace hark::decode::nft
