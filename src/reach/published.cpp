#include "reach/published.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <span>
#include <tuple>

#include "host/doors.h"
#include "reach/destinations.h"

namespace hark::reach {

using host::Listener;

namespace {

/// Ports of one namespace that are asked: each is as much work as a listener.
constexpr std::size_t kMostPorts = 20'000;
/// Addresses of one port that are asked.
constexpr std::size_t kMostAddresses = 4;

bool is_tcp(Protocol protocol) {
  return protocol == Protocol::Tcp || protocol == Protocol::Mptcp;
}

bool is_transport(const Listener& listener, Protocol protocol) {
  return is_tcp(protocol) ? is_tcp(listener.protocol) : listener.protocol == protocol;
}

/// Does it take what is sent to this address?
bool takes(const Listener& listener, const IpAddress& address) {
  const IpAddress bound = listener.address.unmapped();
  if (!bound.is_unspecified()) return bound == address;
  return bound.family == address.family ||
         (bound.family == Family::Inet6 && !listener.v6only.value_or(false));
}

bool is_door(const host::Host& host, const Listener& listener) {
  return listener.owners && std::ranges::any_of(*listener.owners, [&](const host::Owner& owner) {
           return static_cast<bool>(host.at(owner.process).door);
         });
}

/// Ports at which doors of the namespace listen.
class Doors {
 public:
  Doors(const host::Host& host, host::NetnsId netns) {
    for (const Listener& one : host::listeners_in(host, netns)) {
      if (is_door(host, one)) doors_.push_back(&one);
    }
  }

  [[nodiscard]] bool have(const PublishedPort& port) const {
    const auto& ranges = port.ports.ranges();
    if (ranges.size() != 1 || ranges.front().first != ranges.front().last) return false;
    return std::ranges::any_of(doors_, [&](const Listener* door) {
      if (door->port != ranges.front().first || !is_transport(*door, port.protocol)) return false;
      if (port.addresses) return takes(*door, port.addresses->ranges().front().first);
      IpAddress any;
      any.family = port.family;
      return door->address.unmapped().is_unspecified() && takes(*door, any);
    });
  }

 private:
  std::vector<const Listener*> doors_;
};

/// What makes two rules publish the same port.
using Key =
    std::tuple<std::uint16_t, Protocol, Family, std::vector<IpAddress>, std::vector<std::uint16_t>>;

Key key_of(const PublishedPort& port) {
  std::vector<IpAddress> addresses;
  if (port.addresses) {
    for (const AddressRange& range : port.addresses->ranges()) {
      addresses.push_back(range.first);
      addresses.push_back(range.last);
    }
  }
  std::vector<std::uint16_t> ports;
  for (const auto& range : port.ports.ranges()) {
    ports.push_back(range.first);
    ports.push_back(range.last);
  }
  return {ports.front(), port.protocol, port.family, std::move(addresses), std::move(ports)};
}

/// Is it one place, so that it can be asked who is there?
bool is_asked(const LeadsTo& lead) {
  if (lead.server && lead.server->method != decode::IpvsMethod::Masq) return false;
  return lead.address && !lead.last_address && !lead.open && !lead.address->is_loopback();
}

bool leads_alike(const LeadsTo& a, const LeadsTo& b) {
  return a.address == b.address && a.last_address == b.last_address && a.port == b.port;
}

/// "ip nat DOCKER handle 5": without the comment, which only some who name it add.
std::string told_as(RulePlace place) {
  place.comment.clear();
  return words_of(place);
}

/// Where a packet to this port comes out; empty: at the same.
std::optional<std::uint16_t> port_of(const Translation& one, std::uint16_t asked) {
  if (!one.port || !one.moved_from) return one.port;
  return static_cast<std::uint16_t>(asked - *one.moved_from + *one.port);
}

/// Ports that are moved one by one are as many doors, with somebody of its own behind each: a few
/// are told apart.
std::vector<PortSet> parts_of(const Translation& one) {
  constexpr unsigned kMost = 32;
  const auto& ranges = one.aim.ports.ranges();
  const unsigned last = ranges.front().last;
  const unsigned first = ranges.front().first;
  if (!one.moved_from || ranges.size() != 1 || last - first >= kMost) return {one.aim.ports};
  std::vector<PortSet> out;
  for (unsigned port = first; port <= last; ++port) {
    const auto number = static_cast<std::uint16_t>(port);
    out.push_back(PortSet({number, number}));
  }
  return out;
}

class Grouping {
 public:
  explicit Grouping(const FirewallRules& rules) : rules_(rules) {}

