// Redaction keeps the number of arguments, takes nothing out twice, and grows by no more than what
// stands for a secret.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "host/redact.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  const hark::ByteView cmdline(bytes, size);
  const hark::Bytes once = hark::host::redact_command_line(cmdline);
  if (std::ranges::count(once, std::byte{0}) != std::ranges::count(cmdline, std::byte{0})) {
    std::abort();
  }
  constexpr std::size_t kGrowth = 11;
  if (once.size() > kGrowth * (size + 1)) std::abort();
  if (hark::host::redact_command_line(once) != once) std::abort();
  return 0;
}
