#include "probe/verdict.h"

#include <algorithm>
#include <cerrno>
#include <vector>

namespace hark::probe {
namespace {

/// A neighbour that does not answer is given up after three seconds (mcast_solicit, retrans_time).
constexpr std::chrono::milliseconds kNeighbourGivenUp{3500};

bool same_rejection(const reach::Answer& predicted, const Attempt& attempt, const Seen& seen) {
  // bind(2) says of a source that is none before routing could.
  if (attempt.source && seen.error == EADDRNOTAVAIL) return predicted.icmp.empty();
  const std::string icmp = seen.icmp ? seen.icmp->name : std::string();
  if (!predicted.icmp.empty() && !icmp.empty()) return predicted.icmp == icmp;
  return predicted.error == 0 || seen.error == 0 || predicted.error == seen.error;
}

bool fits(Outcome predicted, const reach::Answer& answer, const Attempt& attempt,
          const Seen& seen) {
  const bool udp = attempt.asked.protocol == Protocol::Udp;
  if (predicted == seen.outcome) {
    return predicted != Outcome::Rejected || same_rejection(answer, attempt, seen);
  }
  switch (predicted) {
    case Outcome::Answered:
      return udp && seen.outcome == Outcome::Silent;
    case Outcome::Hangs:
      return seen.outcome == Outcome::Answered &&
             (seen.error == ECONNRESET || (seen.mute() && seen.accepted != true));
    case Outcome::NoNeighbour:
      return seen.outcome == Outcome::Silent && attempt.timeout < kNeighbourGivenUp;
    case Outcome::Rejected:
      // This host rejects what it finds no neighbour for, and tells itself.
      return seen.outcome == Outcome::NoNeighbour && answer.cause.code.starts_with("neigh-");
    case Outcome::Refused:
    case Outcome::Silent:
    case Outcome::Depends:
    case Outcome::Unknown:
      break;
  }
  return false;
}

/// Positions in the order of RFC 8305, section 4: the first address's family and the other in turn.
std::vector<std::size_t> in_turn(std::span<const Attempt> attempts) {
  std::vector<std::size_t> first;
  std::vector<std::size_t> other;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const bool same = attempts[i].asked.address.family == attempts[0].asked.address.family;
    (same ? first : other).push_back(i);
  }
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < std::max(first.size(), other.size()); ++i) {
    if (i < first.size()) out.push_back(first[i]);
    if (i < other.size()) out.push_back(other[i]);
  }
  return out;
}

}  // namespace

std::optional<bool> agrees(const reach::Answer& predicted, const Attempt& attempt,
                           const Seen& seen) {
  if (!seen.done || seen.outcome == Outcome::Unknown) return std::nullopt;
  // What could not be read may do anything, whatever is thought possible.
  if (predicted.outcome == Outcome::Unknown) return std::nullopt;
  if (predicted.outcome == Outcome::Depends) {
    const auto& possible = predicted.possible;
    if (std::ranges::find(possible, Outcome::Unknown) != possible.end()) return std::nullopt;
    return std::ranges::any_of(possible,
                               [&](Outcome one) { return fits(one, predicted, attempt, seen); });
  }
  if (predicted.outcome == Outcome::Answered && seen.outcome == Outcome::Hangs && seen.error == 0 &&
      seen.accepted != false) {
    // A program that takes the connection and owes an answer: no prediction goes as far.
    return seen.accepted == true ? std::optional(true) : std::nullopt;
  }
  return fits(predicted.outcome, predicted, attempt, seen);
}

std::optional<std::size_t> winner(std::span<const Attempt> attempts, std::span<const Seen> seen) {
  constexpr double kDelayMs = 250;
  std::optional<std::size_t> best;
  double best_at = 0;
  double start = 0;
  for (const std::size_t i : in_turn(attempts)) {
    if (attempts[i].asked.protocol != Protocol::Tcp) return std::nullopt;
    if (best && start >= best_at) break;
    const Seen& one = seen[i];
    if (one.connected && one.times.connect_ms) {
      const double at = start + *one.times.connect_ms;
      if (!best || at < best_at) {
        best = i;
        best_at = at;
      }
      start += kDelayMs;
    } else {
      start += one.done ? std::min(kDelayMs, one.elapsed_ms) : kDelayMs;
    }
  }
  return best;
}

}  // namespace hark::probe
