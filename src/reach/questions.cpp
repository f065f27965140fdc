#include "reach/questions.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/text.h"

namespace hark::reach {
namespace {

using host::Link;
using host::Listener;
using host::Network;
using host::Target;

constexpr std::uint32_t kIffUp = 0x1;        // IFF_UP of linux/if.h
constexpr std::uint32_t kIffLoopback = 0x8;  // IFF_LOOPBACK

/// What is asked for at the far end: a port, and perhaps the address that a listener has.
struct Service {
  Protocol protocol = Protocol::Tcp;
  std::uint16_t port = 0;
  std::optional<IpAddress> bound = {};
};

/// Where a packet comes from.
struct Origin {
  IpAddress source;
  const Link* link = nullptr;
};

Protocol transport_of(Protocol protocol) {
  return protocol == Protocol::Udp ? Protocol::Udp : Protocol::Tcp;
}

bool is_loopback(const Link& link) {
  return (link.flags & kIffLoopback) != 0;
}

/// IP receives by the bridge or bond, not by its ports.
bool is_port(const Link& link) {
  return link.master != 0 &&
         (link.slave_kind == "bridge" || link.slave_kind == "bond" || link.slave_kind == "team");
}

std::string address_words(const IpAddress& address, std::uint16_t port) {
  const std::string text = address.text();
  return (address.family == Family::Inet ? text : "[" + text + "]") + ":" + std::to_string(port);
}

const char* name_of(Family family) {
  return family == Family::Inet ? "IPv4" : "IPv6";
}

/// An address that is of this subnet and not one of ours: the lowest. Nothing where it has none.
std::optional<IpAddress> neighbour_in(const Prefix& subnet, const Network& network) {
  const unsigned bits = subnet.address.bits();
  if (subnet.length >= bits) return std::nullopt;
  constexpr unsigned kTries = 64;
  const unsigned free_bits = bits - subnet.length;
  const unsigned most = free_bits > 6 ? kTries : (1U << free_bits);
  for (unsigned i = 1; i < most; ++i) {
    IpAddress one = subnet.address;
    one.bytes[bits / 8 - 1] = static_cast<std::uint8_t>(one.bytes[bits / 8 - 1] | i);
    const bool broadcast =
        subnet.address.family == Family::Inet && free_bits > 1 && free_bits <= 6 && i + 1 == most;
    const bool own =
        std::ranges::any_of(network.addresses, [&](const auto& a) { return a.address == one; });
    if (!own && !broadcast) return one;
  }
  return std::nullopt;
}

class Planner {
 public:
  Planner(const host::Host& host, const Network& network, const Target& target, const Asked& asked,
          const Routing& routing)
      : host_(host), network_(network), target_(target), asked_(asked), routing_(routing) {}

  Result<Plan> plan(const std::vector<std::size_t>& listeners) {
    if (const auto fine = check_words(); !fine) return fail(fine.error());
    const std::vector<Service> services = services_of(listeners);
    const auto origins = asked_.sources.empty() ? representatives() : origins_of_sources();
    if (!origins) return fail(origins.error());
    for (const Origin& origin : *origins) {
      for (const Service& service : services) ask(origin, service);
    }
    if (plan_.questions.empty() && !services.empty()) return fail(nothing_fits());
    return std::move(plan_);
  }

 private:
  /// The address that a person named for this host: of TARGET or --to.
  Result<void> check_words() {
    if (target_.address && !asked_.destinations.empty() &&
        std::ranges::find(asked_.destinations, *target_.address) == asked_.destinations.end()) {
      return fail(plain_error("--to " + asked_.destinations.front().text(),
                              "the target names another address, " + target_.address->text()));
    }
    if (asked_.interface.empty() || network_.link(asked_.interface) != nullptr) return {};
    std::vector<std::string> names;
    for (const Link& link : network_.links) names.push_back(link.name);
    const auto near = nearest(asked_.interface, names);
    return fail(plain_error("--in " + asked_.interface, "no such interface",
                            near ? "did you mean " + *near : "there are: " + join(names, ", ")));
  }

