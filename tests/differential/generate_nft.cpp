// Random nftables: tables of several families, base chains that tie in priority, chains that jump,
// sets and verdict maps of every kind.
#include <algorithm>

#include "generate.h"
#include "generate_match.h"

namespace hark::differential {

namespace {

std::string verdict_word(Scope& scope) {
  Dice& dice = scope.plan.dice;
  if (!scope.chains.empty() && dice.percent(22)) {
    return dice.word({"jump ", "jump ", "goto "}) + dice.of(scope.chains);
  }
  return dice.weighted({{"accept", 40}, {"drop", 40}, {"return", scope.in_chain ? 20U : 6U}});
}

std::string reject_word(Scope& scope) {
  Dice& dice = scope.plan.dice;
  if (scope.family == "ip") {
    return dice.word({"reject", "reject with icmp host-unreachable",
                      "reject with icmp admin-prohibited", "reject with icmp net-unreachable"});
  }
  if (scope.family == "ip6") {
    return dice.word(
        {"reject", "reject with icmpv6 no-route", "reject with icmpv6 admin-prohibited"});
  }
  if (scope.tcp && dice.percent(25)) return "meta l4proto tcp reject with tcp reset";
  return dice.word({"reject", "reject with icmpx admin-prohibited", "reject with icmpx no-route",
                    "reject with icmpx host-unreachable"});
}

std::string nat_word(Scope& scope) {
  Dice& dice = scope.plan.dice;
  const std::string four =
      dice.word({"10.1.0.1", "10.2.0.1", "127.0.0.1", "10.2.0.9", "192.0.2.77"});
  const std::string six = dice.word({"fd01::1", "fd02::1", "fd02::9", "::1"});
  const std::string port = std::to_string(port_number(dice));
  if (scope.hook == "postrouting" || scope.hook == "input") {
    if (scope.hook == "postrouting" && dice.percent(60)) return "masquerade";
    return std::string(scope.family != "inet" ? "snat to "
                       : scope.v6             ? "snat ip6 to "
                                              : "snat ip to ") +
           (scope.v6 ? "fd03::1" : "10.3.0.1");
  }
  if (dice.percent(50)) {
    return std::string(scope.tcp ? "meta l4proto tcp" : "meta l4proto udp") + " redirect" +
           (dice.percent(70) ? " to :" + port : "");
  }
  const bool v6 = scope.v6;
  const std::string family =
      scope.family == "inet" ? (v6 ? "dnat ip6 to " : "dnat ip to ") : "dnat to ";
  const std::string to = v6 ? "[" + six + "]" : four;
  if (dice.percent(30)) return family + (v6 ? six : four);
  return (scope.tcp ? "meta l4proto tcp " : "meta l4proto udp ") + family + to + ":" + port;
}

std::string mark_word(Scope& scope) {
  Dice& dice = scope.plan.dice;
  const std::string number = std::to_string(dice.between(0, 4));
  if (dice.percent(55)) return "meta mark set " + number;
  return dice.word({"ct mark set ", "meta mark set meta mark or ", "ct mark set meta mark or "}) +
         number;
}

bool ends_a_rule(const std::string& statement) {
  return statement.starts_with("reject") || statement.find(" redirect") != std::string::npos ||
         statement.find("dnat") != std::string::npos;
}

std::string statement(Scope& scope) {
  Dice& dice = scope.plan.dice;
  if (scope.type == "nat" && dice.percent(60)) return nat_word(scope);
  const std::string kind =
      dice.weighted({{"verdict", 66},
                     {"reject", 14},
                     {"mark", scope.plan.marks || scope.plan.nat > 0 ? 14U : 4U},
                     {"notrack", 5},
                     {"counter", 4}});
  const bool can_reject = scope.hook != "postrouting" && scope.type == "filter" && !scope.netdev();
  if (kind == "reject" && can_reject) return reject_word(scope);
  if (kind == "mark" && !scope.netdev()) {
    return mark_word(scope) + (dice.percent(25) ? " " + verdict_word(scope) : "");
  }
  if (kind == "notrack" && (scope.hook == "prerouting" || scope.hook == "output") &&
      scope.type == "filter") {
    return "notrack";
  }
  if (kind == "counter") return "counter";
  return (dice.percent(20) ? "counter " : "") + verdict_word(scope);
}

std::string rule(Scope& scope) {
  Dice& dice = scope.plan.dice;
  begin_rule(scope);
  if (dice.percent(10 + 10 * scope.plan.sets) && !scope.netdev()) {
    const std::string map = verdict_map_rule(scope);
    if (!map.empty()) return map;
  }
  std::string line;
  const unsigned matches = dice.below(10) < 1 ? 0 : dice.between(1, 3);
  for (unsigned i = 0; i < matches; i++) line += match(scope) + " ";
  scope.used.emplace_back("end");
  line += statement(scope);
  if (dice.percent(10) && !ends_a_rule(line))
    line += " comment \"rule " + std::to_string(dice.below(90)) + "\"";
  return line;
}

std::string rules(Scope& scope, unsigned count) {
  std::string text;
  for (unsigned i = 0; i < count; i++) text += "    " + rule(scope) + "\n";
  return text;
}

// A firewall that lets nothing in is a dull one: what most have is there mostly.
std::string usual_rules(Scope& scope, bool drops) {
  Dice& dice = scope.plan.dice;
  std::string text;
  if (!drops || scope.netdev()) return text;
  if (scope.family != "ip" && dice.percent(80)) text += "    meta l4proto icmpv6 accept\n";
  if (dice.percent(75)) text += "    ct state established,related accept\n";
  if (dice.percent(40)) text += "    tcp dport { 80, 443, 53 } accept\n";
  return text;
}

std::string priority_word(Dice& dice, const std::string& hook) {
  if (dice.percent(45)) return "0";
  if (hook == "prerouting") {
    return dice.word(
        {"-300", "-300", "-150", "-150", "-201", "-200", "-199", "-101", "-100", "-99", "10"});
  }
  return dice.word({"-150", "-10", "-1", "0", "10", "50", "100", "101", "-225", "-300"});
}

std::string base_chain(Scope scope, const std::string& name) {
  Dice& dice = scope.plan.dice;
  const bool output = scope.plan.one.has_tag("output");
  scope.type = "filter";
  if (scope.netdev()) {
    scope.hook = dice.word({"ingress", "ingress", "egress"});
  } else {
    scope.hook = dice.weighted({{"input", output ? 15U : 48U},
                                {"prerouting", output ? 5U : 22U},
                                {"output", output ? 45U : 14U},
                                {"postrouting", output ? 25U : 8U},
                                {"forward", 5}});
    if (scope.plan.nat > 0 && dice.percent(35)) {
      scope.type = "nat";
      scope.hook =
          dice.weighted({{"prerouting", 70}, {"output", 12}, {"postrouting", 12}, {"input", 6}});
    } else if (scope.hook == "output" && scope.plan.marks && dice.percent(50)) {
      scope.type = "route";
    }
  }
  std::string priority = priority_word(dice, scope.hook);
  if (scope.type == "nat") priority = dice.word({"-100", "-100", "0", "10", "100"});
  const bool drops = dice.percent(scope.type == "nat" ? 8 : 25);
  std::string text;
  for (unsigned i = 0; i < dice.below(4); i++) {
    const std::string jumped = name + "_" + std::to_string(i);
    scope.in_chain = true;
    text += "  chain " + jumped + " {\n" + rules(scope, dice.between(1, 3)) + "  }\n";
    scope.chains.push_back(jumped);
  }
  scope.in_chain = false;
  const std::string device = scope.netdev() ? " device " + dice.word({"eth0", "eth1"}) : "";
  text += "  chain " + name + " {\n    type " + scope.type + " hook " + scope.hook + device +
          " priority " + priority + "; policy " + (drops ? "drop" : "accept") + ";\n";
  text += usual_rules(scope, drops);
  return text + rules(scope, dice.between(1, 2 + scope.plan.firewall * 2)) + "  }\n";
}

std::string table(Plan& plan, unsigned number) {
  Scope scope{.plan = plan};
  Dice& dice = plan.dice;
  scope.family = dice.weighted({{"inet", 52}, {"ip", 28}, {"ip6", 10}, {"netdev", 10}});
  std::string text = "table " + scope.family + " t" + std::to_string(number) + " {\n";
  text += sets_of_table(scope);
  const unsigned chains = dice.between(1, plan.firewall + 1);
  for (unsigned i = 0; i < chains; i++) text += base_chain(scope, "c" + std::to_string(i));
  return text + "}\n";
}

}  // namespace

void add_nft(Plan& plan) {
  if (plan.firewall == 0 && plan.nat == 0 && plan.sets == 0) return;
  const unsigned tables = plan.dice.between(1, std::max(1U, plan.firewall));
  for (unsigned i = 0; i < tables; i++) {
    // Each in a transaction of its own, so that one that nft refuses leaves the others.
    plan.step(Step::Kind::Nft, true, table(plan, i));
  }
}

}  // namespace hark::differential
