#include "base/parts.h"

namespace hark {

void append_part(Bytes& to, std::uint16_t tag, ByteView bytes) {
  append_value(to, tag);
  append_value(to, std::uint16_t{0});
  append_value(to, static_cast<std::uint32_t>(bytes.size()));
  append(to, bytes);
}

void append_failed_part(Bytes& to, std::uint16_t tag, int error) {
  append_value(to, tag);
  append_value(to, static_cast<std::uint16_t>(error));
  append_value(to, std::uint32_t{0});
}

std::optional<Part> PartReader::next() {
  if (reader_.empty()) return std::nullopt;
  Part part;
  part.tag = reader_.value<std::uint16_t>();
  part.error = reader_.value<std::uint16_t>();
  const auto length = reader_.value<std::uint32_t>();
  part.bytes = reader_.take(length);
  if (!reader_.ok()) return std::nullopt;
  return part;
}

}  // namespace hark
