// Containers: c0 and c1 on a bridge, c2 behind a pair of its own, as Docker and routed networks
// have them, each of the parts sometimes missing or odd.
#include <array>
#include <tuple>

#include "generate.h"

namespace hark::differential {

namespace {

struct Box {
  const char* name;
  const char* four;
  const char* six;
};
constexpr std::array<Box, 4> kBoxes = {{{"c0", "172.18.0.2", "fd18::2"},
                                        {"c1", "172.18.0.3", "fd18::3"},
                                        {"c2", "172.19.0.2", "fd19::2"},
                                        {"c3", "172.18.0.4", "fd18::4"}}};
/// The last one is a client, whose own settings are not odd.
constexpr unsigned kServers = 3;

std::uint16_t box_port(Dice& dice) {
  return static_cast<std::uint16_t>(dice.percent(75) ? dice.between(80, 82)
                                                     : dice.between(8080, 8081));
}

class Boxes {
 public:
  explicit Boxes(Plan& plan) : plan_(plan), dice_(plan.dice) {}

  void add() {
    add_bridge();
    for (const Box& box : kBoxes) add_box(box);
    add_settings();
    add_nat();
    add_forward();
  }

 private:
  void host(const std::string& command) { plan_.step(Step::Kind::Ip, false, command); }
  void in(const Box& box, const std::string& command, bool late = false) {
    plan_.step(Step::Kind::In, late, command, box.name);
  }
  void sysctl(const std::string& text) { plan_.step(Step::Kind::Sysctl, false, text); }

  // Who is not there is known to be not there after a millisecond, not three seconds.
  void hurry(const std::string& link) {
    for (const std::string family : {"ipv4", "ipv6"}) {
      sysctl(family + "/neigh/" + link + "/mcast_solicit 1");
      sysctl(family + "/neigh/" + link + "/retrans_time_ms 1");
    }
  }

  void add_bridge() {
    host("link add br0 address 02:00:00:00:18:01 type bridge");
    host("address add 172.18.0.1/24 dev br0");
    host("address add fd18::1/64 nodad dev br0");
    host("link set br0 up");
    hurry("br0");
  }

  void add_box(const Box& box) {
    plan_.one.boxes.emplace_back(box.name);
    const std::string link = std::string("v") + box.name;
    const bool routed = box.name[1] == '2';
    // A macvlan in the place of one end of a pair.
    const bool stacked = routed && dice_.percent(30);
    const std::string wire = stacked ? "p" + std::string(box.name) : link;
    host("link add " + wire + " type veth peer name eth0 netns @" + box.name);
    if (stacked) {
      host("link set " + wire + " up");
      host("link add " + link + " link " + wire + " type macvlan mode " +
           dice_.word({"bridge", "private", "vepa", "passthru"}));
    }
    if (routed) {
      host("address add 172.19.0.1/30 dev " + link);
      host("address add fd19::1/64 nodad dev " + link);
      hurry(link);
    } else {
      host("link set " + link + " master br0");
      if (dice_.percent(30)) host("link set " + link + " type bridge_slave hairpin on");
      if (dice_.percent(15)) host("link set " + link + " type bridge_slave isolated on");
    }
    host("link set " + link + " up");
    in(box, "ip link set eth0 up");
    in(box, std::string("ip address add ") + box.four + (routed ? "/30" : "/24") + " dev eth0");
    in(box, std::string("ip address add ") + box.six + "/64 nodad dev eth0");
    for (const std::string family : {"ipv4", "ipv6"}) {
      in(box, "sysctl " + family + "/neigh/eth0/mcast_solicit 1");
      in(box, "sysctl " + family + "/neigh/eth0/retrans_time_ms 1");
    }
    const bool plain = box.name[1] == '3';
    if (plain || dice_.percent(90)) {
      in(box, std::string("ip route add default via ") + (routed ? "172.19.0.1" : "172.18.0.1"));
    } else if (dice_.percent(50)) {
      in(box, "ip route add " + dice_.word({"unreachable", "blackhole", "prohibit"}) + " default");
    }
    if (plain || dice_.percent(85)) {
      in(box, std::string("ip -6 route add default via ") + (routed ? "fd19::1" : "fd18::1"));
    }
    if (plain) {
      // hark takes clients from elsewhere to know this host's link-layer address.
      for (const std::string gateway : {"172.18.0.1", "fd18::1"}) {
        in(box, "ip neigh add " + gateway + " lladdr 02:00:00:00:18:01 dev eth0");
      }
      // It may ask for what it publishes itself.
      plan_.one.listeners.emplace_back("c3l0 tcp 0.0.0.0 80 in=c3");
      return;
    }
    if (dice_.percent(8)) in(box, "sysctl ipv4/conf/eth0/rp_filter " + dice_.word({"1", "2"}));
    if (dice_.percent(4)) in(box, "sysctl ipv4/conf/eth0/arp_ignore 8");
    if (dice_.percent(3)) in(box, "ip link set eth0 down");
    if (dice_.percent(3)) host("link set " + link + " down");
    add_listeners(box);
    if (dice_.percent(25)) add_firewall(box);
  }

