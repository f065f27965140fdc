#include "drill/drill_pick.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "base/text.h"
#include "drill/drill_dice.h"

namespace hark::drill {
namespace {

/// What makes a question wanted: never asked before a wrong answer before one that is due before
/// the rest; the weight of its port, and chance, move it within that.
constexpr int kNeverAsked = 120;
constexpr int kWentWrong = 100;
constexpr int kDue = 60;
constexpr int kNotDue = -80;
constexpr std::uint64_t kChance = 25;
/// What each question of the same kind or port that is taken already costs.
constexpr int kSameKind = 45;
constexpr int kSamePort = 70;

int urgency(const History& history, const std::string& key, std::int64_t day) {
  const auto found = history.asked.find(key);
  if (found == history.asked.end()) return kNeverAsked;
  if (due_day(found->second) > day) return kNotDue;
  return found->second.credit < 100 ? kWentWrong : kDue;
}

/// Of "tcp:8080" and others that questions were asked about: the urgency of the calmest.
std::map<std::string, int, std::less<>> urgency_of_ports(const History& history, std::int64_t day) {
  std::map<std::string, int, std::less<>> out;
  for (const auto& [key, asked] : history.asked) {
    const std::vector<std::string_view> words = split(key, ':');
    if (words.size() < 4) continue;
    const std::string name = std::string(words[2]) + ":" + std::string(words[3]);
    const int points = urgency(history, key, day);
    const auto [at, is_new] = out.emplace(name, points);
    if (!is_new) at->second = std::min(at->second, points);
  }
  return out;
}

/// May both be asked, the one with the earlier kind first?
bool go_together(const Question& a, const Question& b) {
  const Question& first = a.kind <= b.kind ? a : b;
  const Question& second = a.kind <= b.kind ? b : a;
  unsigned told = info_of(first.kind).tells & info_of(second.kind).asks;
  if (a.subject != b.subject) told &= kOfAnyPort;
  return told == 0;
}

}  // namespace

std::vector<Port> worth_asking(const Facts& facts, std::span<const Port> all,
                               const History& history, std::int64_t day, std::uint64_t seed,
                               std::size_t most) {
  struct Wanted {
    int points = 0;
    std::size_t position = 0;
  };
  const std::map<std::string, int, std::less<>> known = urgency_of_ports(history, day);
  std::vector<Wanted> wanted;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Port& port = all[i];
    const std::string name = (port.stream ? "tcp:" : "udp:") + std::to_string(port.port);
    const auto found = known.find(name);
    int points = found == known.end() ? kNeverAsked : found->second;
    Dice dice(seed, "port:" + name);
    points += static_cast<int>(weight_of(facts, port)) + static_cast<int>(dice.roll(kChance));
    wanted.push_back({points, i});
  }
  std::ranges::stable_sort(wanted, std::greater<>(), &Wanted::points);
  if (wanted.size() > most) wanted.resize(most);
  std::ranges::sort(wanted, {}, &Wanted::position);
  std::vector<Port> out;
  for (const Wanted& one : wanted) out.push_back(all[one.position]);
  return out;
}

std::vector<std::size_t> pick(std::span<const Question> questions, const History& history,
                              std::int64_t day, std::uint64_t seed, std::size_t count) {
  std::vector<int> points;
  points.reserve(questions.size());
  for (const Question& one : questions) {
    Dice dice(seed, one.key);
    points.push_back(urgency(history, one.key, day) + static_cast<int>(one.weight) +
                     static_cast<int>(dice.roll(kChance)));
  }
  std::vector<std::size_t> left(questions.size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  std::vector<std::size_t> out;
  while (out.size() < count && !left.empty()) {
    const auto best = std::ranges::max_element(left, {}, [&](std::size_t i) { return points[i]; });
    const std::size_t taken = *best;
    out.push_back(taken);
    std::erase_if(left, [&](std::size_t i) {
      return i == taken || !go_together(questions[i], questions[taken]);
    });
    for (const std::size_t i : left) {
      if (questions[i].kind == questions[taken].kind) points[i] -= kSameKind;
      if (questions[i].subject == questions[taken].subject) points[i] -= kSamePort;
    }
  }
  std::ranges::sort(out, {}, [&](std::size_t i) { return std::pair(questions[i].kind, i); });
  return out;
}

}  // namespace hark::drill
