#include <algorithm>
#include <map>
#include <span>

#include "base/text.h"
#include "host/holders.h"
#include "show/check.h"
#include "show/published_words.h"
#include "show/reach_words.h"

namespace hark::show {
namespace {

using diagnose::Deviation;
using diagnose::PolicyResult;
using diagnose::PolicyStatus;

constexpr std::size_t kMostPrefixes = 4;

const reach::PublishedPort& published_of(const CheckReport& report, const ListRow& row) {
  return report.reach.published()[row.published.front()];
}

const host::Network* network_of(const CheckReport& report, const CheckItem& item) {
  if (item.row.listeners.empty() && item.row.published.empty()) return nullptr;
  return report.reach.network(netns_of(report.host, item.row, &report.reach));
}

const host::Expectation* expectation_of(const CheckReport& report, const CheckItem& item) {
  const auto& at = item.results.front()->expectation;
  return at ? &report.policy.expectations[*at] : nullptr;
}

std::string who_of(const CheckReport& report, const CheckItem& item) {
  if (item.row.published.empty()) {
    return host::holder_words(report.host, item.row.listeners.front());
  }
  const reach::PublishedPort& port = published_of(report, item.row);
  return published_target(port, true) + ", " + published_who(report.host, port, true);
}

std::string bound_of(const CheckReport& report, const CheckItem& item) {
  if (!item.row.published.empty()) return "is published to " + who_of(report, item);
  const std::string bound = bound_words(report.host, item.row);
  return who_of(report, item) + " listens on " + (bound == "this host only" ? "this host" : bound);
}

std::string reach_of(const CheckReport& report, const CheckItem& item) {
  if (item.row.published.empty()) return reach_words(report.reach, item.row.listeners);
  const reach::PublishedPort& port = published_of(report, item.row);
  return published_reach(*report.reach.network(port.netns), port);
}

std::string wish_words(const CheckReport& report, const CheckItem& item) {
  using Kind = host::ReachWish::Kind;
  const host::ReachWish& wish = expectation_of(report, item)->reach;
  if (wish.kind == Kind::Nobody) return "nobody";
  return wish.kind == Kind::Loopback ? "this host only" : words_of(wish);
}

using Parts = std::vector<std::size_t> Deviation::*;

std::string sources_words(const CheckReport& report, const CheckItem& item, Parts parts) {
  const host::Network* network = network_of(report, item);
  std::vector<std::string> out;
  for (const PolicyResult* one : item.results) {
    const std::vector<std::size_t>& some = one->sources.*parts;
    if (some.empty() || network == nullptr) continue;
    for (std::string& text : clients_words(*network, one->sources.clients,
                                           {.parts = some, .told = {}}, kMostPrefixes)) {
      if (std::ranges::find(out, text) == out.end()) out.push_back(std::move(text));
    }
  }
  return join(out, "; ");
}

std::string unexpected_words(const CheckReport& report, const CheckItem& item) {
  std::string out = bound_of(report, item);
  const std::string reach = reach_of(report, item);
  if (!reach.empty()) out += ", open to " + reach;
  return out + ": nothing in the policy expects it";
}

std::string too_open_words(const CheckReport& report, const CheckItem& item) {
  std::string out = bound_of(report, item) + " and is open to " +
                    sources_words(report, item, &Deviation::too_many) +
                    " as well; expected: " + wish_words(report, item);
  const std::string few = sources_words(report, item, &Deviation::too_few);
  return few.empty() ? out : out + "; and closed to " + few;
}

std::string too_closed_words(const CheckReport& report, const CheckItem& item) {
  const std::string few = sources_words(report, item, &Deviation::too_few);
  return bound_of(report, item) + " and is closed to " +
         (few.empty() ? "everybody: no interface is up by which they could come" : few) +
         "; expected: " + wish_words(report, item);
}

std::string missing_words(const CheckReport& report, const CheckItem& item) {
  const PolicyResult& one = *item.results.front();
  const host::Expectation& asked = *expectation_of(report, item);
  if (!asked.as.empty() && one.declared.empty()) {
    return "nothing that runs here says where " + asked.as + " listens";
  }
  std::string out = "nobody listens";
  if (!one.declared.empty()) out += " on " + one.declared;
  if (!asked.owners.empty()) out += "; expected: " + owner_words(asked);
  return out;
}

std::string unknown_words(const CheckReport& report, const CheckItem& item) {
  const PolicyResult& one = *item.results.front();
  if (!one.subject.listener && !one.subject.published) {
    return "nobody was seen that listens, and not all sockets could be read";
  }
  std::string out = bound_of(report, item);
  if (!one.expectation) return out + ", perhaps: nothing in the policy expects it";
  std::vector<std::string> open;
  if (one.owner_unknown) {
    open.push_back("who owns it could not be read (expected: " +
                   owner_words(*expectation_of(report, item)) + ")");
  }
  if (one.sources.not_asked) open.push_back("who reaches it is not known");
  if (!one.sources.open.empty()) {
    open.push_back("whether it is open to " + sources_words(report, item, &Deviation::open) +
                   " could not be told (expected: " + wish_words(report, item) + ")");
  }
  if (!one.certain) open.push_back("whether it is published could not be told");
  return out + ": " + join(open, "; ");
}

/// The rule that let it in.
std::string accepted_by(const reach::Answer& answer) {
  for (const reach::Step& step : answer.path) {
    if (step.stage == reach::Stage::Reply || step.stage == reach::Stage::Handshake) break;
    if (step.detail.starts_with("accepted by")) return step.detail;
  }
  return {};
}

}  // namespace

namespace {

bool is_there(const PolicyResult& one) {
  return one.subject.listener || one.subject.published;
}

/// Results of one status and expectation, which stand together; each alone where nobody listens.
bool is_told_with(const PolicyResult& one, const PolicyResult& before) {
  return is_there(one) && is_there(before) && one.status == before.status &&
         one.expectation == before.expectation &&
         one.subject.published.has_value() == before.subject.published.has_value();
}

/// In the rows that `hark list` would show of them.
void add_rows(const CheckReport& report, std::span<const PolicyResult> some, bool folded,
              std::vector<CheckItem>& out) {
  std::map<diagnose::PolicySubject, const PolicyResult*> by_subject;
  std::vector<std::size_t> listeners;
  std::vector<std::size_t> published;
  for (const PolicyResult& one : some) {
    by_subject.emplace(one.subject, &one);
    if (one.subject.listener) listeners.push_back(*one.subject.listener);
    if (one.subject.published) published.push_back(*one.subject.published);
  }
  for (ListRow& row : fold(report.host, listeners, {}, !folded, &report.reach, published)) {
    CheckItem item;
    for (const std::size_t i : row.listeners)
      item.results.push_back(by_subject.at({.listener = i}));
    for (const std::size_t i : row.published) {
      item.results.push_back(by_subject.at({.published = i}));
    }
    item.row = std::move(row);
    out.push_back(std::move(item));
  }
}

}  // namespace

std::vector<CheckItem> check_items(const CheckReport& report, bool folded) {
  std::vector<CheckItem> out;
  const std::vector<PolicyResult>& all = report.results;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin + 1;
    while (end < all.size() && is_told_with(all[end], all[begin])) ++end;
    if (is_there(all[begin])) {
      add_rows(report, std::span(all).subspan(begin, end - begin), folded, out);
    } else {
      out.push_back({.results = {&all[begin]}});
    }
    begin = end;
  }
  return out;
}

