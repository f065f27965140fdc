#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "show/reach_words.h"

namespace hark::show {
namespace {

using reach::ClientPart;
using reach::ClientPlace;
using reach::ClientView;

/// Interfaces that are named where a text holds for all of them.
constexpr std::size_t kMostLinks = 3;
constexpr std::uint16_t kTunnel = 65534;  // ARPHRD_NONE of linux/if_arp.h: no link layer at all

std::string prefix_words(const Prefix& prefix) {
  return prefix.length == prefix.address.bits() ? prefix.address.text() : prefix.text();
}

/// Names that people use for sets of prefixes.
std::string known_name(const std::vector<Prefix>& prefixes) {
  struct Known {
    const char* name;
    std::vector<const char*> prefixes;
  };
  static const std::array<Known, 4> kKnown = {
      {{"private addresses", {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}},
       {"private addresses", {"fc00::/7"}},
       {"link-local addresses", {"fe80::/10"}},
       {"link-local addresses", {"169.254.0.0/16"}}}};
  for (const Known& known : kKnown) {
    const bool same = std::ranges::equal(
        prefixes, known.prefixes, [](const Prefix& a, const char* b) { return a.text() == b; });
    if (same) return known.name;
  }
  return {};
}

std::string listed(const std::vector<Prefix>& prefixes, std::size_t most) {
  std::string name = known_name(prefixes);
  if (!name.empty()) return name;
  std::vector<std::string> words;
  for (const Prefix& one : prefixes) {
    if (words.size() == most && prefixes.size() > most) break;
    words.push_back(prefix_words(one));
  }
  std::string out = join(words, ", ");
  if (prefixes.size() > words.size()) {
    out += fmt::format(" and {} more", prefixes.size() - words.size());
  }
  return out;
}

/// "eth0", "wg0 (VPN)", "docker0 (containers)"
std::string link_words(const host::Network& network, std::uint32_t index) {
  const host::Link* link = network.link(index);
  if (link == nullptr) return fmt::format("interface {}", index);
  if (link->kind == "wireguard" || (link->kind == "tun" && link->type == kTunnel)) {
    return link->name + " (VPN)";
  }
  constexpr std::array<std::string_view, 5> kOfContainers = {"docker", "br-", "podman", "cni",
                                                             "lxc"};
  const bool named = std::ranges::any_of(
      kOfContainers, [&](std::string_view begin) { return link->name.starts_with(begin); });
  return link->kind == "bridge" && named ? link->name + " (containers)" : link->name;
}

std::string ports_words(const PortSet& ports) {
  if (ports.empty()) return {};
  std::vector<std::string> words;
  for (const auto& range : ports.ranges()) {
    words.push_back(range.first == range.last ? fmt::format("{}", range.first)
                                              : fmt::format("{}-{}", range.first, range.last));
  }
  const bool one = words.size() == 1 && words.front().find('-') == std::string::npos;
  return (one ? " with source port " : " with source ports ") + join(words, ", ");
}

/// What is said of one place.
struct Share {
  enum class Kind { None, All, Rest, List };
  Kind kind = Kind::None;
  std::string text = {};
};

class Teller {
 public:
  Teller(const host::Network& network, const ClientView& clients, const Chosen& chosen,
         std::size_t most)
      : network_(network), clients_(clients), chosen_(chosen), most_(most) {}

  std::vector<std::string> tell() {
    std::vector<PortSet> ports;
    for (const std::size_t i : chosen_.parts) {
      const PortSet& one = clients_.parts[i].ports;
      if (std::ranges::find(ports, one) == ports.end()) ports.push_back(one);
    }
    std::vector<std::string> out;
    for (const PortSet& one : ports) tell_of(one, out);
    return out;
  }

 private:
  void tell_of(const PortSet& ports, std::vector<std::string>& out) {
    // Interfaces of which the same is said stand together, in their order.
    std::vector<std::pair<std::string, std::vector<std::uint32_t>>> outside;
    std::string here;
    for (const std::uint32_t interface : interfaces()) {
      const auto places = places_of(interface);
      const bool loopback = clients_.places[places.front()].loopback;
      const std::string text = words_of(places, ports, loopback);
      if (text.empty()) continue;
      if (loopback) {
        here = text;
        continue;
      }
      const auto same = std::ranges::find(outside, text, [](const auto& one) { return one.first; });
      if (same == outside.end()) {
        outside.push_back({text, {interface}});
      } else {
        same->second.push_back(interface);
      }
    }
    for (const auto& [text, links] : outside) out.push_back(via(text, links) + ports_words(ports));
    if (!here.empty()) out.push_back(here + ports_words(ports));
  }

  [[nodiscard]] std::vector<std::uint32_t> interfaces() const {
    std::vector<std::uint32_t> out;
    for (const ClientPlace& place : clients_.places) {
      if (std::ranges::find(out, place.interface) == out.end()) out.push_back(place.interface);
    }
    return out;
  }

  [[nodiscard]] std::vector<std::size_t> places_of(std::uint32_t interface) const {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < clients_.places.size(); ++i) {
      const ClientPlace& place = clients_.places[i];
      if (place.interface == interface && !place.clients.empty()) out.push_back(i);
    }
    if (out.empty()) {
      for (std::size_t i = 0; i < clients_.places.size() && out.empty(); ++i) {
        if (clients_.places[i].interface == interface) out.push_back(i);
      }
    }
    return out;
  }

  [[nodiscard]] AddressSet together(const std::vector<std::size_t>& parts, std::size_t place,
                                    const PortSet& ports) const {
    AddressSet out;
    for (const std::size_t i : parts) {
      const ClientPart& part = clients_.parts[i];
      if (part.place == place && part.ports == ports) out = out.unite(part.addresses);
    }
    return out;
  }

