#include "reach/journey_blockers.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "host/near_words.h"
#include "reach/shell_word.h"
#include "reach/steps.h"

namespace hark::reach {
namespace {

constexpr std::uint32_t kUp = 0x1;  // IFF_UP
constexpr std::size_t kMostElsewhere = 3;

/// Would it take the packet, if that came to its namespace?
bool would_take(const host::Listener& listener, const Packet& packet) {
  const bool udp = listener.protocol == Protocol::Udp;
  const bool tcp = listener.protocol == Protocol::Tcp || listener.protocol == Protocol::Mptcp;
  if (packet.protocol == kTcp ? !tcp : !udp) return false;
  if (listener.port != packet.tuple.destination_port) return false;
  const IpAddress bound = listener.address.unmapped();
  if (!bound.is_unspecified()) return bound == packet.tuple.destination;
  return bound.family == packet.family || listener.v6only == false;
}

/// What --netns takes for its namespace, live and from a recording; empty: nothing does.
std::string netns_word(const host::Host& host, const host::Listener& listener) {
  const host::Netns& netns = host.at(listener.netns);
  if (!netns.name.empty()) return shell_word(netns.name);
  return netns.inode ? shell_word(fmt::format("net:[{}]", *netns.inode)) : std::string();
}

void add_elsewhere(const World& world, const Packet& packet, std::vector<Evidence>& out) {
  std::vector<Evidence> found;
  for (const host::Listener& listener : world.host.listeners) {
    if (listener.netns == world.network.netns || !would_take(listener, packet)) continue;
    const std::string netns = netns_word(world.host, listener);
    if (netns.empty()) continue;
    const std::string ask =
        fmt::format("hark why {}/{} --netns {} --from {} --to {}",
                    packet.protocol == kTcp ? "tcp" : "udp", packet.tuple.destination_port, netns,
                    packet.tuple.source.text(), packet.tuple.destination.text());
    found.push_back({.fact = "perhaps " + host::listener_words(world.host, listener),
                     .where = "sockets",
                     .verify = ask});
  }
  // Among many the guess would be as good as none.
  if (found.size() <= kMostElsewhere) std::ranges::move(found, std::back_inserter(out));
}

}  // namespace

Blocker passed_on(const World& world, const Packet& packet) {
  const std::string to = packet.tuple.destination.text();
  const std::string text =
      fmt::format("the packet is passed on to {} by {}, and what becomes of it there is not seen",
                  to, link_name(world, packet.out));
  Blocker out = plain_blocker("forwarded", text, "route", "ip route get " + to);
  add_elsewhere(world, packet, out.cause.evidence);
  return out;
}

Blocker plain_blocker(const char* code, const std::string& text, const std::string& where,
                      const std::string& verify) {
  return {.cause = {.code = code,
                    .text = text,
                    .evidence = {{.fact = text, .where = where, .verify = verify}}},
          .key = code};
}

void add_other_ports(const World& world, const Packet& packet, Cause& cause) {
  if (cause.code != "no-socket") return;
  constexpr std::size_t kMost = 3;
  std::vector<const host::Listener*> others;
  for (const host::Listener& listener : host::listeners_in(world.host, world.network.netns)) {
    const bool udp = listener.protocol == Protocol::Udp;
    const bool tcp = listener.protocol == Protocol::Tcp || listener.protocol == Protocol::Mptcp;
    if (listener.probable_client) continue;
    if (packet.protocol == kTcp ? tcp : udp) others.push_back(&listener);
  }
  if (others.empty() || others.size() > kMost) return;
  for (const host::Listener* other : others) {
    const std::string words = host::listener_words(world.host, *other);
    cause.text += (other == others.front() ? "; there is " : ", ") + words;
    cause.evidence.push_back({.fact = words,
                              .where = "sockets",
                              .verify = packet.protocol == kTcp ? "ss -Htlnp" : "ss -Hulnp"});
  }
}

std::optional<Blocker> link_down(const World& world, const host::Link& link) {
  const std::string verify = "ip link show dev " + shell_word(link.name);
  const char* code = nullptr;
  std::string text;
  if ((link.flags & kUp) == 0) {
    code = "link-down";
    text = link.name + " is down";
  } else if (!link.carrier) {
    code = "no-carrier";
    text = link.name + " has no carrier";
  } else if (link.port_state && *link.port_state != 3) {  // BR_STATE_FORWARDING
    code = "port-blocked";
    text = link.name + " is a bridge port that does not forward";
  }
  if (code == nullptr || world.is_waived(code)) return std::nullopt;
  return plain_blocker(code, text, link.name, verify);
}

void name_route(const RouteOut& route, Blocker& blocker) {
  constexpr std::uint8_t kBlackhole = 6, kUnreachable = 7, kProhibit = 8;  // RTN_*
  std::string code = route.fib.from_rule ? "rule-" : "route-";
  if (route.fib.type == kBlackhole) {
    code += "blackhole";
  } else if (route.fib.type == kUnreachable) {
    code += "unreachable";
  } else if (route.fib.type == kProhibit) {
    code += "prohibit";
  } else {
    code = "no-route";
  }
  blocker.cause.code = code;
  blocker.key = code;
}

}  // namespace hark::reach
