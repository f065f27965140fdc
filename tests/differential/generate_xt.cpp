// Random iptables rules: the same text for the nft-backed program and for the old one.
#include "generate.h"

namespace hark::differential {

namespace {

struct Tongue {
  bool v6 = false;
  bool legacy = false;
};

std::string xt_source(Dice& dice, bool v6) {
  if (v6)
    return dice.word({"2001:db8::/64", "2001:db8:0:1::/68", "fd01::2/128", "2001:db8:8::/45"});
  return dice.word({"192.0.2.0/28", "192.0.2.16/29", "198.51.100.0/25", "203.0.113.9",
                    "10.1.0.16/28", "100.64.0.0/10", "172.16.0.0/12"});
}

std::string xt_match(Dice& dice, const Tongue& tongue, const std::string& chain) {
  const bool in = chain == "INPUT" || chain == "PREROUTING";
  const std::string protocol = dice.word({"tcp", "tcp", "udp"});
  const std::string port = in ? " --dport " : " --sport ";
  switch (dice.below(16)) {
    case 0:
    case 1:
    case 2:
      return "-p " + protocol + " -m " + protocol + port + std::to_string(port_number(dice));
    case 3:
      return "-p " + protocol + " -m " + protocol + port +
             dice.word({"80:443", "1:1023", "5000:8080"});
    case 4:
    case 5:
      return (in ? "-s " : "-d ") + xt_source(dice, tongue.v6);
    case 6:
      return std::string("! ") + (in ? "-s " : "-d ") + xt_source(dice, tongue.v6);
    case 7:
      return "-p " + protocol + " -m multiport " + (in ? "--dports " : "--sports ") +
             dice.word({"80,443", "22,80:81,8080", "53,5000:5001"});
    case 8:
      return "-m conntrack --ctstate " + dice.word({"NEW", "ESTABLISHED,RELATED", "INVALID",
                                                    "NEW,ESTABLISHED", "UNTRACKED", "DNAT"});
    case 9:
      return "-m state --state " + dice.word({"NEW", "ESTABLISHED", "INVALID"});
    case 10:
      if (tongue.v6) return "-p tcp";
      return "-m iprange " + std::string(in ? "--src-range " : "--dst-range ") +
             dice.word({"192.0.2.32-192.0.2.40", "10.1.0.100-10.1.0.120"});
    case 11:
      return std::string(in ? "-i " : "-o ") + dice.word({"eth0", "eth1", "eth+", "lo"});
    case 12:
      return "-m addrtype " + std::string(in ? "--src-type " : "--dst-type ") +
             dice.word({"LOCAL", "UNICAST"});
    case 13:
      return "-m mark --mark " + dice.word({"0x0", "0x1", "0x1/0x1", "0x2"});
    case 14:
      return "-p tcp -m tcp " +
             dice.word({"--syn", "--tcp-flags SYN,ACK SYN", "--tcp-flags SYN,ACK SYN,ACK"});
    default:
      return tongue.v6 ? "-m hl --hl-gt 10"
                       : dice.word({"-m ttl --ttl-gt 10", "-m pkttype --pkt-type unicast"});
  }
}

std::string xt_target(Dice& dice, const Tongue& tongue, const std::string& table,
                      const std::string& chain, bool user_chain) {
  if (table == "nat" && dice.percent(75)) {
    if (chain == "POSTROUTING") return "MASQUERADE";
    if (dice.percent(50)) return "REDIRECT --to-ports " + std::to_string(port_number(dice));
    return tongue.v6 ? "DNAT --to-destination [fd02::1]:80"
                     : "DNAT --to-destination " +
                           dice.word({"10.2.0.1:80", "10.1.0.1", "127.0.0.1:8080", "10.2.0.9:80"});
  }
  if (table == "mangle" && dice.percent(50))
    return "MARK --set-xmark " + dice.word({"0x1/0xffffffff", "0x2/0x2"});
  if (table == "raw" && dice.percent(40)) return "CT --notrack";
  if (table == "filter" && dice.percent(20)) {
    if (dice.percent(25)) return "REJECT --reject-with tcp-reset";
    return "REJECT --reject-with " +
           (tongue.v6 ? dice.word({"icmp6-adm-prohibited", "icmp6-port-unreachable"})
                      : dice.word({"icmp-host-prohibited", "icmp-port-unreachable",
                                   "icmp-admin-prohibited", "icmp-host-unreachable"}));
  }
  if (!user_chain && dice.percent(20)) return "user";
  return dice.weighted({{"ACCEPT", 40}, {"DROP", table == "nat" ? 0U : 35U}, {"RETURN", 15}});
}

std::string xt_rule(Dice& dice, const Tongue& tongue, const std::string& table,
                    const std::string& chain, const std::string& in_chain) {
  const bool user_chain = chain != in_chain;
  std::string line = "-A " + in_chain;
  std::string target = xt_target(dice, tongue, table, chain, user_chain);
  const bool wants_ports = target.find(":") != std::string::npos || target.starts_with("REDIRECT");
  const bool wants_tcp = target.find("tcp-reset") != std::string::npos;
  std::string matched = xt_match(dice, tongue, chain);
  if ((wants_ports || wants_tcp) && matched.find("-p tcp") == std::string::npos) matched = "-p tcp";
  line += " " + matched;
  if (dice.percent(40)) {
    const std::string more = xt_match(dice, tongue, chain);
    // A protocol, or a match with its options, may be given once.
    const bool both_protocol =
        more.find("-p ") != std::string::npos && line.find("-p ") != std::string::npos;
    const std::string word = more.substr(0, more.find(' ', 3));
    if (!both_protocol && line.find(word) == std::string::npos && !more.starts_with("! ") &&
        !more.starts_with("-s") && !more.starts_with("-d"))
      line += " " + more;
  }
  return line + " -j " + target + "\n";
}

std::string xt_table(Plan& plan, const Tongue& tongue) {
  Dice& dice = plan.dice;
  const std::string table =
      dice.weighted({{"filter", 55}, {"nat", 16}, {"mangle", 12}, {"raw", 10}, {"security", 5}});
  std::vector<std::string> chains = {"INPUT", "FORWARD", "OUTPUT"};
  if (table == "nat") chains = {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"};
  if (table == "mangle") chains = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"};
  if (table == "raw") chains = {"PREROUTING", "OUTPUT"};
  std::string text = "*" + table + "\n";
  for (const std::string& chain : chains) {
    const bool drops = table != "nat" && chain != "FORWARD" && dice.percent(12);
    text += ":" + chain + (drops ? " DROP" : " ACCEPT") + " [0:0]\n";
  }
  const std::string main = table == "nat" || table == "mangle" || table == "raw"
                               ? dice.word({"PREROUTING", "PREROUTING", "PREROUTING", "OUTPUT"})
                               : dice.word({"INPUT", "INPUT", "INPUT", "OUTPUT"});
  text += ":user - [0:0]\n";
  for (unsigned i = 0; i < dice.between(2, 5); i++)
    text += xt_rule(dice, tongue, table, main, main);
  if (dice.percent(60)) text += "-A " + main + " -j user\n";
  for (unsigned i = 0; i < dice.between(1, 3); i++)
    text += xt_rule(dice, tongue, table, main, "user");
  return text + "COMMIT\n";
}

}  // namespace

void add_xt(Plan& plan) {
  Dice& dice = plan.dice;
  for (unsigned i = 0; i < plan.xt; i++) {
    const Tongue tongue{.v6 = dice.percent(25), .legacy = dice.percent(50)};
    const std::string program = std::string(tongue.v6 ? "ip6tables" : "iptables") +
                                (tongue.legacy ? "-legacy-restore" : "-nft-restore");
    // Without flushing: two tables by the same program stand side by side.
    plan.step(Step::Kind::Restore, true, xt_table(plan, tongue), program);
  }
}

}  // namespace hark::differential
