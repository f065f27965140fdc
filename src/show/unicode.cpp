#include "show/unicode.h"

#include <algorithm>
#include <span>

#include "show/unicode_tables.h"

namespace hark::show {
namespace {

bool in_ranges(std::span<const CodeRange> ranges, std::uint32_t code_point) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), code_point,
                       [](std::uint32_t value, const CodeRange& r) { return value < r.first; });
  return after != ranges.begin() && code_point <= std::prev(after)->last;
}

/// What the first byte of a sequence says: its length, its own bits, and the smallest code point
/// that may be written at this length.
struct Lead {
  std::size_t length;
  std::uint32_t bits;
  std::uint32_t smallest;
};

Lead lead_of(std::uint8_t byte) {
  if (byte < 0x80) return {1, byte, 0};
  if (byte >= 0xC0 && byte < 0xE0) return {2, byte & 0x1FU, 0x80};
  if (byte >= 0xE0 && byte < 0xF0) return {3, byte & 0x0FU, 0x800};
  if (byte >= 0xF0 && byte < 0xF8) return {4, byte & 0x07U, 0x10000};
  return {0, 0, 0};
}

}  // namespace

CodePoint first_code_point(std::string_view text) {
  if (text.empty()) return {};
  const auto byte_at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const CodePoint broken{byte_at(0), 1, false};
  const Lead lead = lead_of(byte_at(0));
  if (lead.length == 0 || lead.length > text.size()) return broken;
  std::uint32_t value = lead.bits;
  for (std::size_t i = 1; i < lead.length; ++i) {
    if ((byte_at(i) & 0xC0U) != 0x80U) return broken;
    value = value << 6U | (byte_at(i) & 0x3FU);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < lead.smallest || surrogate || value > 0x10FFFF) return broken;
  return {value, lead.length, true};
}

bool is_unprintable(std::uint32_t code_point) {
  if (code_point < 0x7F) return code_point < 0x20;
  return in_ranges(kUnprintable, code_point);
}

bool is_combining(std::uint32_t code_point) {
  return code_point >= kCombining.front().first && in_ranges(kCombining, code_point);
}

std::size_t columns_of(std::uint32_t code_point) {
  if (code_point < kCombining.front().first) return 1;
  if (is_combining(code_point)) return 0;
  return in_ranges(kWide, code_point) ? 2 : 1;
}

}  // namespace hark::show
