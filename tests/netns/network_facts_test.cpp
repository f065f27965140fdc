// What hark reads of a namespace against what ip(8) and /proc/sys say of it, as root and as an
// ordinary user, live and from a recording.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/bpf.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/unique_fd.h"
#include "host/network.h"
#include "kernel/live.h"
#include "kernel/recorder.h"
#include "kernel/replay.h"
#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using host::Network;
using host::NetworkFact;
using nlohmann::json;

json ip(const std::string& arguments) {
  json out = json::parse(said_by("ip -j -N " + arguments), nullptr, false);
  EXPECT_TRUE(out.is_array()) << arguments;
  return out;
}

constexpr const char* kCommands[] = {
    "ip link set lo up",
    "ip link add v0 type veth peer name v1",
    "ip link add br0 type bridge",
    "ip link set v1 master br0",
    "ip link add mv0 link v0 type macvlan mode bridge",
    "ip link add ifb0 type ifb",
    "ip link set v0 mtu 1400 group 7 up",
    "ip link set v1 up",
    "ip addr add 10.1.0.1/24 brd + dev v0",
    "ip addr add 10.1.0.9/24 dev v0",
    "ip addr add 10.9.0.1 peer 10.9.0.2/32 dev v0",
    "ip addr add 2001:db8::1/64 dev v0 nodad",
    "ip route add default via 10.1.0.254 metric 100",
    "ip route add 10.2.0.0/16 tos 0x10 via 10.1.0.254 mtu 1300 src 10.1.0.9 proto static",
    "ip route add 10.3.0.0/16 nexthop via 10.1.0.253 dev v0 weight 3 nexthop via 10.1.0.252 dev v0",
    "ip route add 10.4.0.0/16 via inet6 2001:db8::99 dev v0",
    "ip route add blackhole 10.5.0.0/16 table 100",
    "ip route add prohibit 10.6.0.0/16 metric 5",
    "ip route add throw 10.8.0.0/16 table 300",
    "ip -6 route add 2001:db8:a::/48 via 2001:db8::99 dev v0 metric 7",
    "ip -6 route add unreachable 2001:db8:e::/48",
    "ip nexthop add id 1 via 10.1.0.251 dev v0",
    "ip nexthop add id 2 via 10.1.0.250 dev v0",
    "ip nexthop add id 10 group 1,5/2,2",
    "ip route add 10.11.0.0/16 nhid 10",
    "ip rule add pref 100 from 10.1.0.0/24 to 10.2.0.0/16 iif v0 table 100",
    "ip rule add pref 101 not fwmark 0x10/0xf0 lookup 300",
    "ip rule add pref 102 ipproto tcp sport 1000-2000 dport 80 table 100",
    "ip rule add pref 104 table main suppress_prefixlength 0",
    "ip rule add pref 106 prohibit from 192.0.2.0/24",
    "ip -6 rule add pref 200 from 2001:db8::/64 fwmark 1 table 100",
    "ip neigh add 10.1.0.77 lladdr 02:00:00:00:00:77 dev v0 nud permanent",
    "ip neigh add proxy 10.1.0.88 dev v0",
    "nft add table inet t",
    "nft 'add chain inet t c { type filter hook input priority 0; ct state new accept; }'",
    "iptables-legacy -A INPUT -p tcp --dport 81 -j DROP",
    "ip xfrm policy add src 10.3.0.0/24 dst 10.4.0.0/24 dir in action block",
    "tc qdisc add dev v0 clsact",
    "tc filter add dev v0 ingress protocol ip u32 match u32 0 0 action mirred egress redirect dev "
    "ifb0",
    "sysctl -qw net.ipv4.conf.v0.rp_filter=2 net.ipv4.conf.all.rp_filter=1 "
    "net.ipv4.conf.v0.arp_ignore=8 net.ipv4.conf.v0.route_localnet=1 "
    "net.ipv4.tcp_syncookies=2 net.ipv4.tcp_fwmark_accept=1 "
    "net.ipv6.conf.v0.proxy_ndp=1 net.ipv6.conf.br0.disable_ipv6=1",
    // Last of all: of routes by nexthop objects the kernel tells no hops any more.
    "sysctl -qw net.ipv4.nexthop_compat_mode=0",
};

