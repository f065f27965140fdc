#include "reach/jhash.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace hark::reach {

namespace {

constexpr std::uint32_t kStart = 0xdeadbeef;

struct State {
  std::uint32_t a, b, c;

  void mix() {
    a -= c, a ^= std::rotl(c, 4), c += b;
    b -= a, b ^= std::rotl(a, 6), a += c;
    c -= b, c ^= std::rotl(b, 8), b += a;
    a -= c, a ^= std::rotl(c, 16), c += b;
    b -= a, b ^= std::rotl(a, 19), a += c;
    c -= b, c ^= std::rotl(b, 4), b += a;
  }
  void finish() {
    c ^= b, c -= std::rotl(b, 14);
    a ^= c, a -= std::rotl(c, 11);
    b ^= a, b -= std::rotl(a, 25);
    c ^= b, c -= std::rotl(b, 16);
    a ^= c, a -= std::rotl(c, 4);
    b ^= a, b -= std::rotl(a, 14);
    c ^= b, c -= std::rotl(b, 24);
  }
  void add(const std::array<std::uint32_t, 3>& words) {
    a += words[0];
    b += words[1];
    c += words[2];
  }
};

State begin(std::size_t length, std::uint32_t seed) {
  const std::uint32_t first = kStart + static_cast<std::uint32_t>(length) + seed;
  return {.a = first, .b = first, .c = first};
}

}  // namespace

std::uint32_t jhash(ByteView key, std::uint32_t seed) {
  State state = begin(key.size(), seed);
  std::size_t at = 0;
  while (key.size() - at > 12) {
    std::array<std::uint32_t, 3> words{};
    std::memcpy(words.data(), key.data() + at, sizeof words);
    state.add(words);
    state.mix();
    at += sizeof words;
  }
  if (at == key.size()) return state.c;
  // The rest is read with its first byte lowest, whatever the machine's order.
  std::array<std::uint32_t, 3> rest{};
  for (std::size_t i = 0; at + i < key.size(); ++i) {
    rest[i / 4] |= std::to_integer<std::uint32_t>(key[at + i]) << (i % 4 * 8);
  }
  state.add(rest);
  state.finish();
  return state.c;
}

std::uint32_t jhash2(std::span<const std::uint32_t> key, std::uint32_t seed) {
  State state = begin(key.size() * 4, seed);
  std::size_t at = 0;
  while (key.size() - at > 3) {
    state.add({key[at], key[at + 1], key[at + 2]});
    state.mix();
    at += 3;
  }
  if (at == key.size()) return state.c;
  std::array<std::uint32_t, 3> rest{};
  std::copy(key.begin() + static_cast<std::ptrdiff_t>(at), key.end(), rest.begin());
  state.add(rest);
  state.finish();
  return state.c;
}

}  // namespace hark::reach
