// What a person was asked, when, and how it went: the memory of drills, as one small text file.
//
// Spaced repetition by boxes: a question that is answered rightly comes back after 2, 4, 8 … days,
// one that is not the next day. Days are counted since 1970 in the person's own time zone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hark::drill {

/// Points of 100 that a drill needs.
constexpr unsigned kPassing = 70;
/// How long one drill may take.
constexpr std::int64_t kLongestMs = 300'000;

struct Asked {
  std::int64_t day = 0;  ///< of the last time
  unsigned box = 0;      ///< 0 to kLastBox
  unsigned credit = 0;   ///< of the last answer, of 100
  bool operator==(const Asked&) const = default;
};
constexpr unsigned kLastBox = 6;
/// The day on which it should come back.
[[nodiscard]] std::int64_t due_day(const Asked& asked);

/// One question of a drill that goes on.
struct Item {
  std::string key;
  std::optional<unsigned> credit = {};  ///< empty: not answered yet
  bool operator==(const Item&) const = default;
};

/// A drill that was begun and not finished.
struct Session {
  std::int64_t day = 0;
  std::uint64_t seed = 0;
  bool fixed = false;           ///< the seed was given
  std::int64_t elapsed_ms = 0;  ///< of kLongestMs
  std::vector<Item> items;
  bool operator==(const Session&) const = default;
};

struct History {
  std::uint32_t streak = 0;            ///< days in a row on which a drill was passed
  std::int64_t streak_day = -1;        ///< the last of them; -1: none
  std::map<std::string, Asked> asked;  ///< by Question::key
  std::optional<Session> session = {};
  bool operator==(const History&) const = default;
};

/// The file's text: "hark-drill 1", a line for each fact, "end".
[[nodiscard]] std::string text_of(const History& history);
/// Bounded; anything but what text_of() writes is an error that names the line.
[[nodiscard]] Result<History> parse_history(std::string_view text);

/// Notes an answer: the box goes up, or falls to the first.
void note(History& history, const std::string& key, unsigned credit, std::int64_t day);

struct Score {
  unsigned points = 0;  ///< of 100
  std::size_t right = 0, asked = 0;
  bool passed = false;
};
/// What was not answered counts as wrong.
[[nodiscard]] Score score_of(const std::vector<Item>& items);

/// Ends the drill that goes on, and counts its day for the streak if it was passed.
[[nodiscard]] Score finish(History& history, std::int64_t day);

/// The streak as it stands on that day: broken where a day was left out.
[[nodiscard]] std::uint32_t streak_on(const History& history, std::int64_t day);

}  // namespace hark::drill
