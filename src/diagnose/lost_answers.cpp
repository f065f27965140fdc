// Listeners whose answers do not get back to the neighbours of a whole interface: what comes in is
// let in, and the reply is dropped, has no route, or the packet is refused because its way back is
// another one.
//
// Neighbours on the interface's own subnet are asked about, for nobody is nearer. That the rest of
// the world has no way back is as it should be on a network without a router, and that some of them
// are kept away is what firewalls are for.
#include <algorithm>
#include <array>
#include <map>

#include "diagnose/families.h"
#include "diagnose/words.h"
#include "reach/destinations.h"

namespace hark::diagnose {
namespace {

using host::Listener;
using host::Network;

constexpr std::array<std::string_view, 4> kLost = {"output-drop", "output-policy-drop",
                                                   "no-route-back", "rp-filter-strict"};

bool is_lost(const reach::Answer& answer) {
  return answer.outcome != reach::Outcome::Answered &&
         std::ranges::find(kLost, answer.cause.code) != kLost.end();
}

/// Two interfaces on one network: whoever is there is answered by one of them.
bool is_of_another(const Network& network, const host::InterfaceAddress& own) {
  return std::ranges::any_of(network.addresses, [&](const host::InterfaceAddress& other) {
    return other.link != own.link && other.subnet.address.family == own.subnet.address.family &&
           (other.subnet.contains(own.subnet.address) || own.subnet.contains(other.subnet.address));
  });
}

/// Clients of the interface's own subnets of that family.
AddressSet neighbours_of(const Network& network, const reach::ClientSources& sources,
                         const host::Link& link, const IpAddress& asked) {
  AddressSet out;
  for (const host::InterfaceAddress& one : network.addresses) {
    if (one.link != link.index || one.address.family != asked.family) continue;
    if (one.address.is_link_local() || is_of_another(network, one)) continue;
    out = out.unite(AddressSet(range_of(one.subnet)));
  }
  return out.empty() ? out : out.intersect(sources.of(link, asked));
}

/// The answer that no neighbour at an interface gets, by interface; those of which some get one, or
/// fail for another reason, are left out. What is kept apart by routing alone counts here, which
/// is why the classes are asked and not the view of them.
std::map<std::uint32_t, const reach::Answer*> lost_by_link(const Facts& facts, std::size_t i,
                                                           const Network& network) {
  std::map<std::uint32_t, const reach::Answer*> out;
  const reach::ClassList classes = facts.reach.classes({i});
  const reach::ClientSources* sources = facts.reach.sources(network.netns);
  const bool any = std::ranges::any_of(
      classes, [](const reach::ReachClass* one) { return is_lost(one->answer); });
  if (!any || sources == nullptr) return out;
  for (const reach::ReachClass* one : classes) {
    const host::Link* link = network.link(one->interface);
    if (link == nullptr || link->is_loopback()) continue;
    const AddressSet neighbours =
        neighbours_of(network, *sources, *link, one->answer.question.destination);
    if (one->addresses.intersect(neighbours).empty()) continue;
    const reach::Answer* lost = is_lost(one->answer) ? &one->answer : nullptr;
    const auto [at, is_new] = out.emplace(one->interface, lost);
    if (!is_new && lost == nullptr) at->second = nullptr;
  }
  std::erase_if(out, [](const auto& entry) { return entry.second == nullptr; });
  return out;
}

const char* remedy_for(const std::string& code) {
  if (code == "no-route-back") {
    return "give the subnet a route: it is missing, or a rule of policy routing stands before it";
  }
  if (code == "rp-filter-strict") {
    return "let the way back lead through the same interface, or set rp_filter = 2 there, which "
           "asks only whether there is any way back";
  }
  return "let answers out: a rule that accepts `ct state established` before the one that drops";
}

}  // namespace

std::vector<Finding> lost_answers(const Facts& facts) {
  std::vector<Finding> out;
  for (const std::size_t i : facts.listeners) {
    const Listener& listener = facts.listener(i);
    const Network* network = facts.network(listener);
    // Over UDP many only listen.
    if (network == nullptr || !is_stream(listener)) continue;
    if (listener.scope == host::Scope::Loopback) continue;
    for (const auto& [index, answer] : lost_by_link(facts, i, *network)) {
      out.push_back({.code = answer->cause.code,
                     .severity = Severity::Broken,
                     .listener = i,
                     .text = host::holder_words(facts.host, i) + ": its neighbours on " +
                             network->link(index)->name + " get no answer: " + answer->cause.text,
                     .evidence = answer->cause.evidence,
                     .remedy = remedy_for(answer->cause.code)});
    }
  }
  return out;
}

}  // namespace hark::diagnose
