#include "diagnose/changes.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "diagnose/change_groups.h"
#include "diagnose/compare_gaps.h"
#include "diagnose/exact_facts.h"

namespace hark::diagnose {
namespace {

using host::Host;
using reach::Openness;
using reach::PublishedPort;

/// Findings of queues, counters and moments: they come and go with the load, and processes that
/// start again leave them behind.
constexpr std::array<std::string_view, 17> kPassing = {"accept-queue-full",
                                                       "accept-queue-filling",
                                                       "accept-queue-overflowed",
                                                       "syn-queue-full",
                                                       "not-accepting",
                                                       "inherited-listener",
                                                       "rcvbuf-full",
                                                       "udp-drops",
                                                       "out-of-fds",
                                                       "fds-nearly-out",
                                                       "memory-nearly-out",
                                                       "throttled",
                                                       "uninterruptible",
                                                       "reuseport-member-idle",
                                                       "zombie-holder",
                                                       "traced",
                                                       "restarting"};

unsigned rank(Severity severity) {
  constexpr std::array<unsigned, 3> kRanks = {1, 0, 2};  // Broken, Risk, Notice
  return kRanks[static_cast<std::size_t>(severity)];
}

void worsen(Change& change, Severity severity) {
  if (rank(severity) < rank(change.severity)) change.severity = severity;
}

/// Findings of one side that count, by listener.
class FindingIndex {
 public:
  FindingIndex(const Snapshot& side, bool exact) : side_(side) {
    for (std::size_t i = 0; i < side.findings.size(); ++i) {
      const Finding& one = side.findings[i];
      if (!exact && std::ranges::find(kPassing, one.code) != kPassing.end()) continue;
      if (!one.listener) {
        of_none_.push_back(i);
        continue;
      }
      by_listener_[*one.listener].push_back(i);
      for (const std::size_t other : one.also) by_listener_[other].push_back(i);
    }
  }

  /// By code, one of each.
  [[nodiscard]] std::map<std::string, std::size_t> of(const std::vector<std::size_t>& group) const {
    std::map<std::string, std::size_t> out;
    for (const std::size_t i : group) {
      const auto found = by_listener_.find(i);
      if (found == by_listener_.end()) continue;
      for (const std::size_t one : found->second) out.emplace(side_.findings[one].code, one);
    }
    return out;
  }
  [[nodiscard]] std::multimap<std::string, std::size_t> of_none() const {
    std::multimap<std::string, std::size_t> out;
    for (const std::size_t i : of_none_) {
      out.emplace(side_.findings[i].code + " " + side_.findings[i].subject, i);
    }
    return out;
  }

 private:
  const Snapshot& side_;
  std::map<std::size_t, std::vector<std::size_t>> by_listener_;
  std::vector<std::size_t> of_none_;
};

/// Positions of `some` whose key `others` has not got.
template <typename Map>
std::vector<std::size_t> only_in(const Map& some, const Map& others) {
  std::vector<std::size_t> out;
  for (const auto& [key, position] : some) {
    if (!others.contains(key)) out.push_back(position);
  }
  return out;
}

/// What is lost are single addresses: somebody was banned.
bool loses_single_hosts(const Opening& before, const Opening& after) {
  return std::ranges::all_of(before.ways, [&](const auto& way) {
    const auto found = after.ways.find(way.first);
    if (found == after.ways.end()) return false;
    return std::ranges::all_of(prefixes_of(way.second.minus(found->second)),
                               [](const Prefix& one) { return one.length == one.address.bits(); });
  });
}

class Comparison {
 public:
  Comparison(const Snapshot& before, const Snapshot& after, bool exact)
      : before_(before),
        after_(after),
        exact_(exact),
        words_(match_namespaces(before.host, after.host)),
        findings_before_(before, exact),
        findings_after_(after, exact),
        gaps_(before, after) {}

  Changes run() {
    out_.other_host = before_.host.name != after_.host.name;
    for (Pair& pair : match_groups(before_, after_, words_, exact_)) {
      pair.before.listeners.empty() || pair.after.listeners.empty() ? one_sided(pair)
                                                                    : compare(pair);
    }
    compare_published();
    compare_other_findings();
    sort();
    out_.gaps = gaps_.take();
    return std::move(out_);
  }

 private:
  static std::string thing(const Group& group) {
    return std::string(name_of(group.protocol)) + " " + std::to_string(group.port);
  }

  /// Was this namespace looked into on the side where the listener is missing?
  bool can_be_told(const Group& group, bool missing_before) {
    const host::Gap* gap = gaps_.missing_rows(missing_before);
    if (gap == nullptr) return true;
    const Host& host = missing_before ? before_.host : after_.host;
    const auto& words = missing_before ? words_.before : words_.after;
    bool seen = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const host::Netns& one = host.namespaces[i];
      seen |= words[i] == group.netns && (one.entered || one.seen_through_pid != 0);
    }
    if (seen && gap->code == "netns-not-entered") return true;
    gaps_.add(Uncompared::Namespaces, {}, gap->what);
    return false;
  }