std::string check_subject(const CheckReport& report, const CheckItem& item, bool whole) {
  std::string out;
  if (!item.row.published.empty()) {
    const reach::PublishedPort& port = published_of(report, item.row);
    reach::PublishedPort part{
        .protocol = port.protocol, .ports = port.ports, .rules = {}, .leads_to = {}};
    if (!item.results.front()->ports.empty()) part.ports = item.results.front()->ports;
    out = std::string(name_of(port.protocol)) + " " + published_ports(part);
  } else if (!item.row.listeners.empty()) {
    const host::Listener& first = report.host.listeners[item.row.listeners.front()];
    out = std::string(name_of(first.protocol)) + " ";
    if (whole) {
      const bool inet = first.address.family == Family::Inet;
      out += inet ? first.address.text() : "[" + first.address.text() + "]";
      if (!first.interface.empty()) out += "%" + first.interface;
      out += ":";
    }
    out += port_words(report.host, item.row);
  } else {
    return words_of(*expectation_of(report, item));
  }
  const host::Netns& netns = report.host.at(netns_of(report.host, item.row, &report.reach));
  return netns.own || !report.several ? out : out + " in " + host::netns_words(netns);
}

std::string check_sentence(const CheckReport& report, const CheckItem& item) {
  switch (item.results.front()->status) {
    case PolicyStatus::Unexpected:
      return unexpected_words(report, item);
    case PolicyStatus::TooOpen:
      return too_open_words(report, item);
    case PolicyStatus::WrongOwner:
      return bound_of(report, item) + "; expected: " +
             (expectation_of(report, item)->owners.empty()
                  ? expectation_of(report, item)->as
                  : owner_words(*expectation_of(report, item)));
    case PolicyStatus::Missing:
      return missing_words(report, item);
    case PolicyStatus::TooClosed:
      return too_closed_words(report, item);
    case PolicyStatus::Unknown:
      return unknown_words(report, item);
    case PolicyStatus::Met:
      break;
  }
  const std::string reach = reach_of(report, item);
  return bound_of(report, item) + (reach.empty() ? "" : ", open to " + reach);
}

std::string check_cause(const CheckReport& report, const CheckItem& item) {
  (void)report;
  for (const PolicyResult* one : item.results) {
    const Deviation& sources = one->sources;
    const auto answer = [&](std::size_t part) -> const reach::Answer& {
      return sources.clients.parts[part].cls->answer;
    };
    if (!sources.too_many.empty()) {
      const std::string by = accepted_by(answer(sources.too_many.front()));
      return by.empty() ? "no rule keeps them away" : by;
    }
    if (!sources.too_few.empty()) return short_cause(answer(sources.too_few.front()));
    if (!sources.open.empty()) return short_cause(answer(sources.open.front()));
  }
  return {};
}

std::string check_place(const CheckReport& report, const CheckItem& item) {
  const host::Expectation* asked = expectation_of(report, item);
  if (asked == nullptr) return {};
  return (report.file == "-" ? "standard input" : report.file) + ":" +
         std::to_string(asked->place.line) + ":" + std::to_string(asked->place.column);
}

std::size_t count_of(const CheckReport& report, PolicyStatus status) {
  return static_cast<std::size_t>(
      std::ranges::count(report.results, status, &PolicyResult::status));
}

}  // namespace hark::show
