#include "show/reach_words.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace hark::show {
namespace {

using host::Listener;
using reach::Answer;
using reach::ClientPart;
using reach::Openness;
using reach::Outcome;
using reach::Reachability;
using reach::Through;

/// Prefixes that a cell names before it counts them.
constexpr std::size_t kMostPrefixes = 2;

constexpr const char* kThisHostOnly = "this host only";

bool is_bound_to_this_host(const reach::ReachTable& table,
                           const std::vector<std::size_t>& listeners) {
  return std::ranges::all_of(listeners, [&](std::size_t i) {
    return table.host().listeners[i].scope == host::Scope::Loopback;
  });
}

/// Parts of clients from elsewhere that get on in this way; with `way` those to whom no way leads
/// back as well.
std::vector<std::size_t> outside_parts(const Reachability& one, Through through, bool way = true) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < one.clients.parts.size(); ++i) {
    const ClientPart& part = one.clients.parts[i];
    if (one.clients.places[part.place].loopback || one.through[i] != through) continue;
    if (through == Through::No && !way && reach::has_no_way_back(part.cls->answer)) continue;
    out.push_back(i);
  }
  return out;
}

const Answer& answer_of(const Reachability& one, std::size_t part) {
  return one.clients.parts[part].cls->answer;
}

const char* verb_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::Refused:
      return "refused";
    case Outcome::Rejected:
      return "rejected";
    case Outcome::Silent:
      return "dropped";
    case Outcome::Answered:
    case Outcome::Hangs:
    case Outcome::NoNeighbour:
    case Outcome::Depends:
    case Outcome::Unknown:
      break;
  }
  return "not answered";
}

/// "; others dropped"
std::string others_words(const Reachability& one) {
  const auto parts = outside_parts(one, Through::No, false);
  if (parts.empty()) return {};
  std::string verb = verb_of(answer_of(one, parts.front()).outcome);
  for (const std::size_t part : parts) {
    if (verb != verb_of(answer_of(one, part).outcome)) verb = "not answered";
  }
  return "; others " + verb;
}

bool this_host_gets_through(const Reachability& one) {
  bool asked = false;
  for (std::size_t i = 0; i < one.clients.parts.size(); ++i) {
    if (!one.clients.places[one.clients.parts[i].place].loopback) continue;
    if (one.through[i] != Through::No) return true;
    asked = true;
  }
  return !asked;
}

bool has_ufw(const host::Network& network) {
  constexpr std::string_view kChain = "ufw-user-input";
  return std::ranges::any_of(network.nft.chains,
                             [&](const auto& chain) { return chain.name == kChain; }) ||
         std::ranges::any_of(network.legacy, [&](const host::LegacyTable& table) {
           return as_text(table.entries).find(kChain) != std::string_view::npos;
         });
}

/// Who is let in before the rules of the input chain are asked: by a rule that sends it elsewhere.
std::string way_words(const host::Network& network, const Reachability& one,
                      const std::vector<std::size_t>& parts) {
  const bool rewritten = std::ranges::all_of(parts, [&](std::size_t part) {
    const auto& path = answer_of(one, part).path;
    return std::ranges::any_of(
               path, [](const reach::Step& step) { return step.stage == reach::Stage::Forward; }) &&
           std::ranges::any_of(path, [](const reach::Step& step) {
             return step.stage == reach::Stage::Prerouting && step.verdict == "rewrite";
           });
  });
  if (parts.empty() || !rewritten) return {};
  return has_ufw(network) ? ", past ufw (DNAT)" : " (DNAT)";
}

std::string some_words(const host::Network& network, const Reachability& one) {
  const auto open = outside_parts(one, Through::Yes);
  std::string out = join(clients_words(network, one.clients, {open, {}}, kMostPrefixes), "; ");
  if (!outside_parts(one, Through::Maybe).empty()) return out + "; others perhaps";
  // "Anywhere but 10.0.0.0/8" has said who the others are.
  return out.starts_with("anywhere but") ? out : out + others_words(one);
}

std::string unread_words(const host::Gap& gap) {
  if (gap.what.ends_with("not recorded")) return "unknown: not recorded";
  if (gap.code == "nftables-not-read" || gap.code == "iptables-not-read") {
    return "unknown: rules unread";
  }
  return "unknown: " + gap.what;
}

