// Sockets that are bound to less than it seems: to one family, to an address that no interface has
// any longer, to a device that is down.
#include <algorithm>
#include <array>

#include "diagnose/families.h"
#include "diagnose/words.h"
#include "reach/destinations.h"
#include "reach/shell_word.h"

namespace hark::diagnose {
namespace {

using host::Link;
using host::Listener;
using host::Network;

constexpr std::uint32_t kIffUp = 0x1;  // IFF_UP of linux/if.h
/// The ports that the kernel gives to whoever asks for none, by default: services that tell theirs
/// elsewhere have another in each family.
constexpr std::uint16_t kFirstEphemeral = 32768;

/// Some IPv4 client could come from elsewhere.
bool has_ipv4(const Network& network) {
  return std::ranges::any_of(network.addresses, [&](const host::InterfaceAddress& one) {
    const Link* link = network.link(one.link);
    return one.address.family == IpFamily::Inet && link != nullptr && reach::receives(*link) &&
           !link->is_loopback();
  });
}

std::optional<Finding> only_ipv6(const Facts& facts, std::size_t i, const Network& network) {
  const Listener& listener = facts.listener(i);
  const bool wide = listener.address.family == IpFamily::Inet6 && listener.address.is_unspecified();
  if (!is_stream(listener) || !wide || listener.v6only != true) return std::nullopt;
  if (listener.port >= kFirstEphemeral || !has_ipv4(network)) return std::nullopt;
  const bool also_ipv4 = std::ranges::any_of(facts.host.listeners, [&](const Listener& other) {
    return other.netns == listener.netns && is_stream(other) && other.port == listener.port &&
           other.address.unmapped().family == IpFamily::Inet;
  });
  if (also_ipv4) return std::nullopt;
  const bool by_default = network.settings.bindv6only == 1;
  Finding out{.code = "v6only",
              .severity = Severity::Notice,
              .listener = i,
              .text = host::holder_words(facts.host, i) +
                      " serves IPv6 only: its socket on [::] takes no IPv4, and nobody listens on "
                      "0.0.0.0"};
  out.evidence.push_back(
      {.fact = "v6only 1", .where = "socket", .verify = socket_command(listener, "e")});
  if (by_default) {
    out.evidence.push_back({.fact = "net.ipv6.bindv6only = 1",
                            .where = "sysctl",
                            .verify = "sysctl net.ipv6.bindv6only"});
  }
  out.remedy = by_default ? "set net.ipv6.bindv6only = 0 and start it again, or let it listen on "
                            "0.0.0.0 as well"
                          : "let it listen on 0.0.0.0 as well, if IPv4 clients are to be served";
  return out;
}

/// RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST, RTN_MULTICAST: addresses at which this host receives.
bool has_route_here(const Network& network, const IpAddress& address) {
  constexpr std::array<std::uint8_t, 4> kHere = {2, 3, 4, 5};
  return std::ranges::any_of(network.routes, [&](const host::Route& route) {
    return route.destination.address.family == address.family &&
           std::ranges::find(kHere, route.type) != kHere.end() &&
           route.destination.contains(address);
  });
}

bool is_own(const Network& network, const IpAddress& address) {
  if (address.is_loopback() || address.is_multicast() || address.is_unspecified()) return true;
  if (address == *IpAddress::parse("255.255.255.255")) return true;
  return std::ranges::any_of(network.addresses,
                             [&](const host::InterfaceAddress& one) {
                               return one.address == address || one.broadcast == address;
                             }) ||
         has_route_here(network, address);
}

/// Who binds an address before it is there has said so, and waits for it: a standby of a pair.
bool waits_for_it(const Network& network, const Listener& listener) {
  const host::SocketFacts* socket = network.services.socket(listener.socket.inode);
  if (socket == nullptr) return false;
  if (socket->transparent.value_or(false)) return true;
  return socket->options && (socket->options->value(OptionPart::FreeBind).value_or(0) != 0 ||
                             socket->options->value(OptionPart::Transparent).value_or(0) != 0);
}

std::optional<Finding> address_gone(const Facts& facts, std::size_t i, const Network& network) {
  const Listener& listener = facts.listener(i);
  const IpAddress address = listener.address.unmapped();
  if (network.gap(host::NetworkFact::Addresses) != nullptr ||
      network.gap(host::NetworkFact::Routes) != nullptr || network.links.empty()) {
    return std::nullopt;
  }
  if (listener.protocol == Protocol::Raw || is_own(network, address)) return std::nullopt;
  if (waits_for_it(network, listener)) return std::nullopt;
  return Finding{
      .code = "addr-absent",
      .severity = Severity::Risk,
      .listener = i,
      .text = host::holder_words(facts.host, i) + " is bound to " + address.text() +
              ", which no interface has: nobody can reach it there",
      .evidence = {{.fact = "no interface has " + address.text(),
                    .where = "addresses",
                    .verify = "ip addr show to " + address.text()},
                   {.fact = "bound to " + address.text(),
                    .where = "socket",
                    .verify = socket_command(listener)}},
      .remedy =
          "give the address back to an interface, or let the program listen on one that is there; "
          "a standby that waits for the address is as it should be"};
}

std::optional<Finding> device_down(const Facts& facts, std::size_t i, const Network& network) {
  const Listener& listener = facts.listener(i);
  if (listener.interface_index == 0 || network.links.empty() ||
      network.gap(host::NetworkFact::Links) != nullptr) {
    return std::nullopt;
  }
  const Link* link = network.link(listener.interface_index);
  if (link != nullptr && (link->flags & kIffUp) != 0) return std::nullopt;
  const std::string name = link != nullptr ? link->name : listener.interface;
  const std::string called =
      name.empty() ? "number " + std::to_string(listener.interface_index) : name;
  Finding out{.code = "link-down",
              .severity = Severity::Risk,
              .listener = i,
              .text = host::holder_words(facts.host, i) + " is bound to the interface " + called +
                      (link != nullptr ? ", which is down" : ", which is gone") +
                      ": nobody can reach it"};
  out.evidence.push_back(
      {.fact = called + (link != nullptr ? " is down" : " does not exist"),
       .where = "link",
       .verify = "ip link show" + (name.empty() ? "" : " dev " + reach::shell_word(name))});
  out.remedy = link != nullptr
                   ? "bring it up: ip link set " + reach::shell_word(name) + " up"
                   : "start the program again once the interface is there: a socket stays bound to "
                     "the one that it was given, not to its name";
  return out;
}

}  // namespace

std::vector<Finding> odd_bindings(const Facts& facts) {
  std::vector<Finding> out;
  for (const std::size_t i : facts.listeners) {
    const Network* network = facts.network(facts.listener(i));
    if (network == nullptr) continue;
    if (auto one = only_ipv6(facts, i, *network)) out.push_back(std::move(*one));
    if (auto one = device_down(facts, i, *network)) {
      out.push_back(std::move(*one));
    } else if (auto gone = address_gone(facts, i, *network)) {
      out.push_back(std::move(*gone));
    }
  }
  return out;
}

}  // namespace hark::diagnose
