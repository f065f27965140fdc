#include "diagnose/opening.h"

#include <algorithm>

namespace hark::diagnose {
namespace {

using host::Listener;
using reach::Openness;
using reach::Reachability;
using reach::Through;

/// Some clients of a way, and all that could come by it.
struct Clients {
  AddressSet some;
  AddressSet all;
};

std::string name_of_link(const host::Network& network, const reach::ClientPlace& place) {
  const host::Link* link = network.link(place.interface);
  if (link == nullptr) return {};
  return link->kind == "veth" ? link->kind : link->name;
}

bool is_unread(const host::Network& network, const reach::Answer& answer) {
  return std::ranges::any_of(network.unread,
                             [&](const auto& one) { return one.second.code == answer.cause.code; });
}

/// The fewest prefixes that tell those from all others; own addresses, which change, do not count.
AddressSet rounded(const Clients& clients) {
  std::vector<AddressRange> out;
  for (const Prefix& one : reach::prefixes_among(clients.some, clients.all)) {
    out.push_back(range_of(one));
  }
  return AddressSet(std::move(out));
}

void add(const host::Network& network, const Reachability& one, Opening& into) {
  into.openness = std::max(into.openness, one.openness);
  std::map<std::string, Clients> ways;
  for (std::size_t i = 0; i < one.clients.parts.size(); ++i) {
    const reach::ClientPart& part = one.clients.parts[i];
    const reach::ClientPlace& place = one.clients.places[part.place];
    const Through through = one.through[i];
    if (through == Through::No) continue;
    if (place.loopback) {
      into.here |= through == Through::Yes;
      continue;
    }
    const bool perhaps = through == Through::Maybe;
    if (perhaps && is_unread(network, part.cls->answer)) into.known = false;
    const bool inet = place.to.address.family == Family::Inet;
    Clients& way = ways[name_of_link(network, place) + (inet ? " inet " : " inet6 ") +
                        (perhaps ? "perhaps: " + part.cls->answer.cause.code : std::string("yes"))];
    way.some = way.some.unite(part.addresses);
    way.all = way.all.unite(place.clients);
  }
  for (const auto& [name, clients] : ways) {
    into.ways[name] = into.ways[name].unite(rounded(clients));
  }
}

bool has_more(const std::map<std::string, AddressSet>& one,
              const std::map<std::string, AddressSet>& than) {
  return std::ranges::any_of(one, [&](const auto& way) {
    const auto found = than.find(way.first);
    return found == than.end() || !way.second.minus(found->second).empty();
  });
}

}  // namespace

Opening opening_of(const reach::ReachTable& table, const std::vector<std::size_t>& listeners) {
  Opening out;
  const host::Host& host = table.host();
  const auto is_odd = [&](std::size_t i) {
    const Protocol protocol = host.listeners[i].protocol;
    return protocol == Protocol::Raw || protocol == Protocol::Udplite;
  };
  if (std::ranges::all_of(listeners, is_odd)) {
    out.asked = false;
    return out;
  }
  const bool loopback = std::ranges::all_of(
      listeners, [&](std::size_t i) { return host.listeners[i].scope == host::Scope::Loopback; });
  std::map<host::NetnsId, std::vector<std::size_t>> by_netns;
  for (const std::size_t i : listeners) by_netns[host.listeners[i].netns].push_back(i);
  for (const auto& [id, some] : by_netns) {
    const host::Network* network = table.network(id);
    if (network == nullptr || network->links.empty()) {
      out.known = false;
      continue;
    }
    add(*network, reach::settled(table.reachability(some)), out);
  }
  if (loopback && (!out.known || out.openness == Openness::NotAsked)) {
    return {.openness = Openness::ThisHost, .here = true};
  }
  return out;
}

Opening opening_of(const reach::ReachTable& table, const reach::PublishedPort& port) {
  Opening out;
  out.known = port.certain;
  add(*table.network(port.netns), reach::settled(port.reach), out);
  return out;
}

Trend trend_of(const Opening& before, const Opening& after) {
  if (before.asked != after.asked) return Trend::Other;
  if (!before.asked) return Trend::Same;
  if (!before.known || !after.known) return Trend::Unknown;
  if (before.openness != after.openness) {
    return before.openness < after.openness ? Trend::Wider : Trend::Narrower;
  }
  if (before.openness == Openness::Anywhere || before.ways == after.ways) {
    if (before.here == after.here) return Trend::Same;
    return after.here ? Trend::Wider : Trend::Narrower;
  }
  const bool more = has_more(after.ways, before.ways);
  const bool less = has_more(before.ways, after.ways);
  if (more == less) return Trend::Other;
  return more ? Trend::Wider : Trend::Narrower;
}

}  // namespace hark::diagnose
