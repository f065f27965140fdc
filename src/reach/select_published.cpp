#include "reach/select_published.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "reach/published.h"

namespace hark::reach {

using host::Field;
using host::Term;

namespace {

/// A listener such as would have made the rule unnecessary: what its own facts tell.
host::Listener likeness(const PublishedPort& port) {
  host::Listener out;
  out.protocol = port.protocol;
  out.netns = port.netns;
  out.port = port.first_port();
  out.address.family = port.family;
  if (port.family == Family::Inet6) out.v6only = true;
  if (!port.addresses) return out;
  const auto& ranges = port.addresses->ranges();
  out.address = ranges.front().first;
  const bool here = std::ranges::all_of(
      ranges, [](const AddressRange& range) { return range.first.is_loopback(); });
  out.scope = here ? host::Scope::Loopback : host::Scope::OneAddress;
  return out;
}

bool has_address(const PublishedPort& port, const Term& term) {
  if (!term.device.empty()) return false;
  if (term.any_address) return !port.addresses;
  if (!port.addresses) {
    IpAddress any;
    any.family = port.family;
    return term.prefix.contains(any) && term.prefix.length == any.bits();
  }
  return std::ranges::any_of(port.addresses->ranges(), [&](const AddressRange& range) {
    return term.prefix.contains(range.first) && term.prefix.contains(range.last);
  });
}

bool leads_to_address(const PublishedPort& port, const Term& term) {
  return !term.any_address && std::ranges::any_of(port.leads_to, [&](const LeadsTo& lead) {
    return lead.address && term.prefix.contains(*lead.address);
  });
}

bool has_port(const PublishedPort& port, const Term& term) {
  return std::ranges::any_of(port.ports.ranges(),
                             [&](const auto& range) {
                               return range.first <= term.last_port &&
                                      range.last >= term.first_port;
                             }) &&
         (!term.has_address || has_address(port, term));
}

bool holds_behind(const host::Host& host, const PublishedPort& port, const Term& term) {
  return std::ranges::any_of(port.leads_to, [&](const LeadsTo& lead) {
    if (lead.listener && host::holds_for(host, host.listeners[*lead.listener], term)) return true;
    const bool names = term.field == Field::Word || term.field == Field::Container ||
                       term.field == Field::Unit || term.field == Field::Name;
    if (names && !lead.service.empty() &&
        lower(lead.service).find(lower(term.text)) != std::string::npos) {
      return true;
    }
    if (!lead.container) return false;
    host::Listener inside = likeness(port);
    inside.container = *lead.container;
    return host::holds_for(host, inside, term);
  });
}

bool holds(const host::Host& host, const PublishedPort& port, const Term& term) {
  if (term.has_protocol && term.protocol != port.protocol) return false;
  using enum Field;
  switch (term.field) {
    case Protocol:
      return term.protocol == port.protocol;
    case Family:
      return term.family == port.family;
    case Port:
      return has_port(port, term);
    case Address:
      return has_address(port, term) || leads_to_address(port, term);
    case Kind:
      return term.kind == host::RowKind::Published;
    case Reachable:
      return is_open_to(port.reach.openness, term.open_to);
    case ReachableFrom:
      return reaches(port.reach, term.prefix);
    case Netns:
    case Scope:
      return host::holds_for(host, likeness(port), term);
    case State:
    case Interface:
    case Inode:
      return false;
    case Word:
    case User:
    case Unit:
    case Container:
    case Name:
    case Pid:
    case Exe:
    case CommandLine:
    case Cgroup:
      break;
  }
  return holds_behind(host, port, term);
}

}  // namespace

bool is_open_to(Openness open, host::OpenTo asked) {
  switch (asked) {
    case host::OpenTo::Nobody:
      return open == Openness::Nobody;
    case host::OpenTo::ThisHost:
      return open == Openness::ThisHost;
    case host::OpenTo::Some:
      return open == Openness::Some;
    case host::OpenTo::Anywhere:
      break;
  }
  return open == Openness::Anywhere;
}

bool is_meant(const host::Host& host, const PublishedPort& port, const host::Filter& filter) {
  std::array<bool, host::kFieldCount> asked{};
  std::array<bool, host::kFieldCount> met{};
  for (const Term& term : filter.terms) {
    const auto field = static_cast<std::size_t>(term.field);
    if (term.negated) {
      if (holds(host, port, term)) return false;
      continue;
    }
    asked[field] = true;
    met[field] = met[field] || holds(host, port, term);
  }
  return asked == met;
}

std::vector<std::size_t> select_published(const ReachTable& table, const host::Filter& filter) {
  std::vector<std::size_t> out;
  const std::vector<PublishedPort>& all = table.published();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (is_meant(table.host(), all[i], filter)) out.push_back(i);
  }
  return out;
}

}  // namespace hark::reach