class NetworkFacts : public NetnsTest {
 protected:
  /// Runs `body` in a namespace of its own, which ends with its thread.
  static void inside(const std::function<void(const kernel::NetnsRef& own)>& body) {
    std::thread([&] {
      ASSERT_EQ(unshare(CLONE_NEWNET), 0);
      for (const char* command : kCommands) EXPECT_EQ(said_by(command), "") << command;
      struct stat status {};
      ASSERT_EQ(stat("/proc/thread-self/ns/net", &status), 0);
      body({.inode = status.st_ino, .paths = {}});
    }).join();
  }
  /// This thread alone becomes an ordinary user.
  static void give_up_rights() {
    ASSERT_EQ(syscall(SYS_setresgid, 65534, 65534, 65534), 0);
    ASSERT_EQ(syscall(SYS_setgroups, 0, nullptr), 0);
    ASSERT_EQ(syscall(SYS_setresuid, 65534, 65534, 65534), 0);
  }
  static Network read(kernel::Source& source, const kernel::NetnsRef& netns) {
    return host::read_network(source, netns, host::NetnsId{0}, {});
  }
};

/// What ip says, taken before rights are given up.
struct Truth {
  json links = ip("-d link");
  json addresses = ip("addr");
  json routes4 = ip("-4 route show table all");
  json routes6 = ip("-6 route show table all");
  json rules4 = ip("-4 rule");
  json rules6 = ip("-6 rule");
  json neighbours = ip("neigh");
};

std::string mac_of(const Bytes& bytes) {
  std::string out;
  for (const std::byte byte : bytes) {
    std::array<char, 4> text{};
    std::snprintf(text.data(), text.size(), "%s%02x", out.empty() ? "" : ":",
                  std::to_integer<unsigned>(byte));
    out += text.data();
  }
  return out;
}

void compare_links(const json& truth, const Network& network) {
  ASSERT_EQ(truth.size(), network.links.size());
  for (const json& one : truth) {
    const host::Link* link = network.link(one["ifname"].get<std::string>());
    ASSERT_NE(link, nullptr) << one["ifname"];
    EXPECT_EQ(link->index, one["ifindex"]);
    EXPECT_EQ(link->mtu, one["mtu"]);
    EXPECT_EQ(mac_of(link->mac), one.value("address", ""));
    const std::string group = one["group"].get<std::string>();
    EXPECT_EQ(std::to_string(link->group), group == "default" ? "0" : group);
    const host::Link* master = network.link(link->master);
    EXPECT_EQ(master == nullptr ? "" : master->name, one.value("master", ""));
    const host::Link* peer = network.link(link->peer);
    EXPECT_EQ(peer == nullptr ? "" : peer->name, one.value("link", ""));
    const json info = one.value("linkinfo", json::object());
    EXPECT_EQ(link->kind, info.value("info_kind", ""));
    EXPECT_EQ(link->slave_kind, info.value("info_slave_kind", ""));
    const auto flags = one["flags"].get<std::set<std::string>>();
    EXPECT_EQ((link->flags & 1U) != 0, flags.contains("UP"));
    const bool told = flags.contains("UP");  // ip does not say it of others
    EXPECT_TRUE(!told || link->carrier != flags.contains("NO-CARRIER")) << link->name;
  }
}

/// A line for each record, in the order of the dump.
using Lines = std::vector<std::string>;

Lines addresses_of(const json& truth) {
  Lines out;
  for (const json& link : truth) {
    for (const json& one : link["addr_info"]) {
      const std::string local = one["local"].get<std::string>();
      const std::string peer = one.value("address", local);
      const Prefix subnet =
          Prefix::parse(peer + "/" + std::to_string(one["prefixlen"].get<int>())).value();
      out.push_back(std::to_string(link["ifindex"].get<int>()) + " " + local + " " + subnet.text() +
                    " " + one.value("broadcast", ""));
    }
  }
  std::ranges::sort(out);
  return out;
}

Lines addresses_of(const Network& network) {
  Lines out;
  for (const host::InterfaceAddress& one : network.addresses) {
    out.push_back(std::to_string(one.link) + " " + one.address.text() + " " + one.subnet.text() +
                  " " + (one.broadcast ? one.broadcast->text() : ""));
  }
  std::ranges::sort(out);
  return out;
}

