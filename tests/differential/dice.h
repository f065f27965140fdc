// Random choices that are the same on every machine for the same seed (the distributions of the
// standard library are not).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace hark::differential {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  /// 0 to `count` - 1.
  [[nodiscard]] unsigned below(unsigned count) {
    return static_cast<unsigned>(engine_() % (count == 0 ? 1 : count));
  }
  [[nodiscard]] unsigned between(unsigned low, unsigned high) {
    return low + below(high - low + 1);
  }
  [[nodiscard]] bool percent(unsigned chance) { return below(100) < chance; }
  template <typename T>
  [[nodiscard]] const T& of(const std::vector<T>& all) {
    return all.at(below(static_cast<unsigned>(all.size())));
  }
  [[nodiscard]] std::string word(std::initializer_list<const char*> all) {
    return *(all.begin() + below(static_cast<unsigned>(all.size())));
  }
  /// One of the words, each as often as its weight says.
  [[nodiscard]] std::string weighted(std::initializer_list<std::pair<const char*, unsigned>> all) {
    unsigned sum = 0;
    for (const auto& [word, weight] : all) sum += weight;
    unsigned at = below(sum);
    for (const auto& [word, weight] : all) {
      if (at < weight) return word;
      at -= weight;
    }
    return all.begin()->first;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace hark::differential
