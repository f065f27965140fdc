#include "diagnose/policy.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "diagnose/policy_match.h"

namespace hark::diagnose {
namespace {

using host::Listener;

constexpr auto kMost = static_cast<std::size_t>(-1);

bool is_looked_at(const PolicyFacts& facts, host::NetnsId id) {
  return !facts.netns || *facts.netns == id;
}

/// Sockets of which it is known what a packet to them meets.
bool can_be_asked(const Listener& listener) {
  return listener.protocol != Protocol::Raw && listener.protocol != Protocol::Udplite;
}

bool all_listed(const PolicyFacts& facts) {
  constexpr std::array<std::string_view, 2> kCodes = {"sockets-not-read", "dump-interrupted"};
  return std::ranges::none_of(facts.host.gaps, [&](const host::Gap& gap) {
    return std::ranges::find(kCodes, gap.code) != kCodes.end();
  });
}

Deviation deviation_of(const PolicyFacts& facts, const PolicySubject& subject,
                       const host::ReachWish& wish) {
  Deviation out;
  if (wish.kind == host::ReachWish::Kind::NotSaid) return out;
  if (subject.published) {
    const reach::PublishedPort& port = facts.reach.published()[*subject.published];
    return diagnose::deviation_of(*facts.reach.network(port.netns), port.reach, wish);
  }
  const Listener& listener = facts.host.listeners[*subject.listener];
  const host::Network* network = facts.reach.network(listener.netns);
  out.not_asked = network == nullptr || !can_be_asked(listener) ||
                  network->gap(host::NetworkFact::Links) != nullptr;
  if (!out.not_asked) {
    out = diagnose::deviation_of(*network, facts.reach.reachability({*subject.listener}), wish);
  }
  if (wish.kind == host::ReachWish::Kind::Loopback && can_be_asked(listener) &&
      listener.scope == host::Scope::Loopback) {
    // Whatever could not be read: nobody else comes there.
    out.not_asked = false;
    out.open.clear();
  }
  return out;
}

/// The filter of what was missed, for what comes near to it.
std::vector<host::Near> near_to(const PolicyFacts& facts, const PolicyPort& port) {
  host::Term term;
  term.field = host::Field::Port;
  term.written = port.asked->port;
  term.first_port = port.first;
  term.last_port = port.last;
  term.has_protocol = port.protocol.has_value();
  term.protocol = port.protocol.value_or(Protocol::Tcp);
  if (port.asked->address) {
    term.has_address = true;
    term.prefix = port.asked->address->prefix;
    term.any_address = port.asked->address->any_address;
    term.device = port.asked->address->device;
  }
  const host::Filter filter{{term}};
  if (!host::select(facts.host, filter).empty()) return {};
  return host::near_misses(facts.host, filter);
}

PolicyStatus status_of(const PolicyResult& one, Fit owner) {
  const Deviation& sources = one.sources;
  if (owner == Fit::No) return PolicyStatus::WrongOwner;
  if (!sources.too_many.empty()) return PolicyStatus::TooOpen;
  if (!sources.too_few.empty() || sources.nobody_at_all) return PolicyStatus::TooClosed;
  if (owner == Fit::Unknown || !sources.open.empty() || sources.not_asked || !one.certain) {
    return PolicyStatus::Unknown;
  }
  return PolicyStatus::Met;
}

class Checker {
 public:
  Checker(const PolicyFacts& facts, const host::Policy& policy)
      : facts_(facts), policy_(policy), subjects_(policy_subjects(facts)) {
    add_clients();
    for (std::size_t i = 0; i < policy.expectations.size(); ++i) {
      const std::vector<PolicyPort> some = policy_ports(facts, policy, i);
      if (some.empty()) miss(i, nullptr);
      ports_.insert(ports_.end(), some.begin(), some.end());
    }
    met_.resize(ports_.size(), false);
  }

  std::vector<PolicyResult> check() {
    for (const PolicySubject& subject : subjects_) judge(subject);
    for (std::size_t i = 0; i < ports_.size(); ++i) {
      if (!met_[i]) miss(ports_[i].expectation, &ports_[i]);
    }
    std::ranges::stable_sort(out_, {}, [](const PolicyResult& one) {
      return std::tuple(one.status, one.expectation.value_or(kMost), one.subject);
    });
    return std::move(out_);
  }

 private:
  /// Sockets that look like a client's are listeners to whoever expects them.
  void add_clients() {
    for (std::size_t i = 0; i < facts_.host.listeners.size(); ++i) {
      if (facts_.host.listeners[i].probable_client) subjects_.push_back({.listener = i});
    }
  }

  [[nodiscard]] bool is_client(const PolicySubject& subject) const {
    return subject.listener && facts_.host.listeners[*subject.listener].probable_client;
  }

  PortSet named(const PolicyPort& port, const PolicySubject& subject) const {
    if (subject.published) {
      return names(facts_, port, facts_.reach.published()[*subject.published]);
    }
    const Listener& listener = facts_.host.listeners[*subject.listener];
    if (!names(facts_, port, listener)) return {};
    return PortSet(Interval<std::uint16_t>{listener.port, listener.port});
  }

