#include "generate_match.h"

#include <algorithm>

#include "base/text.h"

namespace hark::differential {

namespace {

std::string some_ranges(Dice& dice, bool v6, unsigned most) {
  std::vector<std::string> chosen;
  for (const std::string& range : source_ranges(v6)) {
    if (chosen.size() < most && dice.percent(45)) chosen.push_back(range);
  }
  if (chosen.empty()) chosen.push_back(source_ranges(v6).front());
  return join(chosen, ", ");
}

std::string not_word(Dice& dice) {
  return dice.percent(18) ? "!= " : "";
}

const NamedSet* set_of(Scope& scope, const std::string& type) {
  std::vector<const NamedSet*> fitting;
  for (const NamedSet& set : scope.sets) {
    if (set.type == type) fitting.push_back(&set);
  }
  return fitting.empty() ? nullptr : scope.plan.dice.of(fitting);
}

std::string source_match(Scope& scope) {
  Dice& dice = scope.plan.dice;
  const bool v6 = scope.v6;
  // In output hooks the client is the destination.
  const bool client_is_source =
      scope.before_routing() || scope.hook == "forward" || dice.percent(20);
  const std::string head =
      std::string(v6 ? "ip6 " : "ip ") + (client_is_source ? "saddr " : "daddr ");
  const NamedSet* set = set_of(scope, v6 ? "v6" : "v4");
  if (set != nullptr && dice.percent(60)) return head + not_word(dice) + "@" + set->name;
  if (dice.percent(35)) return head + not_word(dice) + "{ " + some_ranges(dice, v6, 5) + " }";
  return head + not_word(dice) + dice.of(source_ranges(v6));
}

std::string port_match(Scope& scope) {
  Dice& dice = scope.plan.dice;
  const bool service_is_destination =
      scope.before_routing() || scope.hook == "forward" || dice.percent(25);
  const bool either = scope.used.size() == 1 && dice.percent(10);
  const std::string head = std::string(either      ? "th "
                                       : scope.tcp ? "tcp "
                                                   : "udp ") +
                           (service_is_destination ? "dport " : "sport ");
  const std::string guard = either ? "meta l4proto { tcp, udp } " : "";
  if (either) scope.used.insert(scope.used.end(), {"header", "client", "concat"});
  const NamedSet* set = set_of(scope, "port");
  if (set != nullptr && dice.percent(50)) return guard + head + not_word(dice) + "@" + set->name;
  if (dice.percent(25)) return guard + head + not_word(dice) + "{ 22, 80-443, 8081, 53 }";
  return guard + head + not_word(dice) + port_word(dice);
}

std::string client_port_match(Scope& scope) {
  Dice& dice = scope.plan.dice;
  const std::string side = scope.before_routing() ? "sport " : "dport ";
  return std::string(scope.tcp ? "tcp " : "udp ") + side +
         dice.word({"1-1023", "1024-65535", "32768-60999", "!= 32768-60999", "4000", "> 40000",
                    "< 50000"});
}

std::string ct_match(Scope& scope) {
  Dice& dice = scope.plan.dice;
  return dice.weighted(
      {{"ct state new", 20},
       {"ct state established", 12},
       {"ct state established,related", 12},
       {"ct state invalid", 10},
       {"ct state untracked", 6},
       {"ct state != new", 6},
       {"ct state { new, untracked }", 6},
       {"ct state new,invalid", 5},
       {"ct direction original", 5},
       {"ct direction reply", 5},
       {"ct status dnat", 6},
       {"ct status seen-reply", 3},
       {"ct status confirmed", 3},
       {"ct mark 1", 5},
       {"ct mark != 0", 4},
       {"ct mark and 0x2 == 0x2", 3},
       {scope.v6 ? "ct original ip6 daddr fd01::1" : "ct original ip daddr 10.1.0.1", 4},
       {"ct protocol tcp", 3}});
}

std::string mark_match(Scope& scope) {
  return scope.plan.dice.word({"meta mark 0", "meta mark 1", "meta mark != 0", "meta mark 1-3",
                               "meta mark and 0x1 == 0x1", "meta mark { 2, 3 }"});
}

std::string interface_match(Scope& scope) {
  Dice& dice = scope.plan.dice;
  if (scope.netdev()) return std::string("meta protocol ") + (scope.v6 ? "ip6" : "ip");
  if (scope.before_routing()) {
    return dice.word({"iifname \"eth0\"", "iifname \"eth1\"", "iifname != \"lo\"",
                      "iifname \"eth*\"", "iif \"eth0\"", "iif \"lo\"",
                      "iifname { \"eth1\", \"lo\" }", "meta iiftype ether", "meta iifgroup 0"});
  }
  return dice.word({"oifname \"eth0\"", "oifname \"eth*\"", "oif \"lo\"", "oifname != \"eth1\"",
                    "oifname { \"eth0\", \"eth2\" }"});
}

std::string fib_match(Scope& scope) {
  Dice& dice = scope.plan.dice;
  if (!scope.before_routing() || scope.netdev()) {
    return scope.netdev() ? "meta pkttype host"
                          : dice.word({"fib daddr type local", "fib saddr type local"});
  }
  return dice.word({"fib daddr type local", "fib daddr type != local", "fib saddr type unicast",
                    "fib saddr type local", "fib saddr . iif oif missing",
                    "fib saddr . iif oif exists", "fib saddr oif exists",
                    "fib daddr . iif type local", "fib saddr . mark . iif oif missing",
                    "fib saddr oifname \"eth0\"", "fib daddr type { broadcast, multicast }"});
}

std::string header_match(Scope& scope) {
  Dice& dice = scope.plan.dice;
  if (!scope.v6 && dice.percent(35)) {
    return dice.word({"ip ttl 64", "ip dscp 0", "ip version 4", "ip daddr 10.1.0.1",
                      "ip daddr 10.0.0.0/8", "ip daddr != 10.2.0.0/16", "ip frag-off & 0x1fff == 0",
                      "ip daddr { 10.1.0.1, 10.2.0.0/24 }"});
  }
  if (scope.v6 && dice.percent(30)) {
    return dice.word({"ip6 hoplimit 64", "ip6 daddr fd01::1", "ip6 daddr fd00::/8"});
  }
  if (scope.tcp && dice.percent(60)) {
    return dice.word({"meta l4proto tcp", "tcp flags syn", "tcp flags & (fin|syn|rst|ack) == syn",
                      "tcp flags != syn", "tcp flags & (syn|ack) == (syn|ack)",
                      "tcp flags { syn, syn|ack }", "tcp flags ack", "tcp flags & rst == 0"});
  }
  if (scope.family == "inet" && dice.percent(30)) {
    return scope.v6 ? "meta nfproto ipv6" : "meta nfproto ipv4";
  }
  return dice.word({"meta pkttype host", "meta length < 1000",
                    scope.tcp ? "meta l4proto != udp" : "meta l4proto udp",
                    scope.v6 ? "meta protocol ip6" : "meta protocol ip"});
}

std::string concat_match(Scope& scope) {
  Dice& dice = scope.plan.dice;
  const bool before = scope.before_routing() || scope.hook == "forward";
  const std::string key = before ? "ip saddr . tcp dport " : "ip daddr . tcp sport ";
  const NamedSet* set = set_of(scope, "v4.port");
  if (set != nullptr && dice.percent(70)) return key + not_word(dice) + "@" + set->name;
  return key + dice.word({"{ 192.0.2.0/28 . 80-443, 198.51.100.0/25 . 1-1023 }",
                          "{ 192.0.2.1 . 80, 203.0.113.9 . 443, 10.1.0.16 . 80 }",
                          "{ 0.0.0.0/0 . 5000-8080, 203.0.113.9 . 22 }"});
}

std::string chance_match(Scope& scope) {
  return scope.plan.dice.word(
      {"limit rate 5/minute burst 3 packets", "numgen random mod 2 0", "numgen inc mod 3 1"});
}

std::string elements_of(Dice& dice, const std::string& type) {
  if (type == "v4") return some_ranges(dice, false, 9);
  if (type == "v6") return some_ranges(dice, true, 6);
  if (type == "port")
    return dice.word({"22, 80-443, 8080", "80, 53, 8081", "1-1023, 5000", "80-81, 440-500, 5001"});
  if (type == "v4.port") {
    // In this order on purpose: a wider element after a narrower one, of which the first counts.
    return dice.word({"192.0.2.0/28 . 80-443, 198.51.100.0/25 . 1-1023, 10.1.0.0/16 . 8080",
                      "203.0.113.9 . 80, 203.0.113.0/24 . 1-65535",
                      "192.0.2.1 . 80, 192.0.2.0/24 . 79-90"});
  }
  return {};
}

// The verdicts of a map; jumps only to chains that exist already.
std::string map_elements(Scope& scope, const std::string& key) {
  Dice& dice = scope.plan.dice;
  const auto verdict = [&]() -> std::string {
    if (!scope.chains.empty() && dice.percent(30)) {
      return dice.word({"jump ", "goto "}) + dice.of(scope.chains);
    }
    return dice.word({"accept", "drop", "accept", "drop", "continue", "return"});
  };
  std::vector<std::string> keys;
  if (key == "port") keys = {"80", "81", "443", "53", "5000-5001", "8080"};
  if (key == "v4") keys = source_ranges(false);
  if (key == "v6") keys = source_ranges(true);
  if (key == "state") keys = {"new", "established", "invalid", "untracked"};
  if (key == "mark") keys = {"0", "1", "2-4"};
  if (key == "interface") keys = {"\"eth0\"", "\"eth1\"", "\"lo\""};
  if (key == "concat")
    keys = {"192.0.2.0/28 . 80-81", "198.51.100.0/25 . 443", "10.1.0.0/16 . 1-1023"};
  std::vector<std::string> elements;
  for (const std::string& one : keys) {
    if (dice.percent(60)) elements.push_back(one + " : " + verdict());
  }
  if (key != "concat" && dice.percent(15)) elements.push_back("* : " + verdict());
  if (elements.empty()) elements.push_back(keys.front() + " : accept");
  return "{ " + join(elements, ", ") + " }";
}

}  // namespace

void begin_rule(Scope& scope) {
  Dice& dice = scope.plan.dice;
  scope.used.clear();
  scope.v6 = scope.family == "ip6" || (scope.family != "ip" && dice.percent(28));
  scope.tcp = dice.percent(70);
}

std::string match(Scope& scope) {
  Dice& dice = scope.plan.dice;
  if (scope.plan.chance && dice.percent(10) && !scope.netdev()) return chance_match(scope);
  const unsigned sets = scope.plan.sets;
  const std::string kind = dice.weighted(
      {{"source", 30 + 8 * sets},
       {"port", 30},
       {"ct", scope.netdev() ? 0U : 8U + 10U * scope.plan.nat},
       {"mark", scope.netdev() ? 0U : (scope.plan.marks || scope.plan.nat > 0 ? 8U : 2U)},
       {"interface", 8},
       {"fib", 5},
       {"header", 12},
       {"client", 4},
       {"concat", !scope.v6 && scope.tcp ? 3 + 7 * sets : 0}});
  if (std::ranges::find(scope.used, kind) != scope.used.end()) return {};
  scope.used.push_back(kind);
  if (kind == "source") return source_match(scope);
  if (kind == "port") return port_match(scope);
  if (kind == "ct") return ct_match(scope);
  if (kind == "mark") return mark_match(scope);
  if (kind == "interface") return interface_match(scope);
  if (kind == "fib") return fib_match(scope);
  if (kind == "client") return client_port_match(scope);
  if (kind == "concat") return concat_match(scope);
  return header_match(scope);
}

std::string verdict_map_rule(Scope& scope) {
  Dice& dice = scope.plan.dice;
  const bool before = scope.before_routing() || scope.hook == "forward";
  const std::string kind = dice.word({"port", "v4", "v6", "state", "mark", "interface", "concat"});
  if (kind == "v4" && scope.family == "ip6") return {};
  if (kind == "concat" && scope.family == "ip6") return {};
  if (kind == "v6" && scope.family == "ip") return {};
  if (kind == "interface" && !scope.before_routing()) return {};
  const std::string head = kind == "port"        ? (before ? "tcp dport" : "tcp sport")
                           : kind == "v4"        ? (before ? "ip saddr" : "ip daddr")
                           : kind == "v6"        ? (before ? "ip6 saddr" : "ip6 daddr")
                           : kind == "state"     ? "ct state"
                           : kind == "mark"      ? "meta mark"
                           : kind == "interface" ? "iifname"
                           : before              ? "ip saddr . tcp dport"
                                                 : "ip daddr . tcp sport";
  return head + " vmap " + map_elements(scope, kind);
}

std::string sets_of_table(Scope& scope) {
  Dice& dice = scope.plan.dice;
  std::string text;
  for (unsigned i = 0; i < dice.below(scope.plan.sets + 1) + (scope.plan.sets > 1 ? 1 : 0); i++) {
    const std::string type = scope.family == "ip6"  ? dice.word({"v6", "port"})
                             : scope.family == "ip" ? dice.word({"v4", "v4.port", "port"})
                                                    : dice.word({"v4", "v6", "v4.port", "port"});
    const std::string name = "s" + std::to_string(i);
    const std::string key = type == "v4"     ? "ipv4_addr"
                            : type == "v6"   ? "ipv6_addr"
                            : type == "port" ? "inet_service"
                                             : "ipv4_addr . inet_service";
    text += "  set " + name + " { type " + key + "; flags interval; elements = { " +
            elements_of(dice, type) + " }; }\n";
    scope.sets.push_back({name, type});
  }
  return text;
}

}  // namespace hark::differential