  void one_sided(const Pair& pair) {
    const bool added = pair.before.listeners.empty();
    const Group& group = added ? pair.after : pair.before;
    if (!can_be_told(group, added)) return;
    Change change{.turn = added ? Turn::New : Turn::Gone,
                  .before = pair.before.listeners,
                  .after = pair.after.listeners,
                  .move = pair.move};
    const Opening opening = opening_of((added ? after_ : before_).reach, group.listeners);
    if (opening.is_to_others() || !opening.known) {
      change.severity = added ? Severity::Risk : Severity::Broken;
    }
    if (added) {
      for (const auto& [code, position] : findings_after_.of(group.listeners)) {
        change.came.push_back(position);
        worsen(change, after_.findings[position].severity);
      }
    }
    out_.list.push_back(std::move(change));
  }

  void compare(const Pair& pair) {
    Change change{.before = pair.before.listeners, .after = pair.after.listeners};
    if (pair.before.port == pair.after.port) compare_binding(pair, change);
    compare_owners(pair, change);
    const std::string name = thing(pair.after);
    judge_reach(opening_of(before_.reach, change.before), opening_of(after_.reach, change.after),
                name, change);
    if (leads_of(before_.host, pair.before) != leads_of(after_.host, pair.after) &&
        pair.before.who.known && pair.after.who.known) {
      change.fields.push_back(ChangedField::LeadsTo);
      worsen(change, Severity::Risk);
    }
    compare_findings(change);
    if (exact_) add_exact_fields(before_.host, after_.host, change);
    finish(std::move(change));
  }

  void compare_binding(const Pair& pair, Change& change) {
    const host::Listener& then = before_.host.listeners[change.before.front()];
    const host::Listener& now = after_.host.listeners[change.after.front()];
    if (pair.before.address != pair.after.address) change.fields.push_back(ChangedField::Address);
    if (pair.before.interface != pair.after.interface) {
      change.fields.push_back(ChangedField::Interface);
    }
    if (!change.fields.empty()) change.turn = Turn::Moved;
    const bool bound_alike = then.interface_known && now.interface_known;
    if (bound_alike && then.scope != now.scope) change.fields.push_back(ChangedField::Scope);
    const bool one_family = pair.before.address.family == pair.after.address.family;
    if (one_family && then.v6only && now.v6only && then.v6only != now.v6only) {
      change.fields.push_back(ChangedField::V6Only);
      if (now.v6only == false) worsen(change, Severity::Risk);
    }
  }

  void compare_owners(const Pair& pair, Change& change) {
    const Same same = same_who(pair.before.who, pair.after.who);
    if (same == Same::Yes) return;
    if (same == Same::No) {
      change.fields.push_back(ChangedField::Owners);
      change.turn = Turn::Changed;
      worsen(change, Severity::Risk);
      return;
    }
    if (is_same_socket(before_.host, after_.host, pair)) return;
    gaps_.add(Uncompared::Owners, thing(pair.after));
  }

  void judge_reach(const Opening& then, const Opening& now, const std::string& name,
                   Change& change) {
    const Trend trend = trend_of(then, now);
    if (trend == Trend::Same) return;
    if (trend == Trend::Unknown) {
      gaps_.add(Uncompared::Reach, name);
      return;
    }
    change.fields.push_back(ChangedField::Reach);
    if (trend == Trend::Wider) {
      change.turn = Turn::Opened;
      if (now.is_to_others()) worsen(change, Severity::Risk);
    } else if (trend == Trend::Narrower) {
      change.turn = Turn::Closed;
      if (then.is_to_others() && !loses_single_hosts(then, now)) worsen(change, Severity::Broken);
    } else {
      worsen(change, Severity::Risk);
    }
  }

  void compare_findings(Change& change) {
    const auto then = findings_before_.of(change.before);
    const auto now = findings_after_.of(change.after);
    change.came = only_in(now, then);
    change.went = only_in(then, now);
    keep_trusted(change.came, true);
    keep_trusted(change.went, false);
    for (const std::size_t i : change.came) worsen(change, after_.findings[i].severity);
    if (!change.came.empty() || !change.went.empty()) {
      change.fields.push_back(ChangedField::Findings);
    }
  }

  /// Findings of one side alone mean nothing where the other could not have made them.
  void keep_trusted(std::vector<std::size_t>& some, bool missing_before) {
    if (some.empty()) return;
    const host::Gap* gap = gaps_.blind_spot(missing_before);
    if (gap == nullptr) return;
    some.clear();
    gaps_.add(Uncompared::Findings, {}, gap->what + (missing_before ? " (then)" : " (now)"));
  }

  void finish(Change change) {
    if (change.fields.empty()) {
      ++out_.unchanged;
      return;
    }
    std::ranges::sort(change.fields);
    out_.list.push_back(std::move(change));
  }

