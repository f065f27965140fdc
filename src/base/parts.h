// A plain framing for "several named pieces of bytes in one buffer": tag, status, length, bytes.
// The kernel folder writes what it read of many processes this way, decode takes it apart again.
// Numbers are little endian, so that a recording made on one machine is read on any other.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace hark {

static_assert(std::endian::native == std::endian::little,
              "parts and recordings are written in memory order");

/// One piece. `error` is 0, or the errno that stands where the bytes would be.
struct Part {
  std::uint16_t tag = 0;
  std::uint16_t error = 0;
  ByteView bytes;
};

void append_part(Bytes& to, std::uint16_t tag, ByteView bytes);
void append_failed_part(Bytes& to, std::uint16_t tag, int error);

/// Walks over the parts of a buffer. After the last one, or at the first that is cut off, next()
/// gives nothing; broken() tells the two apart.
class PartReader {
 public:
  explicit PartReader(ByteView view) : reader_(view) {}
  [[nodiscard]] std::optional<Part> next();
  [[nodiscard]] bool broken() const { return !reader_.ok(); }

 private:
  ByteReader reader_;
};

}  // namespace hark
