#include "compare.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>

#include "classes.h"
#include "witness.h"

namespace hark::differential {

namespace {

bool among(const std::vector<std::string>& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

// Everything about one question, for a person.
void print_question(const Case& one, const Ask& ask, const Observation& seen,
                    const std::string& what) {
  std::printf("%s: %s (port %u)\n  seen: %s\n", one.name.c_str(), line_of(ask).c_str(),
              unsigned{seen.source_port}, words_of(seen).c_str());
  if (!what.empty()) std::printf("  WRONG: %s\n", what.c_str());
}

void count(Tally& tally, const Case& one, const std::string& name) {
  tally[name]++;
  for (const std::string& tag : one.tags) tally["tag:" + tag + ":" + name]++;
}

}  // namespace

namespace {

std::string check_code(const Ask& ask, const Verdict& verdict) {
  const bool wrong = !ask.expected.code.empty() && ask.expected.code != verdict.code;
  return wrong ? "expected code " + ask.expected.code : std::string();
}

}  // namespace

std::string wrong_observation(const Expected& expected, const Observation& seen) {
  if (expected.outcome.empty()) return {};
  if (expected.outcome != seen.outcome) return "expected " + expected.outcome;
  if (expected.icmp != seen.icmp && expected.outcome == "rejected") {
    return "expected icmp " + expected.icmp;
  }
  if (!expected.listener.empty() && expected.listener != seen.listener) {
    return "expected listener " + expected.listener;
  }
  return {};
}

std::string wrong_verdict(const Ask& ask, const Verdict& verdict, const Observation& seen,
                          const Servers& servers) {
  const bool open = verdict.outcome == "depends" || verdict.outcome == "unknown";
  if (open) {
    // What has left the host again is out of sight, and hark has to say so.
    if (seen.outcome == "forwarded" || verdict.possible.empty()) return {};
    // Nor does it claim to have found all of them there.
    if (among(verdict.conditions, "too-many-ways")) return {};
    return among(verdict.possible, seen.outcome) ? "" : seen.outcome + " is not among `possible`";
  }
  if (verdict.outcome != seen.outcome) return "outcome";
  if (verdict.outcome == "rejected" && verdict.icmp != seen.icmp) return "icmp";
  const bool local = ask.interface == "lo" && verdict.error != 0 && seen.error != 0;
  if (local && verdict.error != seen.error) return "errno";
  if (verdict.outcome == "answered" || (verdict.outcome == "hangs" && !seen.listener.empty())) {
    if (verdict.inodes.empty()) return "no listener named";
    std::string named;
    for (const std::uint32_t inode : verdict.inodes) {
      const auto listener = servers.by_inode().find(inode);
      if (listener == servers.by_inode().end()) return "a listener that is not ours";
      if (listener->second == seen.listener) return check_code(ask, verdict);
      named += " " + listener->second;
    }
    return "listener" + named;
  }
  return check_code(ask, verdict);
}

namespace {

// Is it told of a rule whose drops the kernel traces? Not so of the old iptables, which hark tells
// of by numbers.
bool is_traced(const std::string& text) {
  if (text.starts_with("in ")) return false;  // in a container
  return text.find(" handle ") != std::string::npos ||
         (text.find("the policy of ") != std::string::npos &&
          text.find("tables") == std::string::npos);
}

bool tells_of(const std::string& text, const std::set<std::string>& drops) {
  const std::string words = text + " ";
  return std::ranges::any_of(drops, [&words](const std::string& place) {
    const std::size_t at = words.find(place);
    // "handle 1" is not "handle 12", and a rule is not a policy.
    return at != std::string::npos &&
           std::isalnum(static_cast<unsigned char>(words[at + place.size()])) == 0;
  });
}

}  // namespace

std::string wrong_rule(const Verdict& verdict, const std::set<std::string>& drops) {
  const bool open = verdict.outcome == "depends" || verdict.outcome == "unknown";
  const bool by_rule = verdict.code.ends_with("-drop") || verdict.code.ends_with("-reject");
  if (open || !by_rule || !is_traced(verdict.text) || tells_of(verdict.text, drops)) return {};
  for (const std::string& other : verdict.instead) {
    if (!is_traced(other) || tells_of(other, drops)) return {};
  }
  std::string wrong = "the kernel dropped it at:";
  for (const std::string& place : drops) wrong += " " + place + ";";
  return drops.empty() ? "the kernel traced no drop" : wrong;
}

namespace {

#ifdef HARK_HAS_TRACE
/// Behind a change of its source at the input hook a packet is not told from others in the kernel's
/// trace, nor is the answer of a container that was asked under another address.
bool may_rename_clients(const Case& one) {
  return std::ranges::any_of(one.steps, [&one](const Step& step) {
    return step.text.find("type nat hook input") != std::string::npos ||
           step.text.find("-j SNAT") != std::string::npos ||
           (!one.boxes.empty() && step.text.find("hook postrouting") != std::string::npos);
  });
}

struct Asker {
  const Case& one;
  const RunOptions& options;
  const Place& place;
  const Servers& servers;
  const Judge& judge;
  Prober& prober;
  Witness& witness;
  Tally& tally;

  [[nodiscard]] std::string wrong_answer(const Ask& ask, const Verdict& verdict,
                                         const Observation& seen) const {
    const std::string wrong = wrong_verdict(ask, verdict, seen, servers);
    const bool told = witness.works() && ask.interface != "lo" && !may_rename_clients(one) &&
                      !one.has_tag("chance");
    if (!wrong.empty() || !told) return wrong;
    witness.collect();
    return wrong_rule(verdict, witness.drops(ask.udp, ask.source, seen.source_port));
  }