  using Ports = std::map<std::string, std::vector<std::size_t>>;
  static Ports published_of(const Snapshot& side, const std::vector<std::string>& words) {
    Ports out;
    for (std::size_t i = 0; i < side.reach.published().size(); ++i) {
      const PublishedPort& port = side.reach.published()[i];
      out[published_key(port, words[static_cast<std::size_t>(port.netns)])].push_back(i);
    }
    return out;
  }

  /// A namespace without listeners is not in the table if its rules publish nothing.
  static bool knows_published(const Snapshot& side) {
    bool asked = false;
    for (std::size_t i = 0; i < side.host.namespaces.size(); ++i) {
      asked |= side.reach.network(host::NetnsId{static_cast<std::uint32_t>(i)}) != nullptr;
    }
    const auto unread = [](const host::Gap& gap) { return gap.code == "published-not-read"; };
    return (!asked || side.reach.rules_were_read()) &&
           std::ranges::none_of(side.reach.published_gaps(), unread);
  }

  void compare_published() {
    const Ports then = published_of(before_, words_.before);
    const Ports now = published_of(after_, words_.after);
    if (!knows_published(before_) || !knows_published(after_)) {
      gaps_.add(Uncompared::Published, {});
      return;
    }
    for (const auto& [key, positions] : then) {
      const auto found = now.find(key);
      if (found != now.end()) {
        compare_published(positions, found->second);
      } else {
        one_sided_published(positions, {});
      }
    }
    for (const auto& [key, positions] : now) {
      if (!then.contains(key)) one_sided_published({}, positions);
    }
  }

  void one_sided_published(const std::vector<std::size_t>& then,
                           const std::vector<std::size_t>& now) {
    const bool added = then.empty();
    Change change{
        .turn = added ? Turn::New : Turn::Gone, .published = true, .before = then, .after = now};
    const reach::ReachTable& table = added ? after_.reach : before_.reach;
    const Opening opening = opening_of(table, table.published()[(added ? now : then).front()]);
    if (opening.is_to_others() || !opening.known) {
      change.severity = added ? Severity::Risk : Severity::Broken;
    }
    out_.list.push_back(std::move(change));
  }

  void compare_published(const std::vector<std::size_t>& then,
                         const std::vector<std::size_t>& now) {
    const PublishedPort& a = before_.reach.published()[then.front()];
    const PublishedPort& b = after_.reach.published()[now.front()];
    Change change{.published = true, .before = then, .after = now};
    const std::string name =
        std::string(name_of(b.protocol)) + " " + std::to_string(b.first_port());
    judge_reach(opening_of(before_.reach, a), opening_of(after_.reach, b), name, change);
    const bool past_then = a.bypasses_input && a.denied;
    const bool past_now = b.bypasses_input && b.denied;
    if (past_then != past_now) {
      change.fields.push_back(ChangedField::Bypass);
      if (past_now) worsen(change, Severity::Risk);
    }
    if (leads_of(before_.host, a) != leads_of(after_.host, b)) {
      change.fields.push_back(ChangedField::LeadsTo);
      worsen(change, Severity::Risk);
    }
    finish(std::move(change));
  }

  void compare_other_findings() {
    const auto then = findings_before_.of_none();
    const auto now = findings_after_.of_none();
    out_.came = only_in(now, then);
    out_.went = only_in(then, now);
    keep_trusted(out_.came, true);
    keep_trusted(out_.went, false);
    std::ranges::sort(out_.came);
    std::ranges::sort(out_.went);
  }

  void sort() {
    const auto key = [&](const Change& one) {
      const bool gone = one.after.empty();
      const std::size_t i = gone ? one.before.front() : one.after.front();
      const Snapshot& side = gone ? before_ : after_;
      const std::uint16_t port =
          one.published ? side.reach.published()[i].first_port() : side.host.listeners[i].port;
      return std::tuple(rank(one.severity), one.turn, port, one.published, i);
    };
    std::ranges::stable_sort(out_.list, {}, key);
  }

  const Snapshot& before_;
  const Snapshot& after_;
  const bool exact_;
  const NetnsWords words_;
  const FindingIndex findings_before_, findings_after_;
  CompareGaps gaps_;
  Changes out_;
};

}  // namespace

std::string_view name_of(ChangedField field) {
  constexpr std::array<std::string_view, 17> kNames = {
      "address",  "interface", "owners",   "reach",      "scope",  "v6only",
      "leads_to", "bypass",    "findings", "pids",       "fds",    "inode",
      "cookie",   "queue",     "state",    "started_at", "workers"};
  return kNames[static_cast<std::size_t>(field)];
}

std::string_view name_of(Turn turn) {
  constexpr std::array<std::string_view, 6> kNames = {"opened", "closed", "new",
                                                      "gone",   "moved",  "changed"};
  return kNames[static_cast<std::size_t>(turn)];
}

bool Change::has(ChangedField field) const {
  return std::ranges::find(fields, field) != fields.end();
}

Changes changes_between(const Snapshot& before, const Snapshot& after, bool exact) {
  return Comparison(before, after, exact).run();
}

}  // namespace hark::diagnose