  void add_listeners(const Box& box) {
    const unsigned count = dice_.between(2, 4);
    for (unsigned i = 0; i < count; i++) {
      const bool udp = dice_.percent(30);
      const std::string where =
          dice_.weighted({{"0.0.0.0", 45}, {"::", 35}, {"127.0.0.1", 8}, {"own", 8}, {"::1", 4}});
      std::string line =
          std::string(box.name) + "l" + std::to_string(i) + (udp ? " udp " : " tcp ");
      line += where == "own" ? box.four : where;
      line += " " + std::to_string(box_port(dice_)) + " in=" + box.name;
      if (udp && dice_.percent(50)) line += " nopktinfo";
      if (!udp && dice_.percent(4)) line += " stopped";
      plan_.one.listeners.push_back(line);
    }
  }

  void add_firewall(const Box& box) {
    const std::string way = dice_.weighted({{"input", 60}, {"output", 25}, {"prerouting", 15}});
    const bool drops = dice_.percent(40);
    std::string text = "nft\ntable inet f {\n  chain c { type filter hook " + way + " priority 0;" +
                       (drops ? " policy drop;\n" : "\n");
    if (drops) text += "    meta l4proto icmpv6 accept\n";
    if (drops && dice_.percent(70)) text += "    ct state established,related accept\n";
    const unsigned count = dice_.between(1, 3);
    for (unsigned i = 0; i < count; i++) {
      text += "    " + test() + " " + dice_.word({"accept", "drop", "reject", "accept"}) + "\n";
    }
    in(box, text + "  }\n}\n", true);
  }

  std::string test() {
    const std::string port = dice_.word({"80", "81", "80-82", "8080"});
    switch (dice_.below(8)) {
      case 0:
        return "tcp dport " + port;
      case 1:
        return "udp dport " + port;
      case 2:
        return "ip saddr " + dice_.of(source_ranges(false));
      case 3:
        return "ct state " + dice_.word({"new", "established", "invalid", "related"});
      case 4:
        return "ip saddr " + dice_.word({"172.18.0.1", "172.18.0.0/24", "10.1.0.1"});
      case 5:
        return "meta l4proto " + dice_.word({"tcp", "udp", "icmp"});
      case 6:
        return "ip6 saddr " + dice_.of(source_ranges(true));
      default:
        return "tcp flags & (syn|ack) == " + dice_.word({"syn", "syn|ack", "ack"});
    }
  }

  void add_settings() {
    for (const char* family : {"iptables", "ip6tables"}) {
      const std::string setting = std::string("net.bridge.bridge-nf-call-") + family;
      plan_.step(Step::Kind::Run, false, "sysctl -qw " + setting + dice_.word({"=0", "=1"}));
    }
    if (dice_.percent(93)) sysctl("ipv4/ip_forward 1");
    if (dice_.percent(90)) sysctl("ipv6/conf/all/forwarding 1");
    // An interface's own setting follows that of all.
    if (dice_.percent(4)) sysctl("ipv4/conf/eth0/forwarding 0");
    if (dice_.percent(4)) sysctl("ipv4/conf/br0/forwarding 0");
    if (dice_.percent(6)) sysctl("ipv4/conf/br0/rp_filter 1");
    if (dice_.percent(25)) {
      sysctl("ipv4/conf/br0/route_localnet 1");
      sysctl("ipv4/conf/eth0/route_localnet 1");
    }
  }

  std::string target(bool v6, std::uint16_t port) {
    const Box& box = kBoxes.at(dice_.percent(15) ? kServers : dice_.below(kServers));
    std::string out = v6 ? std::string("[") + box.six + "]" : std::string(box.four);
    if (!v6 && dice_.percent(4)) out = dice_.word({"127.0.0.1", "172.18.0.9"});
    if (port != 0) return out + ":" + std::to_string(port);
    return v6 ? box.six : out;
  }

  std::string publish(bool v6) {
    const bool udp = dice_.percent(25);
    const auto port =
        static_cast<std::uint16_t>(dice_.percent(60) ? dice_.between(8000, 8009) : box_port(dice_));
    plan_.published.emplace_back(udp, port);
    std::string rule = "    ";
    if (dice_.percent(70)) rule += "fib daddr type local ";
    if (dice_.percent(10)) rule += v6 ? "ip6 daddr fd01::1 " : "ip daddr 10.1.0.1 ";
    if (dice_.percent(8)) rule += dice_.word({"iifname != \"br0\" ", "iifname \"eth0\" "});
    if (!v6 && dice_.percent(5)) rule += "ip daddr 127.0.0.1 ";
    rule += (udp ? "udp dport " : "tcp dport ") + std::to_string(port) + " dnat to ";
    return rule + target(v6, dice_.percent(80) ? box_port(dice_) : std::uint16_t{0}) + "\n";
  }