  void judge(const PolicySubject& subject) {
    std::vector<std::size_t> by;
    PortSet left = subject.published ? facts_.reach.published()[*subject.published].ports
                                     : PortSet(Interval<std::uint16_t>{0, 0xffff});
    for (std::size_t i = 0; i < ports_.size(); ++i) {
      const PortSet some = named(ports_[i], subject);
      if (some.empty()) continue;
      by.push_back(i);
      left = subject.published ? left.minus(some) : PortSet();
    }
    if (!left.empty() && policy_.deny && !is_client(subject)) unexpected(subject, left);
    // Who is one of several owners that a port may have is not a wrong one for the others.
    std::vector<Fit> fits;
    for (const std::size_t i : by) fits.push_back(owner_fits(facts_, ports_[i], subject));
    bool has_its_own = false;
    for (std::size_t n = 0; n < by.size(); ++n) {
      has_its_own = has_its_own || (fits[n] == Fit::Yes && !ports_[by[n]].owners.empty());
    }
    for (std::size_t n = 0; n < by.size(); ++n) {
      if (fits[n] == Fit::No && has_its_own) continue;
      met_[by[n]] = true;
      // Two declarations of one program may mean the same listener.
      if (!told_.emplace(ports_[by[n]].expectation, subject).second) continue;
      judge_by(ports_[by[n]], subject, fits[n]);
    }
  }

  void judge_by(const PolicyPort& port, const PolicySubject& subject, Fit owner) {
    PolicyResult one{.expectation = port.expectation, .subject = subject};
    one.owner_unknown = owner == Fit::Unknown;
    if (subject.published) one.certain = facts_.reach.published()[*subject.published].certain;
    one.sources = deviation_of(facts_, subject, port.asked->reach);
    if (port.declared != nullptr) one.declared = declared_words(*port.declared);
    one.status = status_of(one, owner);
    out_.push_back(std::move(one));
  }

  void unexpected(const PolicySubject& subject, const PortSet& ports) {
    PolicyResult one{.status = PolicyStatus::Unexpected, .subject = subject};
    if (subject.published) {
      one.ports = ports;
      one.certain = facts_.reach.published()[*subject.published].certain;
      if (!one.certain) one.status = PolicyStatus::Unknown;
    }
    out_.push_back(std::move(one));
  }

  void miss(std::size_t expectation, const PolicyPort* port) {
    if (policy_.expectations[expectation].optional) return;
    PolicyResult one{.expectation = expectation, .status = PolicyStatus::Missing};
    if (!all_listed(facts_)) one.status = PolicyStatus::Unknown;
    if (port != nullptr) {
      one.near = near_to(facts_, *port);
      if (port->declared != nullptr) one.declared = declared_words(*port->declared);
    }
    out_.push_back(std::move(one));
  }

  const PolicyFacts& facts_;
  const host::Policy& policy_;
  std::vector<PolicySubject> subjects_;
  std::vector<PolicyPort> ports_;
  std::vector<bool> met_;
  std::set<std::pair<std::size_t, PolicySubject>> told_;
  std::vector<PolicyResult> out_;
};

}  // namespace

std::string_view name_of(PolicyStatus status) {
  constexpr std::array<std::string_view, 7> kNames = {
      "unexpected", "too-open", "wrong-owner", "missing", "too-closed", "unknown", "met"};
  return kNames[static_cast<std::size_t>(status)];
}

std::vector<PolicySubject> policy_subjects(const PolicyFacts& facts) {
  std::vector<PolicySubject> out;
  for (std::size_t i = 0; i < facts.host.listeners.size(); ++i) {
    const Listener& listener = facts.host.listeners[i];
    if (is_looked_at(facts, listener.netns) && !listener.probable_client) {
      out.push_back({.listener = i});
    }
  }
  for (std::size_t i = 0; i < facts.reach.published().size(); ++i) {
    if (is_looked_at(facts, facts.reach.published()[i].netns)) out.push_back({.published = i});
  }
  return out;
}

std::vector<PolicyResult> check_policy(const PolicyFacts& facts, const host::Policy& policy) {
  return Checker(facts, policy).check();
}

bool hides_listeners(const PolicyFacts& facts, const host::Policy& policy,
                     const std::vector<host::Gap>& gaps) {
  if (!policy.deny) return false;
  if (!all_listed(facts)) return true;
  // Of a namespace in which nothing listens rules may not have been kept.
  bool any = false;
  for (std::size_t i = 0; i < facts.host.namespaces.size(); ++i) {
    const host::NetnsId id{static_cast<std::uint32_t>(i)};
    if (!is_looked_at(facts, id)) continue;
    if (!facts.host.at(id).entered) return true;
    any = any || facts.reach.network(id) != nullptr;
  }
  if (any && !facts.reach.rules_were_read()) return true;
  constexpr std::array<std::string_view, 3> kCodes = {"published-not-read", "published-not-all",
                                                      "sk-lookup-not-listed"};
  return std::ranges::any_of(gaps, [&](const host::Gap& gap) {
    return std::ranges::find(kCodes, gap.code) != kCodes.end();
  });
}

}  // namespace hark::diagnose