  // Asks once more when nothing else goes on, and nobody is known any more whom earlier questions
  // have made a neighbour, or have left waiting for one. What is wrong then.
  std::string again(const Ask& ask, Verdict& verdict, Observation& seen) const {
    place.forget();
    auto now = judge.with_neighbours_of(place);
    if (!now) return reason(now.error());
    // The kernel asks thrice for a neighbour, a second apart, before it gives up.
    const bool waits = verdict.code == "neigh-failed";
    seen = prober.ask({ask}, {.grace_ms = waits ? 3500 : 700}).front();
    verdict = now->verdict(ask, seen.source_port);
    return wrong_answer(ask, verdict, seen);
  }

  // A difference counts if it is there again.
  void ask(const Ask& ask, Observation seen) const {
    Verdict verdict = judge.verdict(ask, seen.source_port);
    count(tally, one, "questions");
    if (verdict.outcome == "depends" || verdict.outcome == "unknown") {
      count(tally, one, verdict.outcome);
      count(tally, one, verdict.open_by_nature ? "open-by-nature" : "open-though-fixed");
      for (const std::string& condition : verdict.conditions) tally["condition:" + condition]++;
    }
    std::string wrong = wrong_answer(ask, verdict, seen);
    if (!wrong.empty()) {
      const Observation first = seen;
      const std::string wrong_again = again(ask, verdict, seen);
      if (wrong_again.empty()) count(tally, one, "flaky");
      if (wrong_again.empty() && options.verbose) {
        print_question(one, ask, first, "only once: " + wrong + ", then " + words_of(seen));
      }
      wrong = wrong_again;
    }
    if (!wrong.empty() && one.has_tag("known")) {
      count(tally, one, "known");
      return;
    }
    count(tally, one, wrong.empty() ? "agree" : "mismatch");
    if (wrong.empty() && !options.verbose) return;
    print_question(one, ask, seen, wrong);
    std::printf("  hark: %s\n", words_of(verdict).c_str());
    if (!wrong.empty()) std::printf("%s%s", verdict.path.c_str(), judge.gaps().c_str());
  }
};
#endif

}  // namespace

namespace {

/// Asks all of them; in turns, where two have the same client: by its address and port answers are
/// known.
std::vector<Observation> ask_in_turns(Prober& prober, const std::vector<Ask>& asks, int grace_ms) {
  std::vector<Observation> all(asks.size());
  std::vector<std::size_t> left(asks.size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  while (!left.empty()) {
    std::set<std::tuple<bool, IpAddress, std::uint16_t>> clients;
    std::vector<std::size_t> now;
    std::vector<std::size_t> later;
    std::vector<Ask> turn;
    for (const std::size_t i : left) {
      const Ask& ask = asks[i];
      const bool free =
          !ask.source_port || clients.emplace(ask.udp, ask.source, *ask.source_port).second;
      (free ? now : later).push_back(i);
      if (free) turn.push_back(ask);
    }
    std::vector<Observation> seen = prober.ask(turn, {.grace_ms = grace_ms});
    for (std::size_t i = 0; i < now.size(); i++) all[now[i]] = std::move(seen[i]);
    left = std::move(later);
  }
  return all;
}

}  // namespace

Tally compare_case(const Case& one, const RunOptions& options, const Place& place,
                   Servers& servers) {
  Tally tally;
#ifdef HARK_HAS_TRACE
  std::optional<Judge> judge;
  if (!options.probe_only) {
    auto read = Judge::read(place);
    if (read) judge.emplace(std::move(*read));
    if (!read) std::printf("%s: hark: %s\n", one.name.c_str(), reason(read.error()).c_str());
  }
  std::optional<Witness> witness;
  if (judge) witness.emplace(place);
#endif
  Prober prober(place, servers, one.dead);
  std::vector<Ask> asks = one.asks;
#ifdef HARK_HAS_TRACE
  if (judge && options.classes) {
    for (Ask& edge : check_classes(one, *judge, tally)) asks.push_back(std::move(edge));
  }
#endif
  const std::vector<Observation> all = ask_in_turns(prober, asks, options.grace_ms);
  for (std::size_t i = 0; i < all.size(); i++) {
    const Ask& ask = asks[i];
    const Observation& seen = all[i];
    count(tally, one, "seen-" + seen.outcome);
    if (seen.outcome == "invalid") continue;
    const std::string wrong = wrong_observation(ask.expected, seen);
    if (!wrong.empty()) count(tally, one, "unexpected");
    if (!wrong.empty() || (options.verbose && options.probe_only)) {
      print_question(one, ask, seen, wrong);
    }
#ifdef HARK_HAS_TRACE
    if (judge) Asker{one, options, place, servers, *judge, prober, *witness, tally}.ask(ask, seen);
#endif
  }
  return tally;
}

std::string words_of(const Verdict& verdict) {
  std::string words = verdict.outcome;
  if (!verdict.icmp.empty()) words += " " + verdict.icmp;
  if (verdict.error != 0) words += " errno " + std::to_string(verdict.error);
  words += ", " + verdict.code + ": " + verdict.text;
  for (const std::string& one : verdict.possible) words += " | " + one;
  for (const std::string& one : verdict.conditions) words += " ? " + one;
  return words;
}

}  // namespace hark::differential
