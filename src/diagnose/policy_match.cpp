#include "diagnose/policy_match.h"

#include <algorithm>

#include "base/text.h"
#include "diagnose/words.h"

namespace hark::diagnose {
namespace {

using host::DeclaredPort;
using host::Expectation;
using host::Listener;
using host::OwnerWish;
using host::Term;

std::string_view without_type(std::string_view unit) {
  return unit.substr(0, unit.rfind('.'));
}

/// What `as` asks for: by the program's name, or a unit's.
bool says(const DeclaredPort& declared, const std::string& as) {
  return declared.program == as || (declared.pid == 0 && without_type(declared.program) == as);
}

bool is_protocol(Protocol asked, Protocol one) {
  return asked == one || (asked == Protocol::Tcp && one == Protocol::Mptcp);
}

bool is_netns(const PolicyFacts& facts, const Expectation& asked, host::NetnsId id) {
  if (asked.netns.empty()) return true;
  Term term;
  term.field = host::Field::Netns;
  term.text = asked.netns;
  Listener likeness;
  likeness.netns = id;
  return host::holds_for(facts.host, likeness, term);
}

/// Is that what was declared? A wildcard means that its family is taken.
bool is_declared(const DeclaredPort& declared, const Listener& listener) {
  if (declared.netns != listener.netns) return false;
  if (declared.everywhere) return listener.address.unmapped().is_unspecified();
  if (!declared.address) return true;
  const IpAddress wanted = declared.address->unmapped();
  if (!wanted.is_unspecified()) return listener.address.unmapped() == wanted;
  if (!listener.address.unmapped().is_unspecified()) return false;
  if (listener.address.family == wanted.family) return true;
  return wanted.family == hark::Family::Inet && !listener.v6only.value_or(false);
}

bool has_address(const reach::PublishedPort& published, const Term& term) {
  if (!term.device.empty()) return false;
  if (term.any_address) return !published.addresses;
  if (!published.addresses) {
    return term.prefix.address.is_unspecified() && term.prefix.address.family == published.family;
  }
  return std::ranges::all_of(published.addresses->ranges(), [&](const AddressRange& range) {
    return term.prefix.contains(range.first) && term.prefix.contains(range.last);
  });
}

bool is_container(const PolicyFacts& facts, const host::Container& container,
                  const OwnerWish& owner) {
  Listener inside;
  inside.container = container;
  return std::ranges::any_of(owner.terms, [&](const Term& term) {
    return term.field == host::Field::Container && host::holds_for(facts.host, inside, term);
  });
}

Fit fits_listener(const PolicyFacts& facts, const OwnerWish& owner, const Listener& listener) {
  for (const Term& term : owner.terms) {
    if (host::holds_for(facts.host, listener, term)) return Fit::Yes;
  }
  if (!listener.owners) return listener.kernel_owners.empty() ? Fit::Unknown : Fit::No;
  for (const host::Owner& one : *listener.owners) {
    const host::Process& process = facts.host.at(one.process);
    // Who stands behind a door owns what it lets through.
    if (process.door && process.door->container &&
        is_container(facts, *process.door->container, owner)) {
      return Fit::Yes;
    }
  }
  return Fit::No;
}

Fit fits_lead(const PolicyFacts& facts, const OwnerWish& owner, const reach::LeadsTo& lead) {
  if (lead.container && is_container(facts, *lead.container, owner)) return Fit::Yes;
  if (!lead.service.empty() && lead.service.substr(0, lead.service.rfind(':')) == owner.written) {
    return Fit::Yes;
  }
  if (!lead.listener) {
    return lead.container || lead.somebody_listens == false ? Fit::No : Fit::Unknown;
  }
  return fits_listener(facts, owner, facts.host.listeners[*lead.listener]);
}

bool is_holder(const PolicyFacts& facts, const DeclaredPort& declared, const Listener& listener) {
  return declared.pid != 0 && listener.owners &&
         std::ranges::any_of(*listener.owners, [&](const host::Owner& one) {
           return facts.host.at(one.process).pid == declared.pid;
         });
}

}  // namespace

std::vector<PolicyPort> policy_ports(const PolicyFacts& facts, const host::Policy& policy,
                                     std::size_t i) {
  const Expectation& asked = policy.expectations[i];
  PolicyPort one{.expectation = i,
                 .asked = &asked,
                 .protocol = asked.protocol,
                 .first = asked.first_port,
                 .last = asked.last_port,
                 .owners = asked.owners};
  if (asked.as.empty()) return {std::move(one)};
  if (one.owners.empty()) {
    if (auto owner = host::parse_owner(asked.as)) one.owners.push_back(std::move(*owner));
  }
  std::vector<PolicyPort> out;
  for (const DeclaredPort& declared : facts.declared) {
    if (!says(declared, asked.as) || (facts.netns && declared.netns != *facts.netns)) continue;
    if (!is_netns(facts, asked, declared.netns)) continue;
    one.declared = &declared;
    one.protocol = declared.protocol;
    one.first = one.last = declared.port;
    out.push_back(one);
  }
  return out;
}

bool names(const PolicyFacts& facts, const PolicyPort& port, const Listener& listener) {
  if (facts.netns && listener.netns != *facts.netns) return false;
  if (listener.port < port.first || listener.port > port.last) return false;
  if (port.protocol && !is_protocol(*port.protocol, listener.protocol)) return false;
  // A bare number is a port; that of a raw socket is a protocol.
  if (!port.protocol && listener.protocol == Protocol::Raw) return false;
  const Expectation& asked = *port.asked;
  if (asked.published.value_or(false)) return false;
  if (asked.family && listener.address.family != *asked.family) return false;
  if (!is_netns(facts, asked, listener.netns)) return false;
  if (asked.address && !host::holds_for(facts.host, listener, *asked.address)) return false;
  return port.declared == nullptr || is_declared(*port.declared, listener);
}

PortSet names(const PolicyFacts& facts, const PolicyPort& port,
              const reach::PublishedPort& published) {
  if (facts.netns && published.netns != *facts.netns) return {};
  if (port.declared != nullptr) return {};
  if (port.protocol && !is_protocol(*port.protocol, published.protocol)) return {};
  const Expectation& asked = *port.asked;
  if (!asked.published.value_or(true)) return {};
  if (asked.family && published.family != *asked.family) return {};
  if (!is_netns(facts, asked, published.netns)) return {};
  if (asked.address && !has_address(published, *asked.address)) return {};
  return published.ports.intersect(PortSet(Interval<std::uint16_t>{port.first, port.last}));
}

Fit owner_fits(const PolicyFacts& facts, const OwnerWish& owner, const PolicySubject& subject) {
  if (subject.listener) {
    return fits_listener(facts, owner, facts.host.listeners[*subject.listener]);
  }
  const reach::PublishedPort& published = facts.reach.published()[*subject.published];
  if (published.leads_to.empty()) return Fit::Unknown;
  // Whoever is picked has to be the one.
  Fit out = Fit::Yes;
  for (const reach::LeadsTo& lead : published.leads_to) {
    out = std::min(out, fits_lead(facts, owner, lead));
  }
  return out;
}

Fit owner_fits(const PolicyFacts& facts, const PolicyPort& port, const PolicySubject& subject) {
  if (port.owners.empty()) return Fit::Yes;
  if (port.declared != nullptr && subject.listener && port.asked->owners.empty() &&
      is_holder(facts, *port.declared, facts.host.listeners[*subject.listener])) {
    return Fit::Yes;
  }
  Fit out = Fit::No;
  for (const OwnerWish& owner : port.owners) {
    out = std::max(out, owner_fits(facts, owner, subject));
  }
  return out;
}

std::string declared_words(const DeclaredPort& declared) {
  std::string out =
      std::string(declared.protocol && !is_stream(*declared.protocol) ? "udp" : "tcp");
  out += "/" + std::to_string(declared.port);
  if (declared.address && !declared.address->is_unspecified()) {
    out += " at " + declared.address->text();
  }
  const std::string where = declared.file.empty() ? declared.words
                            : declared.words.empty()
                                ? declared.file + " line " + std::to_string(declared.line)
                                : declared.words + " in " + declared.file;
  return where.empty() ? out : out + ", as " + where + " says";
}

}  // namespace hark::diagnose
