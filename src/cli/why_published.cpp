#include "cli/why_published.h"

#include <algorithm>
#include <iterator>

#include "reach/select_published.h"
#include "show/published_words.h"

namespace hark::cli {
namespace {

using host::Target;
using reach::LeadsTo;
using reach::PublishedPort;

/// So many near misses are told.
constexpr std::size_t kMostNear = 3;

bool has_port(const PublishedPort& port, std::uint16_t asked) {
  return port.ports.contains(asked);
}

bool is_meant(const PublishedPort& port, const Target& target) {
  if (!has_port(port, target.port)) return false;
  if (target.protocol && *target.protocol != port.protocol) return false;
  if (target.family && *target.family != port.family) return false;
  return !target.address || !port.addresses || port.addresses->contains(*target.address);
}

/// The same port of another protocol, one beside it, or one that comes out at that port.
bool is_near(const PublishedPort& port, const Target& target) {
  const std::uint16_t asked = target.port;
  if (has_port(port, asked) ||
      (asked > 1 && has_port(port, static_cast<std::uint16_t>(asked - 1)))) {
    return true;
  }
  if (asked < 0xffff && has_port(port, static_cast<std::uint16_t>(asked + 1))) return true;
  return std::ranges::any_of(port.leads_to,
                             [&](const LeadsTo& lead) { return lead.port == asked; });
}

class Asking {
 public:
  Asking(const Reading& reading, const host::Network& network)
      : reading_(reading), network_(network), sources_(network), plain_(reading.host, network) {}

  /// Of these candidates those that packets really come to.
  std::vector<PublishedPort> judged(std::vector<PublishedPort> ports, WhyPublished& out) {
    std::vector<reach::Destination> all;
    std::vector<reach::PublishedCount> counts;
    for (const PublishedPort& port : ports) {
      reach::PublishedAsks asks = reach::asks_of(sources_, reach::Sources::OfClients, port);
      counts.push_back({asks.to.size(), asks.of_leads});
      std::ranges::move(asks.to, std::back_inserter(all));
    }
    // Ports keep pointers to what is asked once for all of them.
    out.places = reading_.engine.reach(reading_.host, network_, all, reading_.others);
    std::size_t next = 0;
    for (std::size_t i = 0; i < ports.size(); ++i) {
      next = reach::take_answers(out.places, next, counts[i], ports[i]);
    }
    std::erase_if(ports, [&](PublishedPort& port) { return !reach::judge(sources_, port); });
    if (ports.empty()) return ports;
    const reach::AddressOwners addresses = all_addresses();
    for (PublishedPort& port : ports) {
      reach::find_owners(reading_.host, addresses, port);
      plain_.judge(port);
    }
    return ports;
  }

 private:
  [[nodiscard]] reach::AddressOwners all_addresses() const {
    reach::AddressOwners out;
    const auto add = [&](const host::Network& one) {
      for (const host::InterfaceAddress& address : one.addresses) {
        out.emplace(address.address, one.netns);
      }
    };
    add(network_);
    for (std::size_t i = 0; i < reading_.host.namespaces.size(); ++i) {
      const host::NetnsId id{static_cast<std::uint32_t>(i)};
      if (id == network_.netns || !reading_.host.at(id).entered) continue;
      add(host::read_addresses(reading_.source, reading_.ways[i], id));
    }
    return out;
  }

  const Reading& reading_;
  const host::Network& network_;
  const reach::ClientSources sources_;
  reach::WithoutNat plain_;
};

}  // namespace

WhyPublished published_for(const Reading& reading, const host::Network& network,
                           const Target& target, bool near) {
  WhyPublished out;
  reach::Publishable all = reach::publishable(reading.host, network);
  std::vector<PublishedPort> meant;
  std::vector<PublishedPort> close;
  for (PublishedPort& port : all.ports) {
    if (target.endpoint && is_meant(port, target)) {
      meant.push_back(std::move(port));
    } else if (near && (!target.endpoint || is_near(port, target))) {
      close.push_back(std::move(port));
    }
  }
  Asking asking(reading, network);
  if (!meant.empty()) out.ports = asking.judged(std::move(meant), out);
  if (!out.ports.empty() || close.empty()) return out;
  const std::vector<PublishedPort> found = asking.judged(std::move(close), out);
  for (const PublishedPort& port : found) {
    if (out.near.size() == kMostNear) break;
    if (!target.endpoint && !reach::is_meant(reading.host, port, target.filter)) continue;
    out.near.push_back({.relation = "published",
                        .listener = std::nullopt,
                        .text = show::published_sentence(reading.host, port)});
  }
  return out;
}

}  // namespace hark::cli