std::string unknown_words(const host::Network& network, const Reachability& one) {
  const auto parts = outside_parts(one, Through::Maybe);
  for (const std::size_t part : parts) {
    const Answer& answer = answer_of(one, part);
    if (answer.certainty != reach::Certainty::Unknown) continue;
    for (const auto& [fact, gap] : network.unread) {
      if (gap.code == answer.cause.code) return unread_words(gap);
    }
    return "unknown: " + answer.cause.text;
  }
  const std::string who =
      join(clients_words(network, one.clients, {parts, {}}, kMostPrefixes), "; ");
  const ClientPart& first = one.clients.parts[parts.front()];
  if (!first.ports.empty()) return "only " + who;
  return "perhaps " + who + ": depends on " + first.cls->answer.cause.text;
}

/// Nobody, or nobody but this host: by what most clients from elsewhere are kept away.
std::string kept_away_words(const Reachability& one) {
  auto parts = outside_parts(one, Through::No, false);
  if (parts.empty()) parts = outside_parts(one, Through::No);
  if (parts.empty()) return {};
  return short_cause(answer_of(one, parts.front()));
}

/// `asked_here`: this host asked the address that they are bound to, not just any.
std::string words_of(const host::Network& network, const Reachability& one, bool bound_here,
                     bool asked_here, bool with_way = true) {
  const bool here = !asked_here || this_host_gets_through(one);
  switch (one.openness) {
    case Openness::NotAsked:
      return bound_here ? kThisHostOnly : "nobody: no interface is up";
    case Openness::Nobody: {
      const std::string why = kept_away_words(one);
      return why.empty() ? "nobody" : "nobody: " + why;
    }
    case Openness::ThisHost: {
      const std::string why = bound_here ? "" : kept_away_words(one);
      return why.find(" by ") == std::string::npos ? kThisHostOnly
                                                   : std::string(kThisHostOnly) + "; others " + why;
    }
    case Openness::Unknown:
      return bound_here ? kThisHostOnly : unknown_words(network, one);
    case Openness::Some:
      return some_words(network, one) + (here ? "" : "; not this host");
    case Openness::Anywhere:
      break;
  }
  const std::string way =
      with_way ? way_words(network, one, outside_parts(one, Through::Yes)) : std::string();
  return "anywhere" + way + (here ? "" : ", but not this host");
}

}  // namespace

std::string short_cause(const Answer& answer) {
  constexpr std::array<std::string_view, 3> kNobodyThere = {"no-socket", "bound-other-addr",
                                                            "bound-other-dev"};
  const reach::Cause& cause = answer.cause;
  if (answer.outcome == Outcome::Answered) return "another socket answers there";
  if (std::ranges::find(kNobodyThere, cause.code) != kNobodyThere.end()) {
    return "it does not listen there";
  }
  // The place of a rule without its words.
  if (!cause.evidence.empty() && !cause.evidence.front().where.empty()) {
    const std::size_t at = cause.text.find(cause.evidence.front().where);
    if (at != std::string::npos) {
      return cause.text.substr(0, at + cause.evidence.front().where.size());
    }
  }
  return cause.text.empty() ? cause.code : cause.text;
}

Openness openness_of(const reach::ReachTable& table, const std::vector<std::size_t>& listeners) {
  const Openness out = table.reachability(listeners).openness;
  const Protocol protocol = table.host().listeners[listeners.front()].protocol;
  const bool open = out == Openness::NotAsked || out == Openness::Unknown;
  const bool odd = protocol == Protocol::Raw || protocol == Protocol::Udplite;
  // Whatever could not be read: nobody else comes there.
  return open && !odd && is_bound_to_this_host(table, listeners) ? Openness::ThisHost : out;
}

std::string reach_words(const reach::ReachTable& table, const std::vector<std::size_t>& listeners) {
  const Listener& first = table.host().listeners[listeners.front()];
  const host::Network* network = table.network(first.netns);
  const bool bound_here = is_bound_to_this_host(table, listeners);
  if (first.protocol == Protocol::Raw || first.protocol == Protocol::Udplite) return {};
  if (network == nullptr || network->links.empty()) {
    if (bound_here) return kThisHostOnly;
    const host::Gap* gap = network == nullptr ? nullptr : network->gap(host::NetworkFact::Links);
    const bool recorded = gap == nullptr || !gap->what.ends_with("not recorded");
    return recorded ? "unknown: its namespace was not entered" : unread_words(*gap);
  }
  return words_of(*network, table.reachability(listeners), bound_here, true);
}

std::string way_free_reach_words(const host::Network& network, const Reachability& one) {
  return words_of(network, one, false, false, false);
}

std::string reach_words(const host::Network& network, const Reachability& one) {
  return words_of(network, one, false, false);
}

}  // namespace hark::show
