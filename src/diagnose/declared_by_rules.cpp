#include "diagnose/declared_by_rules.h"

#include "host/holders.h"
#include "reach/netfilter.h"
#include "reach/published.h"

namespace hark::diagnose {
namespace {

using host::DeclaredPort;
using reach::LeadsTo;
using reach::PublishedPort;

bool is_plain(const PublishedPort& port) {
  const auto& ranges = port.ports.ranges();
  return port.certain && !port.ipvs && !port.rules.empty() && port.leads_to.size() == 1 &&
         ranges.size() == 1 && ranges.front().first == ranges.front().last;
}

/// An address of another namespace of this host, of which it is known who listens.
bool leads_to_nobody(const PublishedPort& port, const LeadsTo& lead) {
  if (!lead.address || lead.last_address || lead.open || !lead.service.empty()) return false;
  return lead.netns && *lead.netns != port.netns && lead.somebody_listens == false;
}

}  // namespace

std::vector<DeclaredPort> declared_by_rules(const Facts& facts) {
  std::vector<DeclaredPort> out;
  for (const PublishedPort& port : facts.reach.published()) {
    if (!is_plain(port) || !leads_to_nobody(port, port.leads_to.front())) continue;
    const LeadsTo& lead = port.leads_to.front();
    const reach::PublishedBy& rule = port.rules.front();
    const std::string where = lead.container
                                  ? "container " + host::container_words(*lead.container)
                                  : "namespace " + host::netns_words(facts.host.at(*lead.netns));
    out.push_back({.by = DeclaredPort::By::Rule,
                   .port = lead.port.value_or(port.first_port()),
                   .protocol = port.protocol,
                   .address = lead.address,
                   .netns = *lead.netns,
                   .program = where,
                   .words = std::string(name_of(port.protocol)) + " " +
                            std::to_string(port.first_port()) + " (" + rule.told + ")",
                   .published = port.first_port(),
                   .shown_by = reach::command_of(rule.place)});
  }
  return out;
}

}  // namespace hark::diagnose
