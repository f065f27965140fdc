// What decides in one network namespace where a packet goes: links, addresses, routes, rules,
// neighbours, settings, firewalls. Read by read_network(); const from there on.
//
// Whatever could not be read is empty and has its name in `unread`: who needs that fact must say
// `unknown`, and only then.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "decode/conntrack.h"
#include "decode/ipvs.h"
#include "decode/link_facts.h"
#include "decode/nft_ruleset.h"
#include "decode/route_messages.h"
#include "decode/xfrm_policies.h"
#include "host/host.h"
#include "host/service_facts.h"
#include "kernel/source.h"

namespace hark::host {

using InterfaceAddress = decode::AddressRecord;
using NextHop = decode::NextHop;
using Route = decode::RouteRecord;
using PolicyRule = decode::PolicyRule;
using Neighbour = decode::NeighbourRecord;
using NftRuleset = decode::nft::Ruleset;
using IpvsService = decode::IpvsService;
/// Is that in this set of nf_tables?
struct ElementQuestion {
  decode::nft::TableFamily family = decode::nft::TableFamily::Ip;
  std::string table;
  std::string set;
  Bytes key;
  bool operator==(const ElementQuestion&) const = default;
};

/// Settings of IPv4 of an interface, as they are set there; what counts is often the greater of
/// this and `all`: effective() of sysctls in reach decides. IPV4_DEVCONF_*, ip-sysctl.
struct Ipv4Settings {
  std::int32_t forwarding = 0;
  std::int32_t rp_filter = 0;
  std::int32_t accept_local = 0;
  std::int32_t route_localnet = 0;
  std::int32_t src_valid_mark = 0;
  std::int32_t arp_ignore = 0;
  std::int32_t arp_filter = 0;
  std::int32_t arp_accept = 0;
  std::int32_t proxy_arp = 0;
  std::int32_t proxy_arp_pvlan = 0;
  std::int32_t bc_forwarding = 0;
  std::int32_t ignore_routes_with_linkdown = 0;
  std::int32_t drop_unicast_in_l2_multicast = 0;
  bool operator==(const Ipv4Settings&) const = default;
};
/// DEVCONF_* of linux/ipv6.h
struct Ipv6Settings {
  std::int32_t disable_ipv6 = 0;
  std::int32_t forwarding = 0;
  std::int32_t proxy_ndp = 0;
  std::int32_t ignore_routes_with_linkdown = 0;
  std::int32_t drop_unsolicited_na = 0;
  std::int32_t force_forwarding = 0;
  bool operator==(const Ipv6Settings&) const = default;
};

/// Programs that see packets on a link before, or after, the rest of the kernel.
struct LinkProgram {
  std::string where;  ///< "xdp", "tc-ingress", "tcx-ingress", "tc-egress", "tcx-egress", "netkit"
  std::string kind;   ///< "bpf", or the tc classifier: "flower", "u32", "matchall" …
  std::uint32_t id = 0;     ///< of a BPF program; 0: not one, or not told
  std::string name = {};    ///< of the program, where it could be read
  std::string detail = {};  ///< in words, for a person
  /// It cannot stop a packet: a classifier without an action, a qdisc without filters.
  bool harmless = false;
  bool operator==(const LinkProgram&) const = default;
};

struct Link {
  std::uint32_t index = 0;
  std::string name;
  std::uint32_t flags = 0;  ///< IFF_*
  std::uint16_t type = 0;   ///< ARPHRD_*
  std::uint32_t mtu = 0;
  std::uint32_t group = 0;
  std::uint32_t master = 0;     ///< index of the bridge, bond, VRF it belongs to; 0: none
  std::string kind = {};        ///< "veth", "bridge", "vrf" …; empty: none told
  std::string slave_kind = {};  ///< "bridge", "bond", "vrf": of what it is a part
  Bytes mac = {};
  bool carrier = true;
  std::uint8_t operstate = 0;                   ///< IF_OPER_*
  std::optional<std::uint8_t> port_state = {};  ///< BR_STATE_* of a bridge port
  std::uint32_t vrf_table = 0;                  ///< of a VRF
  std::uint32_t peer = 0;                       ///< IFLA_LINK
  std::optional<std::int32_t> peer_netns = {};  ///< IFLA_LINK_NETNSID
  std::optional<Ipv4Settings> ipv4 = {};        ///< empty: IPv4 is off here, or it was not told
  std::optional<Ipv6Settings> ipv6 = {};
  std::vector<LinkProgram> programs = {};
  std::optional<std::uint8_t> bond_state = {};  ///< BOND_STATE_*: 0 active, 1 backup
  std::uint16_t vlan_id = 0;                    ///< of a VLAN; 0: none
  std::uint16_t vlan_protocol = 0;              ///< ETH_P_*
  decode::BridgeFacts bridge = {};              ///< of a bridge
  decode::BridgePortFacts port = {};            ///< of a bridge's port
  decode::StackedFacts stacked = {};            ///< of a macvlan, macvtap or ipvlan
  bool operator==(const Link&) const = default;