  /// On lo a client has the address that it asks, or one of 127/8, unless it goes out of its way.
  static AddressSet usual(const ClientPlace& place) {
    if (!place.loopback) return place.clients;
    const IpAddress& to = place.to.address;
    if (!to.is_loopback()) return AddressSet(AddressRange{to, to});
    const char* const prefix = to.family == Family::Inet ? "127.0.0.0/8" : "::1/128";
    return AddressSet(range_of(*Prefix::parse(prefix))).intersect(place.clients);
  }

  [[nodiscard]] Share share_of(std::size_t place, const PortSet& ports) const {
    const AddressSet all = usual(clients_.places[place]);
    const AddressSet some = together(chosen_.parts, place, ports).intersect(all);
    if (some.empty()) return {};
    if (some == all) return {Share::Kind::All};
    if (some == all.minus(together(chosen_.told, place, {}))) return {Share::Kind::Rest};
    return {Share::Kind::List, addresses_words(some, all, most_)};
  }

  /// The link's own, where there is room to say so.
  [[nodiscard]] bool is_subnet(std::uint32_t interface, const std::string& text) const {
    return most_ >= kMostLinks && std::ranges::any_of(network_.addresses, [&](const auto& one) {
             return one.link == interface && one.subnet.text() == text;
           });
  }

  [[nodiscard]] std::string words_of(const std::vector<std::size_t>& places, const PortSet& ports,
                                     bool loopback) const {
    std::vector<Share> shares;
    for (const std::size_t place : places) shares.push_back(share_of(place, ports));
    const auto is = [](Share::Kind kind) {
      return [kind](const Share& s) { return s.kind == kind; };
    };
    if (std::ranges::all_of(shares, is(Share::Kind::None))) return {};
    const std::string whole = loopback ? "this host" : "anywhere";
    if (std::ranges::all_of(shares, is(Share::Kind::All))) return whole;
    const bool rest = std::ranges::all_of(shares, [](const Share& s) {
      return s.kind == Share::Kind::All || s.kind == Share::Kind::Rest;
    });
    const std::string other = loopback ? "this host, from its other addresses" : "anywhere else";
    if (rest) return other;
    std::vector<std::string> words;
    for (std::size_t i = 0; i < shares.size(); ++i) {
      if (shares[i].kind == Share::Kind::None || is_said_before(places, shares, i)) continue;
      std::string text = shares[i].kind == Share::Kind::All    ? whole
                         : shares[i].kind == Share::Kind::Rest ? other
                                                               : shares[i].text;
      if (loopback && shares[i].kind == Share::Kind::List) text = "this host, from " + text;
      words.push_back(text + where_to(places, i, shares[i].kind));
    }
    return join(words, ", ");
  }

  /// Another port of the same address, of which the same is said.
  [[nodiscard]] bool is_said_before(const std::vector<std::size_t>& places,
                                    const std::vector<Share>& shares, std::size_t at) const {
    for (std::size_t i = 0; i < at; ++i) {
      const bool same = shares[i].kind == shares[at].kind && shares[i].text == shares[at].text;
      if (same && address_of(places[i]) == address_of(places[at])) return true;
    }
    return false;
  }

  [[nodiscard]] const IpAddress& address_of(std::size_t place) const {
    return clients_.places[place].to.address;
  }

  /// What tells one place of an interface from the others.
  [[nodiscard]] std::string where_to(const std::vector<std::size_t>& places, std::size_t at,
                                     Share::Kind kind) const {
    const IpAddress& to = address_of(places[at]);
    const bool others = std::ranges::any_of(places, [&](std::size_t place) {
      return address_of(place).family == to.family && address_of(place) != to;
    });
    if (others) return " to " + to.text();
    if (kind == Share::Kind::List || places.size() == 1) return {};
    return to.family == Family::Inet ? " over IPv4" : " over IPv6";
  }

  [[nodiscard]] std::string via(const std::string& text,
                                const std::vector<std::uint32_t>& links) const {
    std::size_t outside = 0;
    for (const std::uint32_t interface : interfaces()) {
      outside += clients_.places[places_of(interface).front()].loopback ? 0U : 1U;
    }
    const bool all = links.size() == outside;
    const bool clear = text == "anywhere" || text.starts_with("anywhere but") ||
                       (outside > 1 && text.starts_with("anywhere"));
    if (all && clear) return text;
    if (all && outside > kMostLinks) return text + " via every interface";
    const bool subnet = links.size() == 1 && is_subnet(links.front(), text);
    std::vector<std::string> names;
    for (const std::uint32_t link : links) names.push_back(link_words(network_, link));
    return (subnet ? "the subnet " : "") + text + " via " + join(names, ", ");
  }

  const host::Network& network_;
  const ClientView& clients_;
  const Chosen& chosen_;
  std::size_t most_;
};

}  // namespace

std::string addresses_words(const AddressSet& some, const AddressSet& all, std::size_t most) {
  const AddressSet without = all.minus(some);
  if (without.empty()) return "anywhere";
  // Whichever takes fewer; the other may take a hundred times as many, and is not made to its end.
  for (std::size_t limit = 64;; limit *= 8) {
    const auto with_prefixes = reach::prefixes_among(some, all, limit);
    const auto but_prefixes = reach::prefixes_among(without, all, limit);
    const bool with = with_prefixes.size() <= but_prefixes.size();
    if ((with ? with_prefixes : but_prefixes).size() == limit) continue;
    return with ? listed(with_prefixes, most) : "anywhere but " + listed(but_prefixes, most);
  }
}

std::vector<std::string> clients_words(const host::Network& network, const ClientView& clients,
                                       const Chosen& chosen, std::size_t most) {
  return Teller(network, clients, chosen, most).tell();
}

}  // namespace hark::show
