// What the input chain would have made of packets that a rule of NAT lets pass by it.
#include <algorithm>
#include <array>

#include "reach/published.h"

namespace hark::reach {

bool is_of_firewall(const Cause& cause) {
  constexpr std::array<std::string_view, 3> kEnds = {"-drop", "-policy-drop", "-reject"};
  return std::ranges::any_of(kEnds,
                             [&](std::string_view end) { return cause.code.ends_with(end); });
}

struct WithoutNat::Plain {
  explicit Plain(const host::Host& host, host::Network stripped)
      : network(std::move(stripped)), tracer(host, network) {}
  host::Network network;
  Tracer tracer;
};

WithoutNat::WithoutNat(const host::Host& host, const host::Network& network)
    : host_(host), network_(network) {}
WithoutNat::~WithoutNat() = default;

std::optional<Cause> WithoutNat::denied(const Question& question) {
  if (!plain_) {
    host::Network stripped = network_;
    std::erase_if(stripped.nft.chains, [](const auto& chain) {
      return chain.type == "nat" && chain.hook && chain.hook->number == kHookPrerouting;
    });
    std::erase_if(stripped.legacy,
                  [](const host::LegacyTable& table) { return table.name == "nat"; });
    plain_ = std::make_unique<Plain>(host_, std::move(stripped));
  }
  const Answer answer = plain_->tracer.trace(question);
  if (!answer.cause.code.starts_with("input-") || !is_of_firewall(answer.cause)) return {};
  return answer.cause;
}

void WithoutNat::judge(PublishedPort& port) {
  if (port.ipvs) return;  // it stands behind the input chain
  const auto own = [&](const IpAddress& address) {
    return address.is_loopback() || std::ranges::any_of(network_.addresses, [&](const auto& one) {
             return one.address == address;
           });
  };
  port.bypasses_input = std::ranges::any_of(
      port.leads_to, [&](const LeadsTo& lead) { return lead.address && !own(*lead.address); });
  if (!port.bypasses_input) return;
  // By an interface with a default route where there is one: containers that reach each other by
  // way of this host are their own business.
  const auto leads_out = [&](const ClientPlace& place) {
    return std::ranges::any_of(network_.routes, [&](const host::Route& route) {
      return route.destination.length <= 1 && route.family == port.family &&
             std::ranges::any_of(
                 route.hops, [&](const host::NextHop& hop) { return hop.link == place.interface; });
    });
  };
  const auto& clients = port.reach.clients;
  const bool any = std::ranges::any_of(clients.places, leads_out);
  for (std::size_t i = 0; i < clients.parts.size(); ++i) {
    const ClientPlace& place = clients.places[clients.parts[i].place];
    const ReachClass& cls = *clients.parts[i].cls;
    const bool open = port.reach.through[i] == Through::Yes || cls.answer.cause.code == "forwarded";
    if (place.loopback || !open || (any && !leads_out(place))) continue;
    if (!is_translated(cls.answer, port)) continue;
    port.denied = denied(cls.answer.question);
    port.let_through = &cls;
    return;
  }
}

}  // namespace hark::reach
