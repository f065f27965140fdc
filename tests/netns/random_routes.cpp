#include "random_routes.h"

#include <fmt/format.h>

namespace hark::netns {
namespace {

std::string link(Dice& dice) {
  return fmt::format("v{}", dice.roll(kRandomLinks));
}

/// Few bits, so that prefixes meet.
std::string host4(Dice& dice) {
  return fmt::format("10.{}.{}.{}", dice.roll(3), dice.roll(2),
                     dice.of<unsigned>({0, 1, 2, 3, 5, 9, 127, 128, 254, 255}));
}

std::string host6(Dice& dice) {
  return fmt::format("fd0{}:{}::{}", dice.roll(3), dice.roll(2),
                     dice.of<std::string>({"1", "2", "5", "1:1", "a:0:0:1", "ffff"}));
}

std::string prefix4(Dice& dice) {
  const unsigned length = dice.of<unsigned>({0, 8, 15, 16, 23, 24, 25, 31, 32, 32});
  const IpAddress address =
      *IpAddress::parse(dice.chance(7) ? fmt::format("127.{}.0.1", dice.roll(2)) : host4(dice));
  return Prefix::parse(fmt::format("{}/{}", address.text(), length))->text();
}

std::string prefix6(Dice& dice) {
  const unsigned length = dice.of<unsigned>({0, 7, 16, 32, 33, 64, 80, 127, 128, 128});
  return Prefix::parse(fmt::format("{}/{}", host6(dice), length))->text();
}

std::string table(Dice& dice) {
  return dice.of<std::string>({"main", "main", "main", "local", "100", "101", "default"});
}

std::string hop(Dice& dice, bool v6) {
  const std::string gateway = v6 ? (dice.chance(30) ? "fe80::9" : host6(dice)) : host4(dice);
  const std::string via = dice.chance(50) ? fmt::format("via {} ", gateway) : "";
  return fmt::format("{}dev {}{}", via, link(dice), via.empty() ? "" : " onlink");
}

std::string route(Dice& dice, bool v6) {
  const std::string type = dice.of<std::string>(
      {"unicast", "unicast", "unicast", "unicast", "unicast", "local", "broadcast", "blackhole",
       "unreachable", "prohibit", "throw", "multicast", "anycast"});
  if (v6 && (type == "broadcast" || type == "multicast")) return {};
  std::string out = fmt::format("route append {} {}", type, v6 ? prefix6(dice) : prefix4(dice));
  if (v6 && dice.chance(10)) out += " from " + prefix6(dice);
  out += " table " + table(dice);
  if (!v6 && dice.chance(15)) out += dice.of<std::string>({" tos 0x10", " tos 0x08"});
  if (dice.chance(40)) out += fmt::format(" metric {}", 1 + dice.roll(3));
  const bool takes_hop = type == "unicast" || type == "local" || type == "broadcast" ||
                         type == "multicast" || type == "anycast";
  if (!takes_hop) return out + "\n";
  if (dice.chance(10)) out += " src " + (v6 ? host6(dice) : host4(dice));
  if (type != "unicast" || dice.chance(80)) {
    out += type == "unicast" ? " " + hop(dice, v6) : " dev " + link(dice);
    if (type == "unicast" && !v6 && dice.chance(10)) out += " scope host";
    return out + "\n";
  }
  for (unsigned i = 0; i < 2 + dice.roll(2); ++i) out += " nexthop " + hop(dice, v6);
  return out + "\n";
}

std::string rule_selectors(Dice& dice, bool v6) {
  std::string out = dice.chance(15) ? " not" : "";
  const std::string prefix = v6 ? prefix6(dice) : prefix4(dice);
  out += dice.chance(35) ? " from " + prefix : " from all";
  if (dice.chance(30)) out += " to " + (v6 ? prefix6(dice) : prefix4(dice));
  if (dice.chance(20)) out += " iif " + (dice.chance(30) ? std::string("lo") : link(dice));
  if (dice.chance(10)) out += " oif " + link(dice);
  if (dice.chance(20)) out += fmt::format(" fwmark {}/{}", dice.roll(4), 1 + dice.roll(3));
  if (dice.chance(10)) out += dice.of<std::string>({" tos 0x10", " tos 0x08"});
  if (dice.chance(15)) out += dice.of<std::string>({" ipproto tcp", " ipproto udp"});
  if (dice.chance(10)) out += dice.of<std::string>({" sport 40000", " sport 1-1024"});
  if (dice.chance(10)) out += dice.of<std::string>({" dport 80", " dport 100-200"});
  if (dice.chance(10)) out += dice.of<std::string>({" uidrange 0-0", " uidrange 5-1000"});
  return out;
}

std::string rule(Dice& dice, bool v6) {
  const unsigned priority = dice.roll(6) * 10;
  std::string out = fmt::format("rule add pref {}{}", priority, rule_selectors(dice, v6));
  const unsigned kind = dice.roll(10);
  if (kind == 0) return out + " blackhole\n";
  if (kind == 1) return out + " unreachable\n";
  if (kind == 2) return out + " prohibit\n";
  if (kind == 3) return out + fmt::format(" goto {}\n", priority + 10 * (1 + dice.roll(2)));
  if (kind == 4) return out + " nop\n";
  out += " lookup " + dice.of<std::string>({"100", "101", "main", "102"});
  if (dice.chance(20)) out += fmt::format(" suppress_prefixlength {}", dice.roll(25));
  if (dice.chance(10)) out += fmt::format(" suppress_ifgroup {}", dice.roll(2));
  return out + "\n";
}

void make_links(Dice& dice, RandomRoutes& out) {
  out.links += "link set lo up\n";
  for (unsigned i = 0; i < kRandomLinks; ++i) {
    out.links += fmt::format("link add v{0} type veth peer name w{0}\n", i);
    out.links += fmt::format("link set v{0} up group {1}\nlink set w{0} up\n", i, dice.roll(2));
    if (dice.chance(15))
      out.links_down.push_back(fmt::format("{}{}", dice.chance(70) ? 'w' : 'v', i));
    for (unsigned n = dice.roll(4); n > 0; --n) {
      const unsigned length = dice.of<unsigned>({8, 16, 24, 25, 31, 32});
      out.batch4 += fmt::format("address add {}/{} dev v{}{}\n", host4(dice), length, i,
                                dice.of<std::string>({"", "", " scope link", " scope host"}));
    }
    for (unsigned n = dice.roll(3); n > 0; --n) {
      out.batch6 += fmt::format("address add {}/{} dev v{} nodad{}\n", host6(dice),
                                dice.of<unsigned>({48, 64, 128}), i,
                                dice.of<std::string>({"", "", " preferred_lft 0"}));
    }
  }
}

void set_something(Dice& dice, RandomRoutes& out) {
  std::vector<std::string> places = {"all"};
  for (unsigned i = 0; i < kRandomLinks; ++i) places.push_back(fmt::format("v{}", i));
  const auto maybe = [&](const char* family, const char* name, unsigned percent, unsigned most) {
    for (const std::string& place : places) {
      if (!dice.chance(percent)) continue;
      out.settings.emplace_back(fmt::format("{}/conf/{}/{}", family, place, name),
                                std::to_string(dice.roll(most + 1)));
    }
  };
  // Forwarding of all sets every link's, so it comes first.
  if (dice.chance(50)) out.settings.emplace_back("ipv4/conf/all/forwarding", "1");
  if (dice.chance(50)) out.settings.emplace_back("ipv6/conf/all/forwarding", "1");
  places.erase(places.begin());
  maybe("ipv4", "forwarding", 40, 1);
  maybe("ipv4", "rp_filter", 70, 2);
  places.insert(places.begin(), "all");
  maybe("ipv4", "accept_local", 15, 1);
  maybe("ipv4", "route_localnet", 15, 1);
  maybe("ipv4", "src_valid_mark", 20, 1);
  maybe("ipv4", "bc_forwarding", 25, 1);
  maybe("ipv4", "ignore_routes_with_linkdown", 20, 1);
  maybe("ipv6", "ignore_routes_with_linkdown", 20, 1);
}

}  // namespace

RandomRoutes random_routes(Dice& dice) {
  RandomRoutes out;
  make_links(dice, out);
  set_something(dice, out);
  for (unsigned i = 5 + dice.roll(15); i > 0; --i) out.batch4 += route(dice, false);
  for (unsigned i = 5 + dice.roll(15); i > 0; --i) out.batch6 += route(dice, true);
  if (dice.chance(65)) {
    out.rules4 = true;
    for (unsigned i = 1 + dice.roll(6); i > 0; --i) out.batch4 += rule(dice, false);
  }
  if (dice.chance(65)) {
    for (unsigned i = 1 + dice.roll(6); i > 0; --i) out.batch6 += rule(dice, true);
  }
  if (dice.chance(10)) {
    out.rules4 = true;
    out.batch4 += "rule del pref 0\nrule add pref 45 lookup local\n";
  }
  if (dice.chance(30)) {
    for (unsigned i = 0; i < kRandomLinks; ++i) {
      out.batch6 +=
          fmt::format("neighbour replace fe80::9 dev v{} nud {}\n", i,
                      dice.of<std::string>({"failed", "stale", "permanent lladdr 2:0:0:0:0:1"}));
    }
  }
  return out;
}

IpAddress random_address(Dice& dice, Family family) {
  if (family == Family::Inet) {
    if (dice.chance(85)) return *IpAddress::parse(host4(dice));
    return *IpAddress::parse(
        dice.of<std::string>({"0.0.0.0", "255.255.255.255", "224.0.0.1", "224.0.0.9", "239.1.2.3",
                              "127.0.0.1", "127.1.0.1", "0.0.0.1", "240.0.0.1", "8.8.8.8"}));
  }
  if (dice.chance(85)) return *IpAddress::parse(host6(dice));
  return *IpAddress::parse(
      dice.of<std::string>({"::1", "fe80::9", "ff02::1", "ff05::5", "2001:db8::1"}));
}

}  // namespace hark::netns
