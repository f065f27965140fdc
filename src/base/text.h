// Small text tools that every folder needs.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hark {

/// The whole of `text` as a number, or nothing: no sign but '-' of signed types, no space, no
/// overflow.
template <std::integral T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text, int base = 10) {
  T out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

/// A port that can be asked for: not 0.
[[nodiscard]] std::optional<std::uint16_t> parse_port(std::string_view text);

/// Cuts off and returns the text before the next `separator`; the rest stays in `text`. The last
/// piece leaves `text` empty.
std::string_view next_piece(std::string_view& text, char separator);

/// The next word of a line whose words are parted by any number of blanks; empty at its end.
std::string_view next_word(std::string_view& line);

/// All pieces between separators, empty ones included.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

[[nodiscard]] std::string join(std::span<const std::string> pieces, std::string_view between);

/// ASCII lower case.
[[nodiscard]] std::string lower(std::string_view text);

/// Shell-style match of the whole text: `*` any run, `?` one byte. Linear in practice, bounded by
/// pattern times text.
[[nodiscard]] bool matches_glob(std::string_view pattern, std::string_view text);

/// How many single-byte insertions, deletions, replacements and swaps of neighbours turn one word
/// into the other. Words are cut at 64 bytes, so the work is bounded.
[[nodiscard]] unsigned edit_distance(std::string_view a, std::string_view b);

/// The candidate most like `word`, if one is like enough to be meant: at most one edit for three
/// letters (and at least one), or `word` being a prefix of it. Ties go to the first.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 std::span<const std::string> candidates);

}  // namespace hark
