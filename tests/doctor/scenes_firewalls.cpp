#include <unistd.h>

#include "scenes.h"

namespace hark::doctor {
namespace {

/// The whole world comes by eth1, from behind 10.9.0.9.
void world(Stage& stage) {
  stage.neighbour("eth1", "10.9.0.1/24", "10.9.0.9/24");
  Stage::run({"ip", "route", "add", "default", "via", "10.9.0.9"});
}

void nft(const std::string& rules) {
  Stage::run({"nft", rules});
}

/// An input chain of that policy with these rules.
void input_chain(const std::string& policy, const std::vector<std::string>& rules) {
  std::string text =
      "add table inet t; add chain inet t in { type filter hook input priority 0; policy " +
      policy + "; }";
  for (const std::string& rule : rules) text += "; add rule inet t in " + rule;
  nft(text);
}

constexpr const char* kKnown = "ct state established,related accept";
constexpr const char* kHere = "iif lo accept";

void with_iptables(const char* program, const std::vector<std::string>& rules) {
  const std::string path = std::string("/usr/sbin/") + program;
  if (::access(path.c_str(), X_OK) != 0) throw Missing{program};
  for (const std::string& rule : rules) {
    Stage::run({"sh", "-c", std::string(program) + " " + rule + " 2>/dev/null"});
  }
}

void stale_rule(Stage& stage) {
  world(stage);
  stage.server(80, 16, "0.0.0.0");
  input_chain("drop", {kHere, kKnown, "tcp dport 80 accept", "tcp dport 8080 accept"});
}
void stale_rule_of_iptables(Stage& stage) {
  world(stage);
  stage.server(80, 16, "0.0.0.0");
  with_iptables(
      "iptables-nft",
      {"-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT",
       "-A INPUT -p tcp --dport 8080 -m conntrack --ctstate NEW -j ACCEPT", "-P INPUT DROP"});
}
void stale_rule_of_legacy(Stage& stage) {
  world(stage);
  stage.server(80, 16, "0.0.0.0");
  with_iptables("iptables-legacy",
                {"-N opened", "-A INPUT -j opened", "-A opened -p tcp --dport 8080 -j ACCEPT",
                 "-A opened -p tcp --dport 80 -j ACCEPT", "-P INPUT DROP"});
}
/// What ufw, firewalld and people write beside the ports that they open.
void rules_in_use(Stage& stage) {
  world(stage);
  stage.server(80, 16, "0.0.0.0");
  input_chain("drop",
              {kHere, kKnown, "tcp dport 80 accept", "tcp dport { 80, 443 } accept",
               "udp sport 67 udp dport 68 accept", "ip daddr 224.0.0.251 udp dport 5353 accept",
               "ip6 daddr fe80::/64 udp dport 546 accept", "tcp dport 30000-32767 accept",
               "iif lo tcp dport 9999 accept", "tcp dport 8080 drop",
               "icmpv6 type nd-neighbor-solicit accept"});
}
/// Clients ask for 8080, and get 80.
void turned_rule(Stage& stage) {
  world(stage);
  stage.server(80, 16, "0.0.0.0");
  input_chain("drop", {kHere, kKnown, "tcp dport 80 accept", "tcp dport 8080 accept"});
  nft("add table ip n; add chain ip n pre { type nat hook prerouting priority -100; }; "
      "add rule ip n pre tcp dport 8080 redirect to :80");
}

void opened_in_vain(Stage& stage) {
  world(stage);
  stage.server(80);
  input_chain("drop", {kHere, kKnown, "ip saddr 10.0.0.0/8 tcp dport 80 accept"});
}
void closed_and_here(Stage& stage) {
  world(stage);
  stage.server(80);
  input_chain("drop", {kHere, kKnown});
}
void opened_and_there(Stage& stage) {
  world(stage);
  stage.server(80, 16, "0.0.0.0");
  input_chain("drop", {kHere, kKnown, "tcp dport 80 accept"});
}

void shadowed(Stage& stage) {
  stage.server(80);
  input_chain("accept", {kHere, "counter drop", "ip saddr 10.0.0.0/8 accept"});
}
/// What is never reached opens nothing.
void opened_behind_the_end(Stage& stage) {
  stage.server(80);
  input_chain("drop", {kHere, kKnown, "counter drop", "tcp dport 81 accept"});
}
/// As `iptables -A` adds to a chain that ends with REJECT.
void shadowed_of_iptables(Stage& stage) {
  stage.server(80);
  with_iptables("iptables-legacy", {"-A INPUT -i lo -j ACCEPT", "-A INPUT -j REJECT",
                                    "-A INPUT -s 10.0.0.0/8 -j ACCEPT"});
}
void in_order(Stage& stage) {
  stage.server(80);
  input_chain("accept", {kHere, "ip saddr 10.0.0.0/8 accept", "counter", "drop", "drop"});
}

void dual_stack(Stage& stage) {
  world(stage);
  Stage::run({"ip", "-6", "addr", "add", "2001:db8:9::1/64", "dev", "eth1", "nodad"});
  Stage::run({"ip", "-6", "route", "add", "default", "via", "2001:db8:9::9"});
  stage.server(80, 16, "::");
}
void ipv6_open(Stage& stage) {
  dual_stack(stage);
  nft("add table ip t; add chain ip t in { type filter hook input priority 0; }; "
      "add rule ip t in iif eth1 tcp dport 80 drop");
}
void both_filtered(Stage& stage) {
  dual_stack(stage);
  input_chain("accept", {"iif eth1 tcp dport 80 drop"});
}
void both_open(Stage& stage) {
  dual_stack(stage);
}

/// A container, and its port 80 published as port 3000.
void published(Stage& stage, bool denied) {
  world(stage);
  stage.neighbour("c0", "172.17.0.1/16", "172.17.0.2/16");
  Stage::sysctl("ipv4/ip_forward", "1");
  nft("add table ip n; add chain ip n pre { type nat hook prerouting priority -100; }; "
      "add rule ip n pre iif != c0 tcp dport 3000 dnat to 172.17.0.2:80");
  if (denied) input_chain("drop", {kHere, kKnown, "tcp dport 22 accept"});
}
void past_the_firewall(Stage& stage) {
  published(stage, true);
  stage.server(22, 16, "0.0.0.0");
}
void past_the_firewall_alone(Stage& stage) {
  published(stage, false);
  input_chain("drop", {kHere, kKnown});
}
void past_the_firewall_with_proxy(Stage& stage) {
  published(stage, true);
  stage.server(22, 16, "0.0.0.0");
  stage.server(3000, 16, "0.0.0.0");
}
void published_and_open(Stage& stage) {
  published(stage, false);
  stage.server(22, 16, "0.0.0.0");
}
void published_and_denied(Stage& stage) {
  published(stage, true);
  stage.server(22, 16, "0.0.0.0");
  nft("add chain inet t through { type filter hook forward priority 0; }; "
      "add rule inet t through iif eth1 oif c0 ct state new drop");
}

void two_systems(Stage& stage) {
  stage.server(80);
  with_iptables("iptables-legacy", {"-A INPUT -s 192.0.2.1 -j DROP"});
  input_chain("accept", {"ip saddr 192.0.2.2 drop"});
}
void one_system(Stage& stage) {
  stage.server(80);
  with_iptables("iptables-legacy", {"-A INPUT -s 192.0.2.1 -j ACCEPT"});
  input_chain("accept", {"ip saddr 192.0.2.2 drop"});
}

}  // namespace

std::span<const Scene> firewall_scenes() {
  static const std::vector<Scene> scenes = {
      {"StaleRule", stale_rule, "stale-rule", 0, "notice"},
      {"StaleRuleOfIptables", stale_rule_of_iptables, "stale-rule", 0, "notice"},
      {"StaleRuleOfLegacy", stale_rule_of_legacy, "stale-rule", 0, "notice"},
      {"RulesInUse", rules_in_use, nullptr},
      {"RuleOfAPortThatIsTurned", turned_rule, nullptr},
      {"OpenedInVain", opened_in_vain, "loopback-only-though-opened", 80, "notice"},
      {"ClosedAndHere", closed_and_here, nullptr},
      {"OpenedAndThere", opened_and_there, nullptr},
      {"ShadowedRule", shadowed, "shadowed-rule", 0, "notice"},
      {"OpenedBehindTheEnd", opened_behind_the_end, "shadowed-rule", 0, "notice"},
      {"ShadowedRuleOfIptables", shadowed_of_iptables, "shadowed-rule", 0, "notice"},
      {"RulesInOrder", in_order, nullptr},
      {"Ipv6Open", ipv6_open, "ipv6-open", 80, "risk"},
      {"BothFamiliesFiltered", both_filtered, nullptr},
      {"BothFamiliesOpen", both_open, nullptr},
      {"PublishedPastTheFirewall", past_the_firewall, "dnat-bypasses-input", 0, "risk"},
      {"PublishedWhereNobodyListens", past_the_firewall_alone, "dnat-bypasses-input", 0, "risk"},
      {"PublishedPastTheFirewallWithProxy", past_the_firewall_with_proxy, "dnat-bypasses-input",
       3000, "risk"},
      {"PublishedWithoutAFirewall", published_and_open, nullptr},
      {"PublishedAndDenied", published_and_denied, nullptr},
      {"TwoRuleSystems", two_systems, "two-rule-systems", 0, "notice"},
      {"OneRuleSystem", one_system, nullptr},
  };
  return scenes;
}

}  // namespace hark::doctor
