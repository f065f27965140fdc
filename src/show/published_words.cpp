#include "show/published_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "host/holders.h"
#include "show/list_rows.h"
#include "show/reach_words.h"

namespace hark::show {
namespace {

using reach::LeadsTo;
using reach::PublishedPort;

constexpr std::size_t kMostTargets = 2;

const char* arrow(bool ascii) {
  return ascii ? "->" : "\u2192";
}

std::string range_words(const IpAddress& first, const IpAddress& last) {
  const AddressSet set(AddressRange{first, last});
  const std::vector<Prefix> prefixes = prefixes_of(set);
  if (prefixes.size() == 1) {
    const Prefix& one = prefixes.front();
    return one.length == one.address.bits() ? one.address.text() : one.text();
  }
  return first.text() + "-" + last.text();
}

/// Where it is published; empty: on every address.
std::string place_words(const PublishedPort& port) {
  if (!port.addresses) return {};
  const auto& ranges = port.addresses->ranges();
  std::string out = range_words(ranges.front().first, ranges.front().last);
  if (ranges.size() > 1) out += fmt::format(" and {} more", ranges.size() - 1);
  return out;
}

bool this_host_reaches(const reach::Reachability& one) {
  for (std::size_t i = 0; i < one.clients.parts.size(); ++i) {
    const bool here = one.clients.places[one.clients.parts[i].place].loopback;
    if (here && one.through[i] != reach::Through::No) return true;
  }
  return false;
}

std::string ipvs_words(const PublishedPort& port) {
  if (!port.ipvs) return {};
  std::string out =
      fmt::format("  IPVS{} ({}", port.kube_proxy ? " of kube-proxy" : "", port.ipvs->scheduler);
  if (port.sticky) out += ", persistent";
  return out + ")";
}

/// IPVS passes all of its clients over.
bool gets_nobody(const LeadsTo& lead) {
  return lead.server && lead.server->weight <= 0;
}

std::string home_words(const LeadsTo& lead) {
  std::string out;
  if (lead.container) out += "  container " + host::container_words(*lead.container);
  if (!lead.service.empty()) out += "  service " + lead.service;
  return out;
}

}  // namespace

std::string published_ports(const PublishedPort& port) {
  std::vector<std::string> out;
  for (const auto& range : port.ports.ranges()) {
    if (range.first <= 1 && range.last == 0xffff) return "every port";
    out.push_back(range.first == range.last ? fmt::format("{}", range.first)
                                            : fmt::format("{}-{}", range.first, range.last));
  }
  constexpr std::size_t kMost = 4;
  if (out.size() <= kMost) return join(out, ",");
  const std::size_t more = out.size() - kMost + 1;
  out.resize(kMost - 1);
  return fmt::format("{} and {} more", join(out, ","), more);
}

std::string lead_words(const PublishedPort& port, const LeadsTo& lead) {
  if (lead.open) return "not known";
  const bool one = port.ports.ranges().size() == 1 &&
                   port.ports.ranges().front().first == port.ports.ranges().front().last;
  std::optional<std::uint16_t> to = lead.port;
  if (!to && one) to = port.first_port();
  if (!lead.address) {
    return to ? fmt::format("port {} of this host", *to) : std::string("this host");
  }
  std::string address =
      lead.last_address ? range_words(*lead.address, *lead.last_address) : lead.address->text();
  if (to && lead.address->family == Family::Inet6) address = "[" + address + "]";
  return to ? fmt::format("{}:{}", address, *to) : address;
}

namespace {

std::string targets_of(const PublishedPort& port) {
  std::vector<std::string> targets;
  const bool some = !std::ranges::all_of(port.leads_to, gets_nobody);
  for (const LeadsTo& lead : port.leads_to) {
    if (!some || !gets_nobody(lead)) targets.push_back(lead_words(port, lead));
  }
  if (targets.size() > kMostTargets) {
    return fmt::format("{} and {} more", targets.front(), targets.size() - 1);
  }
  return join(targets, port.chance ? " or " : ", ");
}

}  // namespace

std::string published_target(const PublishedPort& port, bool ascii) {
  const std::string to = targets_of(port);
  const std::string place = place_words(port);
  if (place.empty() || to.empty()) return place + to;
  return fmt::format("{} {} {}", place, arrow(ascii), to);
}

std::vector<std::size_t> published_owners(const PublishedPort& port) {
  std::vector<std::size_t> out;
  for (const LeadsTo& lead : port.leads_to) {
    if (lead.listener && std::ranges::find(out, *lead.listener) == out.end()) {
      out.push_back(*lead.listener);
    }
  }
  return out;
}

std::string published_who(const host::Host& host, const PublishedPort& port, bool ascii) {
  if (port.ipvs && std::ranges::all_of(port.leads_to, gets_nobody)) {
    return "no server takes new clients" + ipvs_words(port);
  }
  if (port.leads_to.empty()) return {};
  const auto with = std::ranges::find_if(port.leads_to, [](const LeadsTo& lead) {
    return lead.listener.has_value() && !gets_nobody(lead);
  });
  const LeadsTo& first = with == port.leads_to.end() ? port.leads_to.front() : *with;
  std::string out;
  if (first.listener) {
    const host::Listener& listener = host.listeners[*first.listener];
    out = who_words(host, {{*first.listener}, {listener.port}, listener.probable_client}, ascii);
    if (listener.container) {
      // The words have told of it.
      if (!first.service.empty()) out += "  service " + first.service;
    } else {
      out += home_words(first);
    }
  } else {
    out = first.somebody_listens == false ? "nobody listens there" : "not seen from here";
    out += home_words(first);
  }
  const auto all = std::ranges::count_if(port.leads_to, std::not_fn(gets_nobody));
  if (all > 1) out += fmt::format("  one of {} places", all);
  return out + ipvs_words(port);
}

std::string published_reach(const host::Network& network, const PublishedPort& port) {
  const bool nobody = std::ranges::all_of(
      port.leads_to, [](const LeadsTo& lead) { return lead.somebody_listens == false; });
  if (nobody && port.reach.openness == reach::Openness::Nobody) return "nobody";
  if (port.ipvs && port.reach.openness == reach::Openness::Unknown) {
    const reach::Reachability far = reach::as_far_as(port.reach, "ipvs");
    const std::string words = way_free_reach_words(network, far);
    return far.openness == reach::Openness::Unknown ? words : words + ", as far as IPVS";
  }
  std::string out = way_free_reach_words(network, port.reach);
  const bool open = port.reach.openness == reach::Openness::Anywhere ||
                    port.reach.openness == reach::Openness::Some;
  if (!open) return out;
  if (port.denied) {
    out += ", past " + (port.denied->tool.empty() ? "the firewall" : port.denied->tool) + " (DNAT)";
  } else if (port.bypasses_input) {
    out += " (DNAT)";
  }
  return this_host_reaches(port.reach) ? out : out + "; not this host";
}

std::string published_sentence(const host::Host& host, const PublishedPort& port) {
  std::string out =
      fmt::format("{} {} is published", name_of(port.protocol), published_ports(port));
  if (port.addresses) out += " on " + place_words(port);
  if (!port.rules.empty() && port.leads_to.empty()) {
    out += fmt::format(": {} takes it", port.rules.front().told);
  } else if (!port.rules.empty()) {
    out += fmt::format(": {} sends it on to {}", port.rules.front().told, targets_of(port));
  }
  const std::string who = published_who(host, port, true);
  return who.empty() ? out : out + ", " + who;
}

}  // namespace hark::show
