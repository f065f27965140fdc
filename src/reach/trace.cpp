#include "reach/trace.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "host/near_words.h"
#include "reach/clients.h"
#include "reach/journey.h"
#include "reach/spaces.h"

namespace hark::reach {
namespace {

/// Blockers that are told beside the first, at most.
constexpr std::size_t kMostBlockers = 16;

/// One run, with all that it leaves.
struct Run {
  JourneyEnd end;
  std::vector<Step> path;
  std::vector<std::string> assumptions;
  std::vector<Choices::Taken> taken;
  std::vector<host::ElementQuestion> wanted;
};

struct Facts {
  const host::Host& host;
  const Question& question;
  Spaces& spaces;
  Clients* clients;

  [[nodiscard]] const host::Network& network() const { return spaces.home().network; }
};

Run run_once(const Facts& facts, Choices& choices, const std::vector<std::string>& waived) {
  constexpr std::size_t kUsualSteps = 16;
  Run run;
  run.path.reserve(kUsualSteps);
  const Space& home = facts.spaces.home();
  const World world = {.host = facts.host,
                       .network = home.network,
                       .choices = choices,
                       .path = run.path,
                       .assumptions = run.assumptions,
                       .waived = waived,
                       .prepared = &home.rules,
                       .routes = &home.routes,
                       .xt = &home.xt,
                       .clients = facts.clients,
                       .wanted = &run.wanted,
                       .spaces = &facts.spaces};
  run.end = travel(world, facts.question);
  run.taken = choices.taken();
  return run;
}

bool same_view(const Run& a, const Run& b) {
  return a.end.outcome == b.end.outcome && a.end.icmp == b.end.icmp;
}

/// The ways that runs went, as numbers: `ways[run][condition]`, kNotMet where it never came there.
class Ways {
 public:
  explicit Ways(const std::vector<Run>& runs) : runs_(runs) {
    std::map<std::string, std::size_t> numbers;
    for (const Run& run : runs) {
      for (const Choices::Taken& taken : run.taken) {
        const auto added = numbers.emplace(taken.condition.key, conditions_.size());
        if (added.second) conditions_.push_back(taken.condition);
      }
    }
    for (const Run& run : runs) {
      ways_.emplace_back(conditions_.size(), kNotMet);
      for (const Choices::Taken& taken : run.taken) {
        ways_.back()[numbers.at(taken.condition.key)] = static_cast<int>(taken.way);
      }
    }
  }

  /// Those on which the outcome depends, in the order in which they are met.
  [[nodiscard]] std::vector<Condition> deciding() const {
    std::vector<Condition> out;
    for (std::size_t i = 0; i < conditions_.size(); ++i) {
      // Chance that decides about several packets is told once.
      const bool told = std::ranges::any_of(out, [&](const Condition& condition) {
        return condition.code == conditions_[i].code && condition.text == conditions_[i].text;
      });
      if (!told && matters(i)) out.push_back(conditions_[i]);
    }
    return out;
  }

 private:
  static constexpr int kNotMet = -1;

  /// Are there two runs that went different ways there, agree in all that they both came to
  /// besides, and end differently?
  [[nodiscard]] bool matters(std::size_t condition) const {
    // Every run is set beside every other: some stand for all where they are too many for that.
    constexpr std::size_t kMostCompared = 200;
    const std::size_t count = std::min(runs_.size(), kMostCompared);
    for (std::size_t a = 0; a < count; ++a) {
      if (ways_[a][condition] == kNotMet) continue;
      for (std::size_t b = a + 1; b < count; ++b) {
        if (ways_[b][condition] != kNotMet && ways_[b][condition] != ways_[a][condition] &&
            !same_view(runs_[a], runs_[b]) && agree(a, b, condition)) {
          return true;
        }
      }
    }
    return false;
  }

  [[nodiscard]] bool agree(std::size_t a, std::size_t b, std::size_t but) const {
    for (std::size_t i = 0; i < conditions_.size(); ++i) {
      const int one = ways_[a][i];
      const int other = ways_[b][i];
      if (i != but && one != kNotMet && other != kNotMet && one != other) return false;
    }
    return true;
  }