  void add_nat() {
    for (const bool v6 : {false, true}) {
      if (v6 && dice_.percent(35)) continue;
      std::string rules;
      const unsigned count = dice_.between(3, 6);
      for (unsigned i = 0; i < count; i++) rules += publish(v6);
      std::string text = std::string("table ") + (v6 ? "ip6" : "ip") + " nat {\n";
      text += "  chain pre { type nat hook prerouting priority -100;\n" + rules + "  }\n";
      if (dice_.percent(70)) {
        text += "  chain out { type nat hook output priority -100;\n" + rules + "  }\n";
      }
      text += "  chain post { type nat hook postrouting priority 100;\n";
      const std::string net = v6 ? "ip6 saddr fd18::/64" : "ip saddr 172.18.0.0/24";
      if (dice_.percent(60)) text += "    " + net + " oifname != \"br0\" masquerade\n";
      if (dice_.percent(40)) text += "    " + net + " oifname \"br0\" masquerade\n";
      if (dice_.percent(20)) text += "    oifname \"br0\" masquerade\n";
      if (!v6 && dice_.percent(25))
        text += "    ip saddr 127.0.0.0/8 oifname != \"lo\" masquerade\n";
      if (!v6 && dice_.percent(6)) text += "    oifname \"br0\" snat to 172.18.0.1\n";
      plan_.step(Step::Kind::Nft, true, text + "  }\n}\n");
    }
  }

  void add_forward() {
    if (dice_.percent(25)) return;
    const bool drops = dice_.percent(55);
    std::string text = "table inet fw {\n  chain f { type filter hook forward priority 0;";
    text += drops ? " policy drop;\n" : "\n";
    if (drops && dice_.percent(85)) text += "    ct state established,related accept\n";
    if (drops && dice_.percent(60)) text += "    ct status dnat accept\n";
    if (dice_.percent(40)) text += "    iifname \"br0\" accept\n";
    const unsigned count = dice_.between(0, 4);
    for (unsigned i = 0; i < count; i++) {
      std::string way = dice_.word({"", "", "oifname \"br0\" ", "iifname \"eth0\" ",
                                    "ct direction reply ", "ct original proto-dst 8001 "});
      text += "    " + way + test() + " " +
              dice_.word({"accept", "accept", "drop", "reject", "reject with tcp reset"}) + "\n";
    }
    // A reset answers TCP alone.
    for (std::size_t at = 0; (at = text.find("reject with tcp reset", at)) != std::string::npos;) {
      text.insert(at, "meta l4proto tcp ");
      at += 40;
    }
    plan_.step(Step::Kind::Nft, true, text + "  }\n}\n");
  }

  Plan& plan_;
  Dice& dice_;
};

}  // namespace

void add_boxes(Plan& plan) {
  Boxes(plan).add();
}

void add_box_asks(Plan& plan) {
  Dice& dice = plan.dice;
  const unsigned count = dice.between(25, 40);
  for (unsigned i = 0; i < count; i++) {
    Ask ask;
    const bool v6 = dice.percent(25);
    const Box& box = kBoxes.at(dice.below(kServers));
    ask.udp = dice.percent(25);
    ask.port = box_port(dice);
    const bool direct = dice.percent(25);
    if (!direct) std::tie(ask.udp, ask.port) = dice.of(plan.published);
    ask.interface = dice.percent(80) ? "eth0" : "eth1";
    ask.source = dice.of(source_addresses(v6));
    std::string to = v6 ? "fd01::1" : dice.word({"10.1.0.1", "10.1.0.1", "10.2.0.1"});
    if (direct) to = v6 ? box.six : box.four;
    const unsigned from = dice.below(100);
    if (from < 20) {
      ask.interface = "lo";
      ask.source = *IpAddress::parse(v6 ? "fd01::1" : "10.1.0.1");
      if (!v6 && !direct && dice.percent(30)) {
        to = "127.0.0.1";
        ask.source = *IpAddress::parse("127.0.0.1");
      }
    } else if (from < 35) {
      const Box& client = kBoxes.at(kServers);
      ask.interface = client.name;
      ask.source = *IpAddress::parse(v6 ? client.six : client.four);
      // Neighbours talk past this host.
      if (direct) to = v6 ? "fd01::1" : "10.1.0.1";
      if (!direct && dice.percent(30) && !v6) to = "172.18.0.1";
    } else if (!v6 && !direct && dice.percent(4)) {
      to = "127.0.0.1";
    }
    ask.destination = *IpAddress::parse(to);
    plan.one.asks.push_back(ask);
  }
}

}  // namespace hark::differential