  [[nodiscard]] bool is_loopback() const {
    constexpr std::uint32_t kIffLoopback = 0x8;  // IFF_LOOPBACK of linux/if.h
    return (flags & kIffLoopback) != 0;
  }
};

/// Settings of the namespace. Those that are `optional` could not be read where they are empty.
struct NetSettings {
  Ipv4Settings ipv4_all;
  Ipv6Settings ipv6_all;
  std::optional<std::int32_t> syncookies = {};       ///< tcp_syncookies
  std::optional<std::int32_t> max_syn_backlog = {};  ///< tcp_max_syn_backlog
  std::optional<std::int32_t> l3mdev_accept_tcp = {};
  std::optional<std::int32_t> l3mdev_accept_udp = {};
  std::optional<std::int32_t> fwmark_reflect = {};  ///< ipv4
  std::optional<std::int32_t> fwmark_reflect6 = {};
  std::optional<std::int32_t> fwmark_accept = {};  ///< tcp_fwmark_accept
  std::optional<std::int32_t> conntrack_count = {};
  std::optional<std::int32_t> conntrack_max = {};
  std::optional<std::int32_t> conntrack_loose = {};       ///< nf_conntrack_tcp_loose
  std::optional<std::int32_t> bridge_call_iptables = {};  ///< bridge-nf-call-iptables
  std::optional<std::int32_t> bridge_call_ip6tables = {};
  std::optional<std::int32_t> bindv6only = {};
  bool operator==(const NetSettings&) const = default;
};

/// One table of the old iptables ("legacy", x_tables), as the kernel's getsockopt gives it:
/// struct ipt_get_entries and its entries. decode/xt_table.h reads it.
struct LegacyTable {
  Family family = Family::Inet;
  std::string name;  ///< "filter", "nat", "mangle", "raw", "security"
  Bytes info;        ///< struct ipt_getinfo
  Bytes entries;
  bool operator==(const LegacyTable&) const = default;
};

/// An ipset and what is in it.
struct IpSet {
  std::string name;
  std::uint16_t index = 0;  ///< by which rules refer to it
  std::string type;         ///< "hash:ip", "list:set" …
  Bytes messages;           ///< its dump, as decode/ipset.h reads it
  bool operator==(const IpSet&) const = default;
};

/// A socket that a program of "sk-lookup" has.
struct SteeredSocket {
  std::uint64_t cookie = 0;
  std::uint32_t inode = 0;  ///< 0: none of its namespace is it
  bool operator==(const SteeredSocket&) const = default;
};

/// A BPF program attached to a cgroup, or to the namespace.
struct AttachedProgram {
  std::string
      where;  ///< "cgroup-ingress", "cgroup-egress", "sk-lookup", "netfilter", "flow-dissector"
  std::string cgroup;  ///< path of the cgroup it is attached to; empty: the namespace
  std::uint32_t id = 0;
  std::string name = {};
  /// Of "netfilter": NFPROTO_*, NF_INET_* and where among the other hooks. The kernel does not tell
  /// in which namespace, so it is a program of any.
  std::uint32_t family = 0;
  std::uint32_t hook = 0;
  std::int32_t priority = 0;
  std::uint32_t flags = 0;  ///< of a cgroup: BPF_F_ALLOW_OVERRIDE 1, BPF_F_ALLOW_MULTI 2
  /// Of "sk-lookup": sockets in its maps, to which it may hand packets. Empty: not read, or too
  /// many.
  std::optional<std::vector<SteeredSocket>> sockets = {};
  bool operator==(const AttachedProgram&) const = default;
};

using XfrmPolicy = decode::XfrmPolicyRecord;
using XfrmDefaults = decode::XfrmDefaults;
using ConntrackEntry = decode::ConntrackRecord;
using ConntrackQuery = decode::ConntrackQuery;

/// The kinds of facts of a Network that may be missing.
enum class NetworkFact : std::uint8_t {
  Links,
  Addresses,
  Routes,
  Rules,
  Neighbours,
  Settings,
  Nftables,
  Legacy,
  IpSets,
  Conntrack,
  Xfrm,
  LinkPrograms,
  CgroupPrograms,
  NamespacePrograms,
  SocketOptions,
  Ipvs,
};

struct Network {
  NetnsId netns{};
  std::vector<Link> links;  ///< by index
  std::vector<InterfaceAddress>
      addresses;                  ///< in the kernel's order: the first of a link is primary
  std::vector<Route> routes;      ///< in the kernel's order
  std::vector<PolicyRule> rules;  ///< by family, in the order in which they are asked
  std::vector<Neighbour> neighbours;
  /// Rules of IPv4 and local routes are as the kernel made them, and always were: it remembers if
  /// somebody changed them, and treats packets otherwise then. Empty: it could not be found out.
  std::optional<bool> rules_never_changed = {};
  NetSettings settings;
  NftRuleset nft;
  std::vector<LegacyTable> legacy;
  std::vector<IpSet> ip_sets;
  std::vector<IpvsService> ipvs;          ///< by mark, protocol, address and port
  std::vector<ConntrackEntry> conntrack;  ///< those of the asked tuple only
  std::vector<XfrmPolicy> xfrm;
  XfrmDefaults xfrm_defaults;
  std::vector<AttachedProgram> programs;
  ServiceFacts services;  ///< of the asked port only
  /// Facts that could not be read, with why and what would help: also in Host::gaps.
  std::vector<std::pair<NetworkFact, Gap>> unread;

