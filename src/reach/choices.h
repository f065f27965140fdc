// Points where a trace could go more than one way, because a fact is not known or chance decides:
// a rate limit, a random number, a program that cannot be read.
//
// The trace itself is straight-line code. Where it comes to such a point it asks pick(), gets one
// way, and goes on. explore() runs it again and again until every way has been taken, so that no
// stage has to know that it forks. Bounded: at most kMostRuns runs; what was not run then is told
// by `complete`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace hark::reach {

/// Why a choice cannot be made from the facts. Ordered: what a person could change comes first.
enum class Doubt : std::uint8_t {
  Unread,  ///< a fact that could not be read: the answer is `unknown` if it matters
  Opaque,  ///< something that is read but not understood: a program, an expression
  Chance,  ///< rate limits, random numbers, hashes with hidden seeds
  Packet,  ///< a property of the packet that the question leaves open
  Time,    ///< changes with time or with traffic
};

/// One such point. Two with the same `key` are one: the second gets the answer of the first.
struct Condition {
  std::string code;  ///< kebab case: "rate-limit", "random", "bpf", "xt-match" …
  std::string text;  ///< in words: "limit rate 5/second of inet filter input handle 7"
  std::string key;   ///< what it is, within one question
  Doubt doubt = Doubt::Opaque;
  bool operator==(const Condition&) const = default;
};

class Choices {
 public:
  struct Taken {
    Condition condition;
    unsigned way = 0;
    unsigned ways = 2;
  };

  Choices() = default;
  /// For one run that goes the ways of an earlier one, wherever it comes to the same points.
  explicit Choices(std::vector<Taken> earlier) : taken_(std::move(earlier)) {}

  /// From here on conditions are those of another namespace: `scope` goes before their keys,
  /// `place` behind their words. Both empty: the namespace of the question.
  void enter(const std::string& scope, const std::string& place) {
    scope_ = scope;
    place_ = place;
  }

  /// A number below `ways` (at least 2).
  [[nodiscard]] unsigned pick(const Condition& condition, unsigned ways);
  /// Is it so? pick() of two ways; true is tried first.
  [[nodiscard]] bool pick(const Condition& condition) { return pick(condition, 2) == 0; }

  /// The choices of this run, in their order.
  [[nodiscard]] const std::vector<Taken>& taken() const { return taken_; }

  /// Forgets this run and gets ready for the next: false if there is none.
  [[nodiscard]] bool next();

 private:
  std::vector<Taken> taken_;
  std::vector<unsigned> plan_;  ///< ways to take at the first points
  std::string scope_, place_;
};

constexpr unsigned kMostRuns = 1024;

/// Runs `run` until every way has been taken. False: there were more than kMostRuns.
bool explore(const std::function<void(Choices&)>& run);

}  // namespace hark::reach