  [[nodiscard]] std::vector<Service> services_of(const std::vector<std::size_t>& listeners) const {
    std::vector<Service> out;
    for (const std::size_t i : listeners) {
      const Listener& listener = host_.listeners[i];
      Service service{transport_of(listener.protocol), listener.port, {}};
      const IpAddress bound = listener.address.unmapped();
      if (!target_.endpoint && !bound.is_unspecified()) service.bound = bound;
      out.push_back(service);
    }
    if (!target_.endpoint) return out;
    // One question for each protocol, whatever many listeners share the port.
    std::vector<Service> ports;
    for (const Protocol protocol : {Protocol::Tcp, Protocol::Udp}) {
      const bool has = std::ranges::find(out, protocol, &Service::protocol) != out.end();
      const bool wanted = target_.protocol ? *target_.protocol == protocol
                          : out.empty()    ? protocol == Protocol::Tcp
                                           : has;
      if (wanted) ports.push_back({protocol, target_.port, {}});
    }
    return ports;
  }

  /// The link that a person named, or the one that IP sees instead of it.
  const Link* named_link(const std::string& name) {
    const Link* link = network_.link(name);
    if (link == nullptr || !is_port(*link)) return link;
    const Link* master = network_.link(link->master);
    if (master == nullptr) return link;
    note(name + " is a port of " + master->name + ": IP receives by " + master->name);
    return master;
  }

  [[nodiscard]] const Link* loopback() const {
    const auto found = std::ranges::find_if(network_.links, is_loopback);
    return found == network_.links.end() ? nullptr : &*found;
  }

  Result<std::vector<Origin>> origins_of_sources() {
    std::vector<Origin> out;
    std::optional<Error> refused;
    for (const IpAddress& source : asked_.sources) {
      const Link* link = nullptr;
      if (asked_.interface.empty()) {
        const auto chosen = choose_link(source);
        if (chosen) {
          link = *chosen;
        } else {
          refused = chosen.error();
        }
      } else {
        link = named_link(asked_.interface);
      }
      if (link != nullptr) out.push_back({source, link});
    }
    if (out.empty() && refused) return fail(*refused);
    return out;
  }

  Result<const Link*> choose_link(const IpAddress& source) {
    plan_.interface_chosen = true;
    const Link* lo = loopback();
    if (lo != nullptr && (source.is_loopback() || routing_.is_own(source))) {
      if (!source.is_loopback()) {
        note(source.text() + " is this host's own address: what it sends goes over " + lo->name);
      }
      return lo;
    }
    if (source.family == Family::Inet6 && source.is_link_local()) {
      return fail(
          plain_error("--from " + source.text(), "a link-local address exists on every interface",
                      "say by which it comes: --in INTERFACE, or " + source.text() + "%INTERFACE"));
    }
    const auto index = routing_.link_to(source);
    const Link* link = index ? network_.link(*index) : nullptr;
    if (link != nullptr) {
      note("the route to " + source.text() + " leaves by " + link->name +
           ", so it is taken to come in there");
      return link;
    }
    return only_link(source);
  }

  /// No route: if there is but one interface, it can only be that.
  Result<const Link*> only_link(const IpAddress& source) {
    std::vector<std::string> names;
    const Link* last = nullptr;
    for (const Link& link : network_.links) {
      if (is_loopback(link) || is_port(link) || (link.flags & kIffUp) == 0) continue;
      names.push_back(link.name);
      last = &link;
    }
    if (names.size() == 1) {
      note("no route leads to " + source.text() + ": it is taken to come in by " + last->name +
           ", the only interface");
      return last;
    }
    return fail(plain_error(
        "--from " + source.text(), "no route leads there",
        names.empty() ? "say by which interface it comes: --in INTERFACE"
                      : "say by which interface it comes: --in " + join(names, " or --in ")));
  }

  /// One source for each interface and family.
  Result<std::vector<Origin>> representatives() {
    plan_.representatives = true;
    std::vector<Origin> out;
    const Link* only = asked_.interface.empty() ? nullptr : named_link(asked_.interface);
    for (const Link& link : network_.links) {
      const bool wanted =
          only != nullptr ? &link == only : !is_port(link) && (link.flags & kIffUp) != 0;
      if (!wanted) continue;
      for (const Family family : {Family::Inet, Family::Inet6}) {
        if (const auto source = representative(link, family)) out.push_back({*source, &link});
      }
    }
    return out;
  }

  /// A neighbour on the link's subnet; off it where the subnet has but us. Nothing where the link
  /// has no address of this family.
  [[nodiscard]] std::optional<IpAddress> representative(const Link& link, Family family) const {
    const auto own = first_address(link, family, false);
    if (!own || is_loopback(link)) return own;
    for (const host::InterfaceAddress& address : network_.addresses) {
      if (address.link != link.index || address.address != *own) continue;
      // Of a point-to-point link the peer's.
      if (address.subnet.length == own->bits() && address.subnet.address != *own) {
        return address.subnet.address;
      }
      if (const auto found = neighbour_in(address.subnet, network_)) return found;
    }
    // Of the blocks that are kept for documentation: nobody has them.
    return IpAddress::parse(family == Family::Inet ? "192.0.2.1" : "2001:db8::1");
  }

