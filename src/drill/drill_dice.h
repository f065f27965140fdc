// Dice that fall alike for the same seed and words: what makes a drill repeatable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace hark::drill {

class Dice {
 public:
  /// FNV-1a of the words, stirred into the seed.
  Dice(std::uint64_t seed, std::string_view words);
  /// 0 to `sides` - 1; of no sides 0.
  [[nodiscard]] std::uint64_t roll(std::uint64_t sides);

  template <typename T>
  void shuffle(std::vector<T>& all) {
    for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[roll(i)]);
  }

 private:
  std::uint64_t state_;
};

}  // namespace hark::drill
