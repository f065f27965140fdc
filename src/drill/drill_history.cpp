#include "drill/drill_history.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/text.h"

namespace hark::drill {
namespace {

constexpr std::string_view kFirstLine = "hark-drill 1";
constexpr std::string_view kLastLine = "end";
/// A question that nobody was asked for so long is forgotten first.
constexpr std::size_t kMostAsked = 4096;
constexpr std::size_t kMostItems = 64;
constexpr std::size_t kLongestKey = 512;
constexpr std::int64_t kLastDay = 1'000'000;
constexpr unsigned kWhole = 100;
/// Days until a question of each box comes back.
constexpr std::array<std::int64_t, kLastBox + 1> kWaits = {1, 2, 4, 8, 16, 32, 64};

/// What stands in keys is what key_word() leaves, colons and percent signs.
bool is_key(std::string_view word) {
  return !word.empty() && word.size() <= kLongestKey && std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '%';
  });
}

template <std::integral T>
bool read(std::string_view word, T least, T most, T& into) {
  const auto number = parse_number<T>(word);
  if (!number || *number < least || *number > most) return false;
  into = *number;
  return true;
}

bool read_day(std::string_view word, std::int64_t& into) {
  return read<std::int64_t>(word, 0, kLastDay, into);
}

using Words = std::vector<std::string_view>;

bool read_streak(const Words& words, History& into) {
  return words.size() == 3 &&
         read<std::uint32_t>(words[1], 0, std::numeric_limits<std::uint32_t>::max(), into.streak) &&
         read_day(words[2], into.streak_day);
}

bool read_asked(const Words& words, History& into) {
  Asked one;
  return words.size() == 5 && is_key(words[1]) && into.asked.size() < kMostAsked &&
         read_day(words[2], one.day) && read(words[3], 0U, kLastBox, one.box) &&
         read(words[4], 0U, kWhole, one.credit) &&
         into.asked.emplace(std::string(words[1]), one).second;
}

bool read_session(const Words& words, History& into) {
  Session one;
  unsigned fixed = 0;
  if (words.size() != 5 || into.session || !read_day(words[1], one.day) ||
      !read<std::uint64_t>(words[2], 0, std::numeric_limits<std::uint64_t>::max(), one.seed) ||
      !read(words[3], 0U, 1U, fixed) ||
      !read<std::int64_t>(words[4], 0, kLongestMs, one.elapsed_ms)) {
    return false;
  }
  one.fixed = fixed == 1;
  into.session = std::move(one);
  return true;
}

bool read_item(const Words& words, History& into) {
  if (words.size() != 3 || !into.session || !is_key(words[1]) ||
      into.session->items.size() == kMostItems) {
    return false;
  }
  Item one{.key = std::string(words[1])};
  if (words[2] != "-") {
    unsigned credit = 0;
    if (!read(words[2], 0U, kWhole, credit)) return false;
    one.credit = credit;
  }
  into.session->items.push_back(std::move(one));
  return true;
}

bool read_line(std::string_view line, History& into) {
  const Words words = split(line, ' ');
  if (words.front() == "streak") return read_streak(words, into);
  if (words.front() == "asked") return read_asked(words, into);
  if (words.front() == "session") return read_session(words, into);
  if (words.front() == "item") return read_item(words, into);
  return false;
}

void forget_the_oldest(History& history) {
  while (history.asked.size() > kMostAsked) {
    history.asked.erase(std::ranges::min_element(history.asked, {},
                                                 [](const auto& one) { return one.second.day; }));
  }
}

}  // namespace

std::int64_t due_day(const Asked& asked) {
  return asked.day + kWaits[std::min<std::size_t>(asked.box, kLastBox)];
}

std::string text_of(const History& history) {
  std::string out(kFirstLine);
  const auto line = [&out](std::initializer_list<std::string> words) {
    out += '\n';
    for (const std::string& one : words) out += (out.back() == '\n' ? "" : " ") + one;
  };
  if (history.streak_day >= 0) {
    line({"streak", std::to_string(history.streak), std::to_string(history.streak_day)});
  }
  for (const auto& [key, one] : history.asked) {
    line({"asked", key, std::to_string(one.day), std::to_string(one.box),
          std::to_string(one.credit)});
  }
  if (history.session) {
    const Session& one = *history.session;
    line({"session", std::to_string(one.day), std::to_string(one.seed), one.fixed ? "1" : "0",
          std::to_string(one.elapsed_ms)});
    for (const Item& item : one.items) {
      line({"item", item.key, item.credit ? std::to_string(*item.credit) : "-"});
    }
  }
  line({std::string(kLastLine)});
  return out + "\n";
}

Result<History> parse_history(std::string_view text) {
  const auto wrong = [](std::size_t line, std::string why) {
    return fail(plain_error("line " + std::to_string(line), std::move(why)));
  };
  History out;
  std::size_t number = 1;
  if (next_piece(text, '\n') != kFirstLine) return wrong(number, "not a file of hark drill");
  while (true) {
    ++number;
    // Half of a file is none.
    if (text.empty()) return wrong(number, "the file ends too early");
    const std::string_view line = next_piece(text, '\n');
    if (line == kLastLine) break;
    if (!read_line(line, out)) return wrong(number, "not a line of hark drill");
  }
  if (!text.empty()) return wrong(number + 1, "something stands behind the end");
  return out;
}

void note(History& history, const std::string& key, unsigned credit, std::int64_t day) {
  Asked& one = history.asked[key];
  const bool again_today = one.day == day;
  one.day = day;
  one.credit = credit;
  if (credit < kWhole) {
    one.box = 0;
  } else if (!again_today) {
    one.box = std::min(one.box + 1, kLastBox);
  }
  forget_the_oldest(history);
}

Score score_of(const std::vector<Item>& items) {
  Score out;
  unsigned sum = 0;
  for (const Item& one : items) {
    sum += one.credit.value_or(0);
    if (one.credit) ++out.asked;
    if (one.credit == kWhole) ++out.right;
  }
  if (!items.empty()) out.points = sum / static_cast<unsigned>(items.size());
  out.passed = !items.empty() && out.points >= kPassing;
  return out;
}

Score finish(History& history, std::int64_t day) {
  const Score out = score_of(history.session ? history.session->items : std::vector<Item>{});
  history.session.reset();
  if (!out.passed || history.streak_day == day) return out;
  history.streak = history.streak_day == day - 1 ? history.streak + 1 : 1;
  history.streak_day = day;
  return out;
}

std::uint32_t streak_on(const History& history, std::int64_t day) {
  const bool alive = history.streak_day == day || history.streak_day == day - 1;
  return alive ? history.streak : 0;
}

}  // namespace hark::drill