  [[nodiscard]] const Link* link(std::uint32_t index) const;
  [[nodiscard]] const Link* link(std::string_view name) const;
  [[nodiscard]] bool is_loopback(std::uint32_t index) const {
    const Link* there = link(index);
    return there != nullptr && there->is_loopback();
  }
  /// The gap of a fact, or nothing if it was read.
  [[nodiscard]] const Gap* gap(NetworkFact fact) const;
};

/// What of a Network a question needs.
struct NetworkRequest {
  bool firewalls = true;
  bool programs = true;
  /// The connections that the question is about. Empty: conntrack is not asked.
  std::optional<ConntrackQuery> connection = {};
  /// Cgroups of the sockets that the question is about: programs of these and of those above are
  /// read. Paths below the root of cgroup v2.
  std::vector<std::string> cgroups = {};
  /// Options of listening sockets, through their holders: docs/adr/0009.
  bool socket_options = true;
  bool bound_sockets = true;  ///< that do not listen: they tell why a port is closed
  /// Who reads many namespaces reads the mounts once; nullptr: they are read.
  CgroupFolders* folders = nullptr;
};

/// What a question about any listener of the namespace may need, but for `connection`.
[[nodiscard]] NetworkRequest network_request(const Host& host, NetnsId netns);

/// Reads addresses alone.
[[nodiscard]] Network read_addresses(kernel::Source& source, const kernel::NetnsRef& netns,
                                     NetnsId id);

/// Reads links alone.
[[nodiscard]] Network read_only_links(kernel::Source& source, const kernel::NetnsRef& netns,
                                      NetnsId id);

/// Reads one namespace. Never fails as a whole: what is missing is in `unread`.
[[nodiscard]] Network read_network(kernel::Source& source, const kernel::NetnsRef& netns,
                                   NetnsId id, const NetworkRequest& request);

}  // namespace hark::host
