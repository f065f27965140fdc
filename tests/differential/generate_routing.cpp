// Random routes, policy rules, addresses and settings of interfaces.
#include "generate.h"

namespace hark::differential {

namespace {

std::string link_word(Dice& dice) {
  return dice.word({"eth0", "eth1", "eth2"});
}

// Ranges by prefix only: routes and policy rules know no others.
std::string prefix_word(Dice& dice, bool v6) {
  if (v6) {
    return dice.word({"2001:db8::/64", "2001:db8::/32", "2001:db8:0:1::/68", "2001:db8:8::/45",
                      "fd01::2/128", "fd02::/64", "2001:db8:0:3::/64"});
  }
  return dice.word({"192.0.2.0/28", "192.0.2.0/24", "198.51.100.0/25", "203.0.113.9/32",
                    "10.1.0.16/28", "100.64.0.0/10", "172.16.0.0/12", "192.0.2.32/29",
                    "10.2.0.0/24"});
}

std::string gateway(Dice& dice, bool v6) {
  const std::string number = std::to_string(dice.between(1, 3));
  if (v6 && dice.percent(20)) return "via fe80::fe dev " + link_word(dice);
  return v6 ? "via fd0" + number + "::fe" : "via 10." + number + ".0.254";
}

std::string tables(Dice& dice) {
  return dice.word({" table 100", " table 101", "", ""});
}

void add_route(Plan& plan) {
  Dice& dice = plan.dice;
  const bool v6 = dice.percent(30);
  const std::string to = dice.percent(15) ? "default" : prefix_word(dice, v6);
  const std::string head = v6 ? "-6 route replace " : "route replace ";
  const std::string metric =
      dice.percent(20) ? " metric " + std::to_string(dice.between(1, 3)) : "";
  if (dice.percent(35)) {
    const std::string type = dice.word({"blackhole", "unreachable", "prohibit", "throw"});
    return plan.ip(head + type + " " + to + tables(dice) + metric);
  }
  if (!v6 && dice.percent(8)) {
    return plan.ip(head + to + tables(dice) +
                   " nexthop via 10.1.0.254 weight 1 nexthop via 10.2.0.254 weight 2");
  }
  if (dice.percent(15))
    return plan.ip(head + to + " dev " + link_word(dice) + tables(dice) + metric);
  const std::string source = !v6 && dice.percent(15) ? " src 10.2.0.1" : "";
  plan.ip(head + to + " " + gateway(dice, v6) + tables(dice) + metric + source);
}

void add_rule(Plan& plan) {
  Dice& dice = plan.dice;
  const bool v6 = dice.percent(25);
  std::string line = (v6 ? "-6 rule add pref " : "rule add pref ") +
                     std::to_string(dice.between(1, 40) * 10) + " ";
  const std::string what = dice.weighted({{"from", 30},
                                          {"iif", 15},
                                          {"fwmark", plan.marks ? 40U : 5U},
                                          {"port", 10},
                                          {"to", 10},
                                          {"tos", 3},
                                          {"oif", 4},
                                          {"lo", 5}});
  if (dice.percent(8)) line += "not ";
  if (what == "from") line += "from " + prefix_word(dice, v6);
  if (what == "to") line += "to " + prefix_word(dice, v6);
  if (what == "iif") line += "iif " + link_word(dice);
  if (what == "oif") line += "oif " + link_word(dice);
  if (what == "lo") line += "iif lo";
  if (what == "fwmark") line += "fwmark " + dice.word({"1", "2", "3", "0x1/0x1", "0/0x1"});
  if (what == "tos") line += "tos 0x10";
  if (what == "port") {
    line += "ipproto " + dice.word({"tcp", "udp"}) + dice.word({" dport ", " sport "}) +
            dice.word({"80", "53", "443", "32768-40000"});
  }
  line += " " + dice.weighted({{"lookup 100", 35},
                               {"lookup 101", 15},
                               {"prohibit", 10},
                               {"unreachable", 8},
                               {"blackhole", 8},
                               {"lookup main", 8},
                               {"lookup 100 suppress_prefixlength 0", 6}});
  plan.ip(line);
}

void add_settings(Plan& plan) {
  Dice& dice = plan.dice;
  const auto link = [&] { return dice.word({"all", "eth0", "eth1"}); };
  if (dice.percent(45)) plan.sysctl("ipv4/conf/" + link() + "/rp_filter " + dice.word({"1", "2"}));
  if (dice.percent(25)) plan.sysctl("ipv4/conf/all/forwarding 1");
  if (dice.percent(15)) plan.sysctl("ipv6/conf/all/forwarding 1");
  if (dice.percent(12)) plan.sysctl("ipv4/conf/" + link() + "/accept_local 1");
  if (dice.percent(12)) plan.sysctl("ipv4/conf/" + link() + "/route_localnet 1");
  if (dice.percent(12)) plan.sysctl("ipv4/conf/" + link() + "/src_valid_mark 1");
  // The last container knows the host's link-layer address without asking.
  if (plan.boxes == 0 && dice.percent(15)) {
    plan.sysctl("ipv4/conf/" + link() + "/arp_ignore " + dice.word({"1", "2", "3", "8"}));
  }
  if (dice.percent(10)) plan.sysctl("ipv4/conf/" + link() + "/arp_filter 1");
  if (dice.percent(6)) plan.sysctl("ipv4/conf/eth0/proxy_arp 1");
  if (dice.percent(5)) plan.sysctl("ipv6/conf/eth1/disable_ipv6 1");
  if (dice.percent(5)) plan.sysctl("ipv4/fwmark_reflect 1");
  if (dice.percent(5)) plan.sysctl("ipv4/tcp_fwmark_accept 1");
}

void add_addresses(Plan& plan) {
  Dice& dice = plan.dice;
  if (dice.percent(20)) plan.ip("address add 10.1.0.7/32 dev lo");
  if (dice.percent(15)) plan.ip("address add 10.2.0.7/24 dev eth1");
  if (dice.percent(10)) plan.ip("address add 10.1.0.9/24 dev eth1");
  if (dice.percent(8)) plan.ip("address add fd01::9/128 dev lo nodad");
  if (dice.percent(6)) plan.ip("route del local 10.2.0.1 dev eth1 table local");
  if (dice.percent(6)) plan.ip("route add local 198.51.100.77 dev lo table local");
  if (dice.percent(10)) plan.ip("route del default");
  if (dice.percent(8)) plan.ip("-6 route del default");
  if (dice.percent(6)) plan.ip("address del 10.2.0.1/24 dev eth1");
}

// The local table is not asked first any more.
void move_local_rule(Plan& plan) {
  const bool v6 = plan.dice.percent(30);
  const std::string head = v6 ? "-6 rule " : "rule ";
  plan.ip(head + "add pref 205 lookup local");
  plan.ip(head + "del pref 0");
}

}  // namespace

void add_routing(Plan& plan) {
  Dice& dice = plan.dice;
  if (plan.routing == 0) {
    if (dice.percent(10)) plan.sysctl("ipv4/conf/all/rp_filter " + dice.word({"1", "2"}));
    return;
  }
  add_addresses(plan);
  for (unsigned i = 0; i < plan.routing * 2; i++) add_route(plan);
  for (unsigned i = 0; i < plan.routing; i++) add_rule(plan);
  if (dice.percent(12)) move_local_rule(plan);
  add_settings(plan);
  if (dice.percent(6)) plan.ip("link set eth2 down");
}

}  // namespace hark::differential
