// What is asked of a random host: sources at the ends of the ranges its rules are about.
#include <array>
#include <tuple>

#include "generate.h"

namespace hark::differential {

namespace {

IpAddress address(const std::string& text) {
  return *IpAddress::parse(text);
}

std::string own_address(Dice& dice, bool v6, unsigned link) {
  const std::string number = std::to_string(link + 1);
  const unsigned at = dice.below(100);
  if (at < 78) return v6 ? "fd0" + number + "::1" : "10." + number + ".0.1";
  if (at < 90) return v6 ? dice.word({"fd01::1", "fd02::1"}) : dice.word({"10.1.0.1", "10.2.0.1"});
  if (v6) return dice.word({"fd01::9", "2001:db8:f::1", "fd03::1", "::1"});
  return dice.word(
      {"10.1.0.9", "10.1.0.255", "198.51.100.77", "127.0.0.1", "10.3.0.1", "10.1.0.7"});
}

IpAddress odd_source(Dice& dice, bool v6) {
  if (v6) return address(dice.word({"::", "::1", "ff02::5", "fd02::1", "::ffff:192.0.2.1"}));
  return address(dice.word({"0.0.0.0", "127.0.0.5", "224.0.0.9", "255.255.255.255", "240.0.0.1",
                            "10.2.0.1", "10.1.0.1", "10.1.0.255"}));
}

void ask_locally(Plan& plan, Ask& ask, bool v6) {
  Dice& dice = plan.dice;
  ask.interface = "lo";
  const std::string one = v6 ? dice.word({"::1", "fd01::1", "fd02::1"})
                             : dice.word({"127.0.0.1", "10.1.0.1", "10.2.0.1"});
  ask.source = address(one);
  ask.destination = address(dice.percent(60) ? one
                                             : (v6 ? dice.word({"::1", "fd01::1"})
                                                   : dice.word({"127.0.0.1", "10.1.0.1"})));
}

std::uint16_t source_port(Dice& dice) {
  constexpr std::array<std::uint16_t, 8> kEdges = {1, 79, 80, 1023, 1024, 4000, 32767, 65535};
  if (dice.percent(35)) return kEdges.at(dice.below(kEdges.size()));
  return static_cast<std::uint16_t>(dice.between(32768, 60999));
}

}  // namespace

void add_asks(Plan& plan) {
  Dice& dice = plan.dice;
  const unsigned count = dice.between(30, 50);
  for (unsigned i = 0; i < count; i++) {
    Ask ask;
    const bool v6 = dice.percent(30);
    ask.udp = dice.percent(30);
    ask.port = port_number(dice);
    if (dice.percent(80)) std::tie(ask.udp, ask.port) = dice.of(plan.open);
    const unsigned link = dice.percent(70) ? 0 : dice.below(3);
    ask.interface = "eth" + std::to_string(link);
    ask.source = dice.percent(95) ? dice.of(source_addresses(v6)) : odd_source(dice, v6);
    ask.destination = address(own_address(dice, v6, link));
    // A broadcast comes by the link whose it is.
    if (ask.destination.text() == "10.1.0.255") ask.interface = "eth0";
    if (dice.percent(8)) ask_locally(plan, ask, v6);
    if (dice.percent(45)) ask.source_port = source_port(dice);
    if (ask.interface == "lo" && ask.source_port && *ask.source_port < 1024)
      ask.source_port.reset();
    // Two questions with the same client cannot be told apart.
    const auto same_client = [&](const Ask& other) {
      return other.udp == ask.udp && other.source == ask.source && ask.source_port &&
             other.source_port == ask.source_port;
    };
    bool doubled = false;
    for (const Ask& other : plan.one.asks) doubled = doubled || same_client(other);
    if (doubled) ask.source_port.reset();
    plan.one.asks.push_back(ask);
  }
}

}  // namespace hark::differential
