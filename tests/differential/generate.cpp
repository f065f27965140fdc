#include "generate.h"

#include <algorithm>

namespace hark::differential {

namespace {

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15ULL;  // spreads seeds that lie close together

IpAddress neighbour_of(IpAddress address, int step) {
  for (unsigned i = address.bits() / 8; i-- > 0;) {
    const int value = address.bytes.at(i) + step;
    address.bytes.at(i) = static_cast<std::uint8_t>(value & 0xff);
    if (value >= 0 && value <= 0xff) return address;
  }
  return address;
}

std::pair<IpAddress, IpAddress> ends_of(const std::string& range) {
  const std::size_t dash = range.find('-');
  if (dash != std::string::npos) {
    return {*IpAddress::parse(range.substr(0, dash)), *IpAddress::parse(range.substr(dash + 1))};
  }
  const auto prefix = Prefix::parse(range);
  IpAddress last = prefix->address;
  for (unsigned bit = prefix->length; bit < last.bits(); bit++) {
    last.bytes.at(bit / 8) = static_cast<std::uint8_t>(last.bytes.at(bit / 8) | (0x80 >> bit % 8));
  }
  return {prefix->address, last};
}

std::vector<IpAddress> around(const std::vector<std::string>& ranges) {
  std::vector<IpAddress> all;
  for (const std::string& range : ranges) {
    const auto [first, last] = ends_of(range);
    for (const IpAddress& one : {neighbour_of(first, -1), first, last, neighbour_of(last, 1)}) {
      const bool host_or_net = one.text().starts_with("10.") &&
                               (one.bytes[3] == 0 || one.bytes[3] == 1 || one.bytes[3] == 255);
      if (!host_or_net) all.push_back(one);
    }
  }
  return all;
}

const std::vector<std::uint16_t>& ports() {
  static const std::vector<std::uint16_t> kPorts = {80, 81, 443, 8080, 8081, 53, 22, 5000, 5001};
  return kPorts;
}

// How the first letter of a class and its weight set the amounts.
void set_amounts(Plan& plan, const std::string& kind) {
  Dice& dice = plan.dice;
  plan.one.tags.push_back(kind);
  plan.firewall = dice.percent(30) ? 1 : 0;
  plan.routing = dice.percent(15) ? 1 : 0;
  plan.sockets = 1;
  if (kind == "chains") plan.firewall = 3;
  if (kind == "sets") plan.firewall = 2, plan.sets = 3;
  if (kind == "conntrack") plan.firewall = 2, plan.nat = 2;
  if (kind == "routing") plan.routing = 3;
  if (kind == "sockets") plan.sockets = 3;
  if (kind == "xt") plan.xt = 2;
  if (kind == "output") plan.firewall = 2;
  if (kind == "boxes") plan.boxes = 2;
  if (kind == "mixed")
    plan.firewall = 2, plan.nat = 1, plan.routing = 2, plan.xt = 1, plan.sets = 1;
  plan.chance = dice.percent(8);
  if (plan.chance) plan.one.tags.emplace_back("chance");
  plan.marks = plan.routing > 0 && plan.firewall > 0 && dice.percent(50);
}

}  // namespace

void Plan::step(Step::Kind kind, bool late, std::string text, std::string program) {
  one.steps.push_back({kind, late, std::move(program), std::move(text)});
}

const std::vector<std::string>& source_ranges(bool v6) {
  static const std::vector<std::string> kFour = {
      "192.0.2.0/28",   "192.0.2.16/29", "192.0.2.32-192.0.2.40", "198.51.100.0/25",
      "203.0.113.9",    "10.1.0.16/28",  "10.1.0.100-10.1.0.120", "100.64.0.0/10",
      "198.51.100.200", "10.2.0.0/24",   "172.16.0.0/12"};
  static const std::vector<std::string> kSix = {
      "2001:db8::/64", "2001:db8:0:1::/68",   "2001:db8:0:3::1-2001:db8:0:3::ff",
      "fd01::2",       "fd01::100-fd01::1ff", "2001:db8:8::/45",
      "fd02::/64"};
  return v6 ? kSix : kFour;
}

const std::vector<IpAddress>& source_addresses(bool v6) {
  static const std::vector<IpAddress> kFour = around(source_ranges(false));
  static const std::vector<IpAddress> kSix = around(source_ranges(true));
  return v6 ? kSix : kFour;
}

std::uint16_t port_number(Dice& dice) {
  return dice.percent(90) ? dice.of(ports()) : static_cast<std::uint16_t>(dice.between(1, 9000));
}

std::string port_word(Dice& dice) {
  if (dice.percent(60)) return std::to_string(port_number(dice));
  return dice.word({"80-81", "1-1023", "81-442", "5000-5001", "8000-8080", "8081-9000", "22-80"});
}

void add_listeners(Plan& plan) {
  Dice& dice = plan.dice;
  const unsigned count = 4 + plan.sockets * 3;
  for (unsigned i = 0; i < count; i++) {
    const bool udp = dice.percent(35);
    const bool plain = plan.sockets < 2 ? dice.percent(75) : dice.percent(25);
    std::string line = "l" + std::to_string(i) + (udp ? " udp " : " tcp ");
    line += plain ? dice.word({"0.0.0.0", "::", "::"})
                  : dice.word({"0.0.0.0", "::", "10.1.0.1", "10.2.0.1", "fd01::1", "127.0.0.1",
                               "::1", "10.3.0.1"});
    // Different ports mostly: what cannot be bound is taken out when the host is made.
    const std::uint16_t port = port_number(dice);
    line += " " + std::to_string(port);
    plan.open.emplace_back(udp, port);
    const bool v6 = line.find("::") != std::string::npos;
    if (v6 && dice.percent(25)) line += " v6only=1";
    if (plan.sockets >= 2) {
      if (dice.percent(20)) line += dice.word({" dev=eth0", " dev=eth1", " dev=lo"});
      if (dice.percent(20)) line += " reuseport";
      if (dice.percent(8)) line += " transparent";
      if (!udp && dice.percent(6)) line += " bound";
      if (udp && dice.percent(10)) line += " to=192.0.2.1,4000";
      if (dice.percent(8)) line += dice.word({" minttl=65", " minttl=64"});
      if (dice.percent(8)) line += dice.word({" filter=drop", " filter=accept", " filter=short"});
      if (!udp && dice.percent(8)) line += " defer";
      if (dice.percent(8)) line += " mark=1";
    }
    if (udp && dice.percent(50)) line += " nopktinfo";
    if (!udp && dice.percent(plan.sockets >= 2 ? 10 : 3)) line += " stopped";
    const bool can_fill = line.find("dev=") == std::string::npos &&
                          line.find(" to=") == std::string::npos &&
                          line.find(" bound") == std::string::npos &&
                          // Those who wait there are half open: the questions themselves, answered
                          // with cookies, would fill the queue one after the other.
                          line.find(" defer") == std::string::npos;
    if (can_fill && line.find("stopped") == std::string::npos &&
        dice.percent(plan.sockets >= 2 ? 8 : 2)) {
      line += udp ? " full" : " full backlog=1";
    }
    plan.one.listeners.push_back(line);
  }
}

Case generate(std::uint64_t seed, std::uint64_t index) {
  Plan plan{.dice = Dice(seed * kGolden + index), .one = {}};
  plan.one.name = "seed-" + std::to_string(seed) + "-" + std::to_string(index);
  const std::string kind = plan.dice.weighted({{"chains", 22},
                                               {"sets", 18},
                                               {"conntrack", 14},
                                               {"routing", 14},
                                               {"sockets", 8},
                                               {"xt", 12},
                                               {"output", 6},
                                               {"boxes", 22},
                                               {"mixed", 6}});
  plan.one.tags.emplace_back("loose");
  set_amounts(plan, kind);
  for (Step& step : base_steps()) plan.one.steps.push_back(std::move(step));
  add_listeners(plan);
  add_routing(plan);
  // Who came last runs first at equal priority: either may be the last.
  const bool nft_first = plan.dice.percent(50);
  if (nft_first) add_nft(plan);
  add_xt(plan);
  if (!nft_first) add_nft(plan);
  if (plan.boxes > 0) add_boxes(plan);
  add_asks(plan);
  if (plan.boxes > 0) add_box_asks(plan);
  return std::move(plan.one);
}

}  // namespace hark::differential