  void add(host::NetnsId netns, const Translation& one) {
    for (const Protocol protocol : {Protocol::Tcp, Protocol::Udp}) {
      if (!(protocol == Protocol::Tcp ? one.aim.tcp : one.aim.udp)) continue;
      for (const Family family : {Family::Inet, Family::Inet6}) {
        if (!(family == Family::Inet ? one.aim.inet : one.aim.inet6)) continue;
        PublishedPort port;
        port.netns = netns;
        port.protocol = protocol;
        port.family = family;
        port.addresses = one.aim.addresses;
        for (PortSet& ports : parts_of(one)) {
          port.ports = std::move(ports);
          add(port, one);
        }
      }
    }
  }

  std::vector<PublishedPort> take() {
    std::vector<PublishedPort> out;
    out.reserve(known_.size());
    for (auto& [key, port] : known_) {
      std::ranges::stable_sort(port.leads_to, {}, [](const LeadsTo& lead) {
        return std::pair(lead.address, lead.port);
      });
      out.push_back(std::move(port));
    }
    return out;
  }

 private:
  void add(PublishedPort port, const Translation& one) {
    PublishedPort& into = known_.try_emplace(key_of(port), std::move(port)).first->second;
    into.chance = into.chance || one.aim.chance;
    into.sticky = into.sticky || one.aim.sticky;
    LeadsTo lead{.address = one.address,
                 .last_address = one.last_address,
                 .port = port_of(one, into.first_port()),
                 .open = one.open,
                 .service = one.service};
    const auto same = [&](const LeadsTo& other) { return leads_alike(lead, other); };
    if (std::ranges::none_of(into.leads_to, same)) into.leads_to.push_back(std::move(lead));
    const auto placed = [&](const std::pair<const ChainView*, std::size_t>& known) {
      return known.first == one.chain && known.second == one.position;
    };
    auto& known = places_[&into];
    if (std::ranges::any_of(known, placed)) return;
    known.emplace_back(one.chain, one.position);
    RulePlace place = rules_.place(*one.chain, one.position);
    std::string told = told_as(place);
    into.rules.push_back({std::move(place), std::move(told), one.kind});
  }