std::string gateway_in(const json& hop) {
  if (hop.contains("via")) return hop["via"]["host"].get<std::string>();
  return hop.value("gateway", "");
}

/// ip leaves out what is usual: a route of table main, of type unicast. With -N all are numbers.
std::string number(const json& route, const char* name, const std::string& usual) {
  if (!route.contains(name)) return usual;
  return route[name].is_string() ? route[name].get<std::string>() : route[name].dump();
}

Lines routes_of(const json& truth, bool v6) {
  Lines out;
  for (const json& one : truth) {
    const std::string to = one["dst"].get<std::string>();
    const std::string prefix = to == "default" ? (v6 ? "::/0" : "0.0.0.0/0") : to;
    std::string line = number(one, "type", "1") + " " + Prefix::parse(prefix).value().text() +
                       " table " + number(one, "table", "254") + " metric " +
                       number(one, "metric", "0") + " src " + one.value("prefsrc", "");
    // Of nexthop objects ip says no more than the kernel: what they are is looked up.
    if (one.value("nhid", 0) == 10) {
      line += " 10.1.0.251@v0*5 10.1.0.250@v0*2";
    } else if (one.contains("nexthops")) {
      for (const json& hop : one["nexthops"]) {
        line += " " + gateway_in(hop) + "@" + hop["dev"].get<std::string>() + "*" +
                std::to_string(hop["weight"].get<int>());
      }
    } else if (one.contains("dev")) {
      line += " " + gateway_in(one) + "@" + one["dev"].get<std::string>() + "*1";
    }
    out.push_back(line);
  }
  return out;
}

Lines routes_of(const Network& network, Family family) {
  Lines out;
  for (const host::Route& one : network.routes) {
    if (one.family != family) continue;
    std::string line = std::to_string(one.type) + " " + one.destination.text() + " table " +
                       std::to_string(one.table) + " metric " + std::to_string(one.metric) +
                       " src " + (one.preferred_source ? one.preferred_source->text() : "");
    for (const host::NextHop& hop : one.hops) {
      line += " " + (hop.gateway ? hop.gateway->text() : "") + "@" + network.link(hop.link)->name +
              "*" + std::to_string(hop.weight);
    }
    out.push_back(line);
  }
  return out;
}

Lines rules_of(const json& truth) {
  Lines out;
  for (const json& one : truth) {
    std::string line = std::to_string(one["priority"].get<int>()) + " from ";
    line += one["src"].get<std::string>();
    if (one.contains("srclen")) line += "/" + std::to_string(one["srclen"].get<int>());
    line += " mark " + one.value("fwmark", "") + " iif " + one.value("iif", "") + " table " +
            number(one, "table", "");
    out.push_back(line);
  }
  return out;
}

Lines rules_of(const Network& network, Family family) {
  Lines out;
  for (const host::PolicyRule& one : network.rules) {
    if (one.family != family) continue;
    std::string mark;
    if (one.mask != 0) {
      std::array<char, 12> text{};
      std::snprintf(text.data(), text.size(), "0x%x", one.mark);
      mark = text.data();
    }
    out.push_back(std::to_string(one.priority) + " from " +
                  (one.source ? one.source->text() : "all") + " mark " + mark + " iif " + one.iif +
                  " table " + (one.table != 0 ? std::to_string(one.table) : ""));
  }
  return out;
}

void compare_with_ip(const Truth& truth, const Network& network) {
  compare_links(truth.links, network);
  EXPECT_EQ(addresses_of(network), addresses_of(truth.addresses));
  EXPECT_EQ(routes_of(network, Family::Inet), routes_of(truth.routes4, false));
  EXPECT_EQ(routes_of(network, Family::Inet6), routes_of(truth.routes6, true));
  EXPECT_EQ(rules_of(network, Family::Inet), rules_of(truth.rules4));
  EXPECT_EQ(rules_of(network, Family::Inet6), rules_of(truth.rules6));
  EXPECT_TRUE(std::ranges::any_of(network.neighbours, [](const host::Neighbour& one) {
    return one.address.text() == "10.1.0.77" && mac_of(one.mac) == "02:00:00:00:00:77";
  }));
  EXPECT_TRUE(std::ranges::any_of(network.neighbours, [](const host::Neighbour& one) {
    return one.address.text() == "10.1.0.88" && one.flags == 8;  // NTF_PROXY
  }));
}

