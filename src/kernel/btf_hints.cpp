#include "kernel/btf_hints.h"

#include <algorithm>

namespace hark::kernel {

std::optional<std::uint32_t> BtfHints::find(std::string_view label) const {
  const auto found = std::ranges::lower_bound(hints, label, {}, &BtfHint::label);
  if (found == hints.end() || found->label != label) return std::nullopt;
  return found->answer;
}

ByteView build_id_in(ByteView notes) {
  constexpr std::uint32_t kBuildId = 3;  // NT_GNU_BUILD_ID of elf.h
  const auto padded = [](std::uint32_t size) { return (std::size_t{size} + 3) / 4 * 4; };
  ByteReader reader(notes);
  while (reader.left() > 0) {
    const auto name_size = reader.value<std::uint32_t>();
    const auto size = reader.value<std::uint32_t>();
    const auto type = reader.value<std::uint32_t>();
    const ByteView name = reader.take(padded(name_size));
    const ByteView content = reader.take(padded(size));
    if (!reader.ok()) return {};
    if (type == kBuildId && as_text(name) == std::string_view("GNU\0", 4)) {
      return content.first(size);
    }
  }
  return {};
}

}  // namespace hark::kernel