  const FirewallRules& rules_;
  std::map<Key, PublishedPort> known_;
  std::map<const PublishedPort*, std::vector<std::pair<const ChainView*, std::size_t>>> places_;
};

/// The rule that a step names: "dnat to 10.0.0.2:80 by ip nat DOCKER handle 5".
bool names_rule(const std::string& detail, const std::string& told) {
  const std::string by = " by " + told;
  const std::size_t at = detail.find(by);
  if (at == std::string::npos) return false;
  const std::size_t end = at + by.size();
  return end == detail.size() || detail[end] == ' ' || detail[end] == ':';
}

bool sends_elsewhere(const Step& step) {
  constexpr std::array<std::string_view, 4> kWords = {"dnat to ", "tproxy to ", "TPROXY ",
                                                      "ipvs to "};
  if (step.verdict == "stop") return step.detail.starts_with("rejected by IPVS service ");
  return step.verdict == "rewrite" && std::ranges::any_of(kWords, [&](std::string_view words) {
           return step.detail.starts_with(words);
         });
}

/// "10.0.0.2:80", as a trace writes what a packet was sent on to.
bool leads_there(const std::string& detail, const LeadsTo& lead, std::uint16_t asked) {
  if (!lead.address || lead.last_address || lead.open) return true;
  const std::string port = std::to_string(lead.port.value_or(asked));
  const std::string address = lead.address->text();
  const bool six = lead.address->family == Family::Inet6;
  return detail.starts_with("dnat to " + (six ? "[" + address + "]" : address) + ":" + port +
                            " ") ||
         !detail.starts_with("dnat to ");
}

}  // namespace

ClassList PublishedPort::classes() const {
  ClassList out;
  for (const std::vector<ReachClass>* place : places) {
    for (const ReachClass& one : *place) out.push_back(&one);
  }
  return out;
}

Publishable publishable(const host::Host& host, const host::Network& network) {
  Publishable out;
  if (!network.nft.rules.empty() || !network.legacy.empty()) {
    out.rules = std::make_unique<const FirewallRules>(network);
    const Translations found = translations_of(*out.rules, network);
    out.complete = found.complete;
    Grouping grouping(*out.rules);
    for (const Translation& one : found.all) grouping.add(network.netns, one);
    out.ports = grouping.take();
  }
  std::vector<PublishedPort> served = ipvs_ports(network, kMostPorts + 1);
  if (!served.empty()) {
    std::ranges::move(served, std::back_inserter(out.ports));
    std::ranges::stable_sort(out.ports, {}, [](const PublishedPort& one) { return key_of(one); });
  }
  const Doors doors(host, network.netns);
  std::erase_if(out.ports, [&](const PublishedPort& port) { return doors.have(port); });
  if (out.ports.size() > kMostPorts) {
    out.ports.resize(kMostPorts);
    out.complete = false;
  }
  return out;
}

namespace {

/// The first that others could know.
std::optional<IpAddress> own_address(const host::Network& network, Family family) {
  for (const host::InterfaceAddress& one : network.addresses) {
    if (one.address.family == family && !one.address.is_loopback() &&
        !one.address.is_link_local()) {
      return one.address;
    }
  }
  return std::nullopt;
}

/// The places where it leads, where they are several, asked by this host itself.
void add_leads(const host::Network& network, const PublishedPort& port,
               std::vector<Destination>& out) {
  const auto lo = std::ranges::find_if(network.links, &host::Link::is_loopback);
  const std::optional<IpAddress> own = own_address(network, port.family);
  const std::size_t needed = port.ipvs ? 1 : 2;  // IPVS is not followed by a trace of the port
  if (port.leads_to.size() < needed || lo == network.links.end() || !own) return;
  for (const LeadsTo& lead : port.leads_to) {
    if (!is_asked(lead)) continue;
    out.push_back({.protocol = port.protocol,
                   .address = *lead.address,
                   .port = lead.port.value_or(port.first_port()),
                   .interface = lo->index,
                   .sources = AddressSet({*own, *own}),
                   .next = false});
  }
}

}  // namespace

namespace {

/// Whoever has an address of another link's subnet is there, and does not come by this one.
AddressSet without_neighbours(const host::Network& network, const host::Link& link,
                              AddressSet clients) {
  if (link.is_loopback()) return clients;
  for (const host::InterfaceAddress& one : network.addresses) {
    if (one.link == link.index || one.address.is_link_local()) continue;
    const host::Link* other = network.link(one.link);
    const bool beside = other != nullptr && receives(*other) && !other->is_loopback();
    if (beside) clients = clients.minus(AddressSet(range_of(one.subnet)));
  }
  return clients;
}

}  // namespace

PublishedAsks asks_of(const ClientSources& sources, Sources about, const PublishedPort& port) {
  PublishedAsks out;
  const host::Network& network = sources.network();
  const Service service{.protocol = port.protocol, .port = port.first_port()};
  for (const host::Link& link : network.links) {
    if (!receives(link)) continue;
    const auto add = [&](const IpAddress& address) {
      Destination to{.protocol = port.protocol,
                     .address = address,
                     .port = service.port,
                     .interface = link.index};
      if (about == Sources::OfClients) {
        to.sources = without_neighbours(network, link, sources.of(link, address));
        to.next = false;
      }
      out.to.push_back(std::move(to));
    };
    if (!port.addresses) {
      const auto to = destined(network, link, port.family, service);
      if (to) add(to->address);
      // This host asks itself by localhost and by an address that others know.
      if (const auto outer = own_address(network, port.family); link.is_loopback() && outer) {
        add(*outer);
      }
      continue;
    }
    const auto& ranges = port.addresses->ranges();
    for (std::size_t i = 0; i < std::min(ranges.size(), kMostAddresses); ++i) add(ranges[i].first);
  }
  const std::size_t before = out.to.size();
  add_leads(network, port, out.to);
  out.of_leads = out.to.size() - before;
  return out;
}

std::size_t take_answers(const std::vector<std::vector<ReachClass>>& places, std::size_t next,
                         PublishedCount count, PublishedPort& port) {
  // Who asks nothing gets no answers.
  if (next + count.all > places.size()) return places.size();
  for (std::size_t i = count.of_leads; i < count.all; ++i) port.places.push_back(&places[next++]);
  for (LeadsTo& lead : port.leads_to) {
    if (count.of_leads > 0 && is_asked(lead)) lead.asked = &places[next++];
  }
  return next;
}

bool is_translated(const Answer& answer, const PublishedPort& port) {
  return std::ranges::any_of(answer.path, [&](const Step& step) {
    if (step.netns != port.netns || !sends_elsewhere(step)) return false;
    return std::ranges::any_of(port.rules, [&](const PublishedBy& rule) {
      return names_rule(step.detail, rule.told) || step.detail.starts_with("TPROXY ");
    });
  });
}

bool judge(const ClientSources& sources, PublishedPort& port) {
  std::vector<const Step*> met;
  const ClassList classes = port.classes();
  bool certain = false;
  for (const ReachClass* one : classes) {
    if (!is_translated(one->answer, port)) continue;
    certain = certain || one->answer.certainty != Certainty::Unknown ||
              one->answer.cause.code == "forwarded" || one->answer.cause.code == "ipvs";
    for (const Step& step : one->answer.path) {
      if (step.netns == port.netns && sends_elsewhere(step)) met.push_back(&step);
    }
  }
  if (met.empty()) return false;
  port.certain = certain;
  const auto was_met = [&](const LeadsTo& lead) {
    return std::ranges::any_of(
        met, [&](const Step* step) { return leads_there(step->detail, lead, port.first_port()); });
  };
  // Of what chance picks a trace tells one.
  if (!port.chance && !port.sticky) {
    std::erase_if(port.leads_to, [&](const LeadsTo& lead) { return !was_met(lead); });
    std::erase_if(port.rules, [&](const PublishedBy& rule) {
      return rule.kind != Translation::Kind::Tproxy &&
             std::ranges::none_of(
                 met, [&](const Step* step) { return names_rule(step->detail, rule.told); });
    });
  }
  port.reach = reachability(sources, classes,
                            [&](const Answer& answer) { return is_translated(answer, port); });
  for (ClientPlace& place : port.reach.clients.places) {
    const host::Link* link = sources.network().link(place.interface);
    if (link == nullptr) continue;
    place.clients = without_neighbours(sources.network(), *link, std::move(place.clients));
  }
  return true;
}

namespace {

/// The only namespace of this host that has the address; its own first.
std::optional<host::NetnsId> netns_of(const AddressOwners& addresses, const PublishedPort& port,
                                      const LeadsTo& lead) {
  if (!lead.address || lead.address->is_loopback()) return port.netns;
  std::optional<host::NetnsId> out;
  const auto [first, last] = addresses.equal_range(*lead.address);
  for (auto one = first; one != last; ++one) {
    if (one->second == port.netns) return port.netns;
    if (out && *out != one->second) return std::nullopt;
    out = one->second;
  }
  return out;
}

/// Where the packet of a trace came to its end.
struct Ended {
  std::optional<std::size_t> listener = {};
  std::optional<host::NetnsId> netns = {};
};

Ended end_of(const host::Host& host, const Answer& answer) {
  if (answer.delivers_to) return {answer.delivers_to, host.listeners[*answer.delivers_to].netns};
  for (auto step = answer.path.rbegin(); step != answer.path.rend(); ++step) {
    if (step->stage == Stage::Socket) return {{}, step->netns};
  }
  return {};
}

/// By the trace: of several places each has one of its own.
Ended traced(const host::Host& host, const PublishedPort& port, const LeadsTo& lead) {
  if (lead.asked != nullptr) {
    return lead.asked->empty() ? Ended{} : end_of(host, lead.asked->front().answer);
  }
  if (port.leads_to.size() != 1 || port.ipvs) return {};
  Ended out;
  for (const ReachClass* one : port.classes()) {
    if (!is_translated(one->answer, port)) continue;
    const Ended end = end_of(host, one->answer);
    if (end.listener) return end;
    if (end.netns) out = end;
  }
  return out;
}

std::optional<std::size_t> listener_of(const host::Host& host, const PublishedPort& port,
                                       const LeadsTo& lead) {
  IpAddress any;
  any.family = port.family;
  const std::uint16_t wanted = lead.port.value_or(port.first_port());
  std::optional<IpAddress> to = lead.address;
  if (lead.server && !is_asked(lead)) to = port.addresses->ranges().front().first;
  for (const Listener& one : host::listeners_at(host, *lead.netns, wanted)) {
    if (!is_transport(one, port.protocol)) continue;
    // Redirected to an address of the interface: which one that is depends on the client.
    const bool fits = to ? takes(one, *to) : takes(one, any) || one.address.family == port.family;
    if (fits) return static_cast<std::size_t>(&one - host.listeners.data());
  }
  return std::nullopt;
}

}  // namespace

void find_owners(const host::Host& host, const AddressOwners& addresses, PublishedPort& port) {
  for (LeadsTo& lead : port.leads_to) {
    if (lead.open || lead.last_address) continue;
    const Ended end = traced(host, port, lead);
    lead.listener = end.listener;
    lead.netns = end.netns ? end.netns : netns_of(addresses, port, lead);
    if (!lead.netns) continue;
    if (!lead.listener) lead.listener = listener_of(host, port, lead);
    if (host.at(*lead.netns).entered || lead.listener) {
      lead.somebody_listens = lead.listener.has_value();
    }
    if (*lead.netns == port.netns) continue;
    // A container has its namespace for itself, or shares it with those of its pod.
    if (lead.listener && host.listeners[*lead.listener].container) {
      lead.container = *host.listeners[*lead.listener].container;
      continue;
    }
    for (const Listener& one : host::listeners_in(host, *lead.netns)) {
      if (!one.container) continue;
      lead.container = *one.container;
      break;
    }
  }
}

}  // namespace hark::reach