std::int32_t sysctl(const std::string& path) {
  std::ifstream file("/proc/sys/net/" + path);
  std::int32_t out = -1;
  file >> out;
  return out;
}

void compare_settings(const Network& network) {
  for (const host::Link& link : network.links) {
    const auto is = [&](const char* file, std::int32_t value) {
      EXPECT_EQ(value, sysctl("ipv4/conf/" + link.name + "/" + file)) << link.name << ' ' << file;
    };
    ASSERT_TRUE(link.ipv4) << link.name;
    is("forwarding", link.ipv4->forwarding);
    is("rp_filter", link.ipv4->rp_filter);
    is("accept_local", link.ipv4->accept_local);
    is("route_localnet", link.ipv4->route_localnet);
    is("src_valid_mark", link.ipv4->src_valid_mark);
    is("arp_ignore", link.ipv4->arp_ignore);
    is("arp_filter", link.ipv4->arp_filter);
    is("proxy_arp", link.ipv4->proxy_arp);
    is("bc_forwarding", link.ipv4->bc_forwarding);
    ASSERT_TRUE(link.ipv6) << link.name;
    const std::string six = "ipv6/conf/" + link.name;
    EXPECT_EQ(link.ipv6->disable_ipv6, sysctl(six + "/disable_ipv6"));
    EXPECT_EQ(link.ipv6->forwarding, sysctl(six + "/forwarding"));
    EXPECT_EQ(link.ipv6->proxy_ndp, sysctl(six + "/proxy_ndp"));
  }
  EXPECT_EQ(network.settings.ipv4_all.rp_filter, 1);
  EXPECT_EQ(network.settings.syncookies, 2);
  EXPECT_EQ(network.settings.fwmark_accept, 1);
  EXPECT_EQ(network.settings.conntrack_max, sysctl("netfilter/nf_conntrack_max"));
}

TEST_F(NetworkFacts, AsRootAllIsRead) {
  inside([](const kernel::NetnsRef& own) {
    const Truth truth;
    const auto source = kernel::make_live();
    const Network network = read(*source, own);
    compare_with_ip(truth, network);
    compare_settings(network);
    for (const auto& [fact, gap] : network.unread) ADD_FAILURE() << gap.code << ": " << gap.what;
    EXPECT_EQ(network.nft.tables.size(), 1U);
    EXPECT_EQ(network.nft.rules.size(), 1U);
    ASSERT_EQ(network.legacy.size(), 1U);
    EXPECT_EQ(network.legacy[0].name, "filter");
    EXPECT_EQ(network.legacy[0].info.size(), 84U);
    EXPECT_GT(network.legacy[0].entries.size(), 500U);
    ASSERT_EQ(network.xfrm.size(), 1U);
    EXPECT_EQ(network.xfrm[0].action, 1);  // XFRM_POLICY_BLOCK
    const host::Link* v0 = network.link("v0");
    ASSERT_EQ(v0->programs.size(), 1U);
    EXPECT_EQ(v0->programs[0].where, "tc-ingress");
    EXPECT_EQ(v0->programs[0].kind, "u32");
    EXPECT_THAT(v0->programs[0].detail, testing::HasSubstr("redirect to ifb0"));
    EXPECT_FALSE(v0->programs[0].harmless);
  });
}

// To look for tables must not make them.
TEST_F(NetworkFacts, NoTableOfIptablesAppearsByLooking) {
  inside([](const kernel::NetnsRef& own) {
    const auto source = kernel::make_live();
    static_cast<void>(read(*source, own));
    EXPECT_EQ(said_by("cat /proc/thread-self/net/ip_tables_names"), "filter\n");
    EXPECT_EQ(said_by("cat /proc/thread-self/net/ip6_tables_names"), "");
  });
}

TEST_F(NetworkFacts, AnOrdinaryUserReadsAllButFirewallsAndPrograms) {
  inside([](const kernel::NetnsRef& own) {
    const Truth truth;
    give_up_rights();
    const auto source = kernel::make_live();
    const Network network = read(*source, own);
    compare_with_ip(truth, network);
    compare_settings(network);
    std::set<NetworkFact> unread;
    for (const auto& [fact, gap] : network.unread) {
      unread.insert(fact);
      EXPECT_EQ(gap.remedy, "run as root to see them") << gap.what;
    }
    EXPECT_EQ(unread,
              (std::set<NetworkFact>{NetworkFact::Nftables, NetworkFact::Legacy, NetworkFact::Xfrm,
                                     NetworkFact::LinkPrograms, NetworkFact::NamespacePrograms}));
    // Filters are told to anybody.
    EXPECT_EQ(network.link("v0")->programs.size(), 1U);
  });
}