  /// The interface's first address. Of IPv6 a link-local one only where `link_local` is wanted or
  /// there is no other.
  [[nodiscard]] std::optional<IpAddress> first_address(const Link& link, Family family,
                                                       bool link_local) const {
    std::optional<IpAddress> second;
    for (const host::InterfaceAddress& address : network_.addresses) {
      if (address.link != link.index || address.address.family != family) continue;
      const bool local = family == Family::Inet6 && address.address.is_link_local();
      if (local == (link_local && family == Family::Inet6)) return address.address;
      if (!second) second = address.address;
    }
    return second;
  }

  /// Which addresses of this host a packet of that origin is sent to.
  std::vector<IpAddress> destinations(const Origin& origin, const Service& service) {
    const Family family = origin.source.family;
    if (!asked_.destinations.empty()) return of_family(asked_.destinations, family);
    if (target_.address) return of_family({*target_.address}, family);
    if (target_.family && *target_.family != family) return {};
    if (service.bound && service.bound->family == family &&
        (is_loopback(*origin.link) || !service.bound->is_loopback())) {
      return {*service.bound};
    }
    const bool link_local = origin.source.is_link_local();
    if (const auto own = first_address(*origin.link, family, link_local)) return {*own};
    for (const Link& other : network_.links) {
      if (is_loopback(other)) continue;
      const auto own = first_address(other, family, false);
      if (!own) continue;
      note(origin.link->name + " has no " + name_of(family) + " address: " + own->text() + " of " +
           other.name + " is asked");
      return {*own};
    }
    return {};
  }

  static std::vector<IpAddress> of_family(std::vector<IpAddress> addresses, Family family) {
    std::erase_if(addresses, [family](const IpAddress& a) { return a.family != family; });
    return addresses;
  }

  void ask(const Origin& origin, const Service& service) {
    for (const IpAddress& destination : destinations(origin, service)) {
      const auto key = std::tuple(service.protocol, origin.source, origin.link->index, destination,
                                  service.port);
      if (!asked_already_.insert(key).second) continue;
      plan_.questions.push_back({.protocol = service.protocol,
                                 .source = origin.source,
                                 .destination = destination,
                                 .source_port = asked_.source_port,
                                 .port = service.port,
                                 .interface = origin.link->index});
    }
  }

  [[nodiscard]] Error nothing_fits() const {
    if (asked_.sources.empty()) {
      return plain_error(target_.written, "no interface that is up has an address to ask",
                         "say which: --from ADDRESS --to ADDRESS");
    }
    const IpAddress& source = asked_.sources.front();
    const auto other =
        !asked_.destinations.empty() ? std::optional(asked_.destinations.front()) : target_.address;
    if (other && other->family != source.family) {
      return plain_error("--from " + source.text(), std::string(name_of(source.family)) +
                                                        " does not reach " +
                                                        address_words(*other, target_.port) +
                                                        ", which is " + name_of(other->family));
    }
    return plain_error("--from " + source.text(),
                       "this host has no " + std::string(name_of(source.family)) + " address there",
                       "say which: --to ADDRESS");
  }

  void note(const std::string& text) {
    if (std::ranges::find(plan_.notes, text) == plan_.notes.end()) plan_.notes.push_back(text);
  }

  const host::Host& host_;
  const Network& network_;
  const Target& target_;
  const Asked& asked_;
  const Routing& routing_;
  Plan plan_;
  std::set<std::tuple<Protocol, IpAddress, std::uint32_t, IpAddress, std::uint16_t>> asked_already_;
};

}  // namespace

host::Gap not_all_sources() {
  return {.code = kNotAllSources,
          .what = "one source of each interface was asked, not every source",
          .hides = "whether other sources fare otherwise",
          .remedy = "--from ADDRESS asks for one"};
}

Result<Plan> plan_questions(const host::Host& host, const Network& network, const Target& target,
                            const std::vector<std::size_t>& listeners, const Asked& asked,
                            const Routing& routing) {
  return Planner(host, network, target, asked, routing).plan(listeners);
}

}  // namespace hark::reach
