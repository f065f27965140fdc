// nf_tables, the old iptables, ipsets, conntrack, IPsec: all need CAP_NET_ADMIN over the namespace,
// and IPVS, which everybody may read.
// What the kernel does not have at all is no gap.
#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "base/text.h"
#include "decode/ipset.h"
#include "host/network_reader.h"
#include "host/rulesets.h"

namespace hark::host {
namespace {

constexpr std::array<const char*, 5> kTables = {"raw", "mangle", "nat", "filter", "security"};
/// struct ipt_getinfo of linux/netfilter_ipv4/ip_tables.h
constexpr std::size_t kTableInfo = 84;

/// The tables that there are, a line each.
constexpr auto kTableNames = "/proc/net/ip_tables_names";
constexpr auto kTableNames6 = "/proc/net/ip6_tables_names";
/// Only where the module is.
constexpr auto kIpvs = "/proc/net/ip_vs";

bool has_line(std::string_view text, std::string_view line) {
  while (!text.empty()) {
    if (next_piece(text, '\n') == line) return true;
  }
  return false;
}

/// nfnetlink says EINVAL where it has no such subsystem (nfnetlink_rcv_msg).
bool says_no_subsystem(const Error& error) {
  return error.code == EINVAL || says_absent(error);
}

void read_nftables(const NetworkReading& reading) {
  auto ruleset = read_nft(reading.source, reading.netns);
  if (ruleset) {
    reading.network.nft = std::move(*ruleset);
  } else {
    note_unread(reading, NetworkFact::Nftables, "nftables", ruleset.error());
  }
}

void read_legacy(const NetworkReading& reading) {
  for (const Family family : {Family::Inet, Family::Inet6}) {
    const auto names = reading.source.read_net_file(
        reading.netns, family == Family::Inet ? kTableNames : kTableNames6);
    if (!names && says_absent(names.error())) continue;
    for (const char* name : kTables) {
      if (names && !has_line(as_text(*names), name)) continue;
      const auto table = reading.source.legacy_table(reading.netns, family, name);
      if (!table) {
        if (says_absent(table.error())) continue;
        note_unread(reading, NetworkFact::Legacy, table.error().what, table.error());
        break;  // what holds for one of them holds for all
      }
      const auto middle = static_cast<std::ptrdiff_t>(std::min(kTableInfo, table->size()));
      reading.network.legacy.push_back({.family = family,
                                        .name = name,
                                        .info = Bytes(table->begin(), table->begin() + middle),
                                        .entries = Bytes(table->begin() + middle, table->end())});
    }
  }
}

/// Does an expression of a rule ask a set of ipset?
bool asks_ipset(const decode::nft::Expression& expression) {
  const auto* match = std::get_if<decode::nft::XtMatch>(&expression.operation);
  const auto* target = std::get_if<decode::nft::XtTarget>(&expression.operation);
  return (match != nullptr && match->name == "set") || (target != nullptr && target->name == "SET");
}

/// Sets matter where a rule asks one, and a large one takes time to tell. In a legacy table the
/// name of the match is looked for, wherever it may stand.
bool asks_ipsets(const Network& network) {
  const bool nft = std::ranges::any_of(network.nft.rules, [](const decode::nft::Rule& rule) {
    return std::ranges::any_of(rule.expressions, asks_ipset);
  });
  return nft || std::ranges::any_of(network.legacy, [](const LegacyTable& table) {
           const std::string_view bytes = as_text(table.entries);
           return bytes.find(std::string_view("set\0", 4)) != std::string_view::npos ||
                  bytes.find(std::string_view("SET\0", 4)) != std::string_view::npos;
         });
}

void read_ip_sets(const NetworkReading& reading) {
  if (!asks_ipsets(reading.network)) return;
  const auto answer = reading.ask(kNetlinkNetfilter, decode::ipset_headers_request());
  const auto headers = answer ? decode::decode_ipset_headers(*answer)
                              : Result<std::vector<decode::IpSetHeader>>(fail(answer.error()));
  if (!headers) {
    if (says_no_subsystem(headers.error())) return;
    note_unread(reading, NetworkFact::IpSets, "ipsets", headers.error());
    return;
  }
  for (const decode::IpSetHeader& header : *headers) {
    auto elements = reading.ask(kNetlinkNetfilter, decode::ipset_elements_request(header.name));
    if (!elements) {
      if (elements.error().code == ENOENT) continue;  // gone since
      note_unread(reading, NetworkFact::IpSets, "ipset " + header.name, elements.error());
      continue;
    }
    reading.network.ip_sets.push_back({.name = header.name,
                                       .index = header.index.value_or(0),
                                       .type = header.type,
                                       .messages = std::move(*elements)});
  }
}

void read_connections(const NetworkReading& reading) {
  if (!reading.request.connection) return;
  const ConntrackQuery& query = *reading.request.connection;
  const auto answer = reading.ask(kNetlinkNetfilter, decode::conntrack_request(query));
  auto entries = answer ? decode::decode_conntrack(*answer, query)
                        : Result<std::vector<ConntrackEntry>>(fail(answer.error()));
  if (entries) {
    reading.network.conntrack = std::move(*entries);
  } else if (!says_no_subsystem(entries.error())) {
    note_unread(reading, NetworkFact::Conntrack, "connections that conntrack has", entries.error());
  }
}

void read_xfrm(const NetworkReading& reading) {
  const auto answer = reading.ask(kNetlinkXfrm, decode::xfrm_policies_request());
  auto policies = answer ? decode::decode_xfrm_policies(*answer)
                         : Result<std::vector<XfrmPolicy>>(fail(answer.error()));
  if (!policies) {
    if (says_absent(policies.error())) return;
    note_unread(reading, NetworkFact::Xfrm, "policies of IPsec", policies.error());
    return;
  }
  reading.network.xfrm = std::move(*policies);
  const auto told = reading.ask(kNetlinkXfrm, decode::xfrm_defaults_request());
  const auto defaults =
      told ? decode::decode_xfrm_defaults(*told) : Result<XfrmDefaults>(fail(told.error()));
  if (defaults) {
    reading.network.xfrm_defaults = *defaults;
  } else if (defaults.error().code != EINVAL) {  // Linux before 5.14 has none
    note_unread(reading, NetworkFact::Xfrm, "default policies of IPsec", defaults.error());
  }
}

/// Recordings from before this was asked are silent about it, as most hosts would be; where an
/// interface tells that there are services, they say that those are not known.
void read_ipvs(const NetworkReading& reading) {
  const auto text = reading.source.read_net_file(reading.netns, kIpvs);
  auto services =
      text ? decode::decode_ipvs(*text) : Result<std::vector<IpvsService>>(fail(text.error()));
  if (services) {
    reading.network.ipvs = std::move(*services);
    return;
  }
  const Error& error = services.error();
  const bool silent = error.code == 0 && error.why == "not recorded" &&
                      reading.network.link("kube-ipvs0") == nullptr;
  if (!silent && !says_absent(error)) note_unread(reading, NetworkFact::Ipvs, "IPVS", error);
}

}  // namespace

void read_firewalls(const NetworkReading& reading) {
  read_nftables(reading);
  read_legacy(reading);
  read_ip_sets(reading);
  read_connections(reading);
  read_xfrm(reading);
  read_ipvs(reading);
}

}  // namespace hark::host