  const std::vector<Run>& runs_;
  std::vector<Condition> conditions_;
  std::vector<std::vector<int>> ways_;
};

std::vector<Outcome> outcomes(const std::vector<Run>& runs) {
  std::set<Outcome> seen;
  for (const Run& run : runs) seen.insert(run.end.outcome);
  return {seen.begin(), seen.end()};
}

/// What else would block: each blocker is taken for removed in turn.
std::vector<Cause> others(const Facts& facts, const Run& first) {
  std::vector<Cause> out;
  std::set<std::string> known;
  std::vector<std::string> waived;
  const auto add = [&](const Blocker& blocker) {
    if (known.insert(blocker.key).second) out.push_back(blocker.cause);
  };
  if (!first.end.blocker) return out;
  known.insert(first.end.blocker->key);
  for (const Blocker& also : first.end.also) add(also);
  std::string remove = first.end.blocker->key;
  while (out.size() < kMostBlockers) {
    waived.push_back(remove);
    Choices choices(first.taken);
    const Run run = run_once(facts, choices, waived);
    // IPVS is in nobody's way, whatever its servers do.
    if (!run.end.blocker || run.end.blocker->cause.code == "ipvs") break;
    if (std::ranges::find(waived, run.end.blocker->key) != waived.end()) break;
    remove = run.end.blocker->key;
    add(*run.end.blocker);
    for (const Blocker& also : run.end.also) add(also);
  }
  return out;
}

Cause answers(const Facts& facts, const JourneyEnd& end) {
  const host::Host& host = facts.host;
  Cause cause = {.code = "listener-answers", .text = "a listener answers", .evidence = {}};
  if (!end.delivers_to) return cause;
  const host::Listener& listener = host.listeners[*end.delivers_to];
  const bool elsewhere = listener.netns != facts.network().netns;
  cause.text = host::listener_words(host, listener);
  const bool tcp = listener.protocol == Protocol::Tcp || listener.protocol == Protocol::Mptcp;
  cause.evidence.push_back(
      {.fact = cause.text,
       .where = "sockets",
       .verify = (elsewhere ? facts.spaces.command_prefix(listener.netns) : std::string()) +
                 (tcp ? "ss -Htlnp" : "ss -Hulnp") + " sport = :" + std::to_string(listener.port)});
  return cause;
}

void tell(const Facts& facts, const Run& run, Answer& out) {
  out.icmp = run.end.icmp;
  out.error = run.end.error;
  out.assumptions = run.assumptions;
  std::ranges::sort(out.assumptions);
  out.assumptions.erase(std::unique(out.assumptions.begin(), out.assumptions.end()),
                        out.assumptions.end());
  out.delivers_to = run.end.delivers_to;
  out.cause = run.end.blocker ? run.end.blocker->cause : answers(facts, run.end);
  out.place = run.end.blocker ? run.end.blocker->key : std::string();
  if (facts.clients == nullptr || facts.clients->next) out.next = others(facts, run);
}

bool all_by_chance(const std::vector<Condition>& conditions) {
  return !conditions.empty() && std::ranges::all_of(conditions, [](const Condition& condition) {
    return condition.doubt == Doubt::Chance;
  });
}

/// Of runs that end the same way.
std::vector<Cause> other_causes(const std::vector<Run>& runs) {
  std::vector<Cause> out;
  std::set<std::string> known;
  for (const Run& run : runs) {
    if (!run.end.blocker || !known.insert(run.end.blocker->key).second) continue;
    if (&run != &runs.front()) out.push_back(run.end.blocker->cause);
  }
  return out;
}

/// Of runs that end the same way: who else may get it.
std::vector<std::size_t> other_takers(const std::vector<Run>& runs) {
  std::vector<std::size_t> out;
  for (const Run& run : runs) {
    const auto taker = run.end.delivers_to;
    if (!taker || taker == runs.front().end.delivers_to) continue;
    if (std::ranges::find(out, *taker) == out.end()) out.push_back(*taker);
  }
  return out;
}

void leave_open(const std::vector<Run>& runs, bool complete, Answer& out) {
  out.conditions = Ways(runs).deciding();
  out.possible = outcomes(runs);
  const bool unread = std::ranges::any_of(
      out.conditions, [](const Condition& condition) { return condition.doubt == Doubt::Unread; });
  out.outcome = unread ? Outcome::Unknown : Outcome::Depends;
  out.certainty = unread ? Certainty::Unknown : Certainty::Depends;
  out.icmp.clear();
  out.error = 0;
  if (!complete) {
    out.conditions.push_back(
        {.code = "too-many-ways",
         .text = "more ways to go than were tried",
         .key = "too-many-ways",
         .doubt = all_by_chance(out.conditions) ? Doubt::Chance : Doubt::Opaque});
  }
  if (out.conditions.empty()) return;
  const Condition& first = out.conditions.front();
  out.cause = {.code = first.code, .text = first.text, .evidence = out.cause.evidence};
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  constexpr std::array<std::string_view, 8> kNames = {
      "answered", "refused", "rejected", "silent", "hangs", "no-neighbour", "depends", "unknown"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::string_view name_of(Certainty certainty) {
  constexpr std::array<std::string_view, 4> kNames = {"exact", "exact-now", "depends", "unknown"};
  return kNames[static_cast<std::size_t>(certainty)];
}

struct Tracer::Prepared {
  Spaces spaces;
};

Tracer::Tracer(const host::Host& host, const host::Network& network, host::Networks* others)
    : host_(host), network_(network), prepared_(new Prepared{Spaces(host, network, others)}) {}

Tracer::~Tracer() = default;

Answer trace(const host::Host& host, const host::Network& network, const Question& question) {
  return Tracer(host, network).trace(question);
}

ReachCache& Tracer::reach_cache() const {
  return prepared_->spaces.home().cache;
}

Answer Tracer::trace(const Question& question) const {
  return trace(question, nullptr);
}

Answer Tracer::trace(const Question& question, Clients* clients) const {
  const Facts facts = {
      .host = host_, .question = question, .spaces = prepared_->spaces, .clients = clients};
  std::vector<Run> runs;
  const std::vector<std::string> nothing_waived;
  const bool complete = explore([&](Choices& choices) {
    Run run = run_once(facts, choices, nothing_waived);
    runs.push_back(std::move(run));
  });
  Answer out;
  out.question = question;
  for (const Run& run : runs) {
    for (const host::ElementQuestion& element : run.wanted) {
      if (std::ranges::find(out.wanted, element) == out.wanted.end()) out.wanted.push_back(element);
    }
  }
  const Run& first = runs.front();
  out.outcome = first.end.outcome;
  tell(facts, first, out);
  const bool one = std::ranges::all_of(runs, [&](const Run& run) { return same_view(run, first); });
  if (one && complete) {
    const bool passing = first.end.blocker && first.end.blocker->passing;
    out.certainty = passing ? Certainty::ExactNow : Certainty::Exact;
    if (out.outcome == Outcome::Unknown) out.certainty = Certainty::Unknown;
    out.instead = other_causes(runs);
    out.or_to = other_takers(runs);
  } else {
    leave_open(runs, complete, out);
  }
  out.path = std::move(runs.front().path);
  return out;
}

}  // namespace hark::reach
