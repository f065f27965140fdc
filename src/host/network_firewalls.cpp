// nf_tables, the old iptables, ipsets, conntrack, IPsec: all need CAP_NET_ADMIN over the namespace.
// What the kernel does not have at all is no gap.
#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "host/network_reader.h"
#include "host/rulesets.h"

namespace hark::host {
namespace {

constexpr std::array<const char*, 5> kTables = {"raw", "mangle", "nat", "filter", "security"};
/// struct ipt_getinfo of linux/netfilter_ipv4/ip_tables.h
constexpr std::size_t kTableInfo = 84;

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
    for (const char* name : kTables) {
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

}  // namespace

void read_firewalls(const NetworkReading& reading) {
  read_nftables(reading);
  read_legacy(reading);
  read_connections(reading);
  read_xfrm(reading);
}

}  // namespace hark::host