bool same(const Network& a, const Network& b) {
  return a.links == b.links && a.addresses == b.addresses && a.routes == b.routes &&
         a.rules == b.rules && a.neighbours == b.neighbours && a.settings == b.settings &&
         a.nft == b.nft && a.legacy == b.legacy && a.xfrm == b.xfrm &&
         a.xfrm_defaults == b.xfrm_defaults && a.programs == b.programs && a.unread == b.unread;
}

TEST_F(NetworkFacts, ARecordingGivesTheSame) {
  for (const bool root : {true, false}) {
    inside([root](const kernel::NetnsRef& own) {
      if (!root) give_up_rights();
      const auto source = kernel::make_live();
      kernel::Recorder recorder(*source);
      const Network live = read(recorder, own);
      kernel::Replay replay({.header = {}, .answers = recorder.take_answers()});
      EXPECT_TRUE(same(live, read(replay, {.inode = own.inode, .paths = {"/nowhere"}})));
      // Nothing of it is in a recording of an older hark.
      kernel::Replay old({});
      const Network none = read(old, own);
      for (const auto& [fact, gap] : none.unread) {
        EXPECT_THAT(gap.what, testing::HasSubstr("not recorded"));
      }
      EXPECT_EQ(none.unread.size(), 11U);
    });
  }
}

/// "return 1" as BPF; 0 or a descriptor.
UniqueFd load_program(bpf_prog_type type, bpf_attach_type attach) {
  static constexpr std::array<bpf_insn, 2> kCode = {{
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 1},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
  }};
  bpf_attr attributes{};
  attributes.prog_type = type;
  attributes.expected_attach_type = attach;
  attributes.insns = reinterpret_cast<std::uintptr_t>(kCode.data());
  attributes.insn_cnt = kCode.size();
  attributes.license = reinterpret_cast<std::uintptr_t>("GPL");
  std::snprintf(attributes.prog_name, sizeof attributes.prog_name, "facts_one");
  return UniqueFd(
      static_cast<int>(syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes)));
}

UniqueFd attach_program(int program, std::uint32_t target, std::uint32_t type) {
  bpf_attr attributes{};
  attributes.link_create.prog_fd = static_cast<std::uint32_t>(program);
  attributes.link_create.target_fd = target;
  attributes.link_create.attach_type = type;
  return UniqueFd(
      static_cast<int>(syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof attributes)));
}

TEST_F(NetworkFacts, ProgramsOfTheNamespaceAndOfLinks) {
  constexpr std::uint32_t kTcxIngress = 46;  // BPF_TCX_INGRESS, Linux 6.6
  inside([](const kernel::NetnsRef& own) {
    const UniqueFd netns(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    const UniqueFd lookup = load_program(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP);
    const UniqueFd on_netns =
        attach_program(lookup.get(), static_cast<std::uint32_t>(netns.get()), BPF_SK_LOOKUP);
    ASSERT_TRUE(on_netns.valid());
    const auto source = kernel::make_live();
    const std::uint32_t index = read(*source, own).link("v0")->index;
    const UniqueFd classifier = load_program(BPF_PROG_TYPE_SCHED_CLS, bpf_attach_type{});
    const UniqueFd on_link = attach_program(classifier.get(), index, kTcxIngress);
    const Network network = read(*source, own);
    ASSERT_EQ(network.programs.size(), 1U);
    EXPECT_EQ(network.programs[0].where, "sk-lookup");
    EXPECT_EQ(network.programs[0].name, "facts_one");
    if (!on_link.valid()) GTEST_SKIP() << "this kernel has no tcx";
    const auto& programs = network.link("v0")->programs;
    const auto found = std::ranges::find(programs, "tcx-ingress", &host::LinkProgram::where);
    ASSERT_NE(found, programs.end());
    EXPECT_EQ(found->name, "facts_one");
    EXPECT_NE(found->id, 0U);
  });
}

}  // namespace
}  // namespace hark::netns
