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

/// Where a packet comes from.
struct Origin {
  IpAddress source;
  const Link* link = nullptr;
};

std::string address_words(const IpAddress& address, std::uint16_t port) {
  const std::string text = address.text();
  return (address.family == Family::Inet ? text : "[" + text + "]") + ":" + std::to_string(port);
}

const char* name_of(Family family) {
  return family == Family::Inet ? "IPv4" : "IPv6";
}

class Planner {
 public:
  Planner(const host::Host& host, const Network& network, const Target& target, const Asked& asked,
          const Routing& routing)
      : host_(host), network_(network), target_(target), asked_(asked), routing_(routing) {}

  Result<Plan> plan(const std::vector<std::size_t>& listeners) {
    if (const auto fine = check_words(); !fine) return fail(fine.error());
    const std::vector<Service> services = services_of(listeners);
    if (asked_.sources.empty()) {
      ask_all_sources(services);
    } else {
      const auto origins = origins_of_sources();
      if (!origins) return fail(origins.error());
      for (const Origin& origin : *origins) {
        for (const Service& service : services) ask(origin, service);
      }
    }
    if (plan_.empty() && !services.empty()) return fail(nothing_fits());
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
      out.push_back(service_of(host_.listeners[i]));
    }
    if (!target_.endpoint) return out;
    // One question for each protocol, whatever many listeners share the port.
    std::vector<Service> ports;
    for (const Protocol protocol : {Protocol::Tcp, Protocol::Udp}) {
      const bool has = std::ranges::find(out, protocol, &Service::protocol) != out.end();
      const bool wanted = target_.protocol ? *target_.protocol == protocol
                          : out.empty()    ? protocol == Protocol::Tcp
                                           : has;
      if (wanted) ports.push_back({.protocol = protocol, .port = target_.port});
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
    const auto found = std::ranges::find_if(network_.links, &host::Link::is_loopback);
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
      if (link.is_loopback() || !receives(link)) continue;
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

  /// Every source of every interface that is up, or of the one that a person named.
  void ask_all_sources(const std::vector<Service>& services) {
    const Link* only = asked_.interface.empty() ? nullptr : named_link(asked_.interface);
    for (const Link& link : network_.links) {
      if (only != nullptr ? &link != only : !receives(link)) continue;
      for (const Service& service : services) {
        for (const Family family : {Family::Inet, Family::Inet6}) {
          if (!target_.endpoint && service.family && *service.family != family) continue;
          for (const IpAddress& to : destinations(link, family, false, service)) {
            const Destination one{.protocol = service.protocol,
                                  .address = to,
                                  .port = service.port,
                                  .interface = link.index};
            if (is_new(one, {})) plan_.destinations.push_back(one);
          }
        }
      }
    }
  }

  /// Which addresses of this host are asked.
  std::vector<IpAddress> destinations(const Link& link, Family family, bool link_local,
                                      const Service& service) {
    if (!asked_.destinations.empty()) return of_family(asked_.destinations, family);
    if (target_.address) return of_family({*target_.address}, family);
    if (target_.family && *target_.family != family) return {};
    const auto to = destined(network_, link, family, service, link_local);
    if (!to) return {};
    if (!to->note.empty()) note(to->note);
    return {to->address};
  }

  static std::vector<IpAddress> of_family(std::vector<IpAddress> addresses, Family family) {
    std::erase_if(addresses, [family](const IpAddress& a) { return a.family != family; });
    return addresses;
  }

  void ask(const Origin& origin, const Service& service) {
    const bool link_local = origin.source.is_link_local();
    for (const IpAddress& to :
         destinations(*origin.link, origin.source.family, link_local, service)) {
      const Destination one{.protocol = service.protocol,
                            .address = to,
                            .port = service.port,
                            .interface = origin.link->index};
      if (!is_new(one, origin.source)) continue;
      plan_.questions.push_back({.protocol = service.protocol,
                                 .source = origin.source,
                                 .destination = to,
                                 .source_port = asked_.source_port,
                                 .port = service.port,
                                 .interface = origin.link->index});
    }
  }

  bool is_new(const Destination& to, const IpAddress& source) {
    return asked_already_.emplace(to.protocol, source, to.interface, to.address, to.port).second;
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

Result<Plan> plan_questions(const host::Host& host, const Network& network, const Target& target,
                            const std::vector<std::size_t>& listeners, const Asked& asked,
                            const Routing& routing) {
  return Planner(host, network, target, asked, routing).plan(listeners);
}

}  // namespace hark::reach
