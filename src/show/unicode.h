// UTF-8 taken apart code point by code point, and what a terminal does with each of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hark::show {

/// The front of a text. Where it is no UTF-8, `valid` is false, `length` 1 and `value` the byte.
struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0;  ///< bytes; 0 at the end of the text
  bool valid = true;
};
/// Strict: no overlong form, no surrogate, nothing above U+10FFFF (Unicode 14, table 3-7).
[[nodiscard]] CodePoint first_code_point(std::string_view text);

/// Must not reach a terminal as it is: it moves, reorders, hides or is nothing to see.
[[nodiscard]] bool is_unprintable(std::uint32_t code_point);

/// Takes no column of its own.
[[nodiscard]] bool is_combining(std::uint32_t code_point);

/// 0, 1 or 2 columns of a printable code point.
[[nodiscard]] std::size_t columns_of(std::uint32_t code_point);

}  // namespace hark::show
