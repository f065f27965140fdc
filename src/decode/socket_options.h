// The answers about a socket's options: base/option_parts.h. Classic BPF: linux/filter.h,
// net/core/filter.c.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/option_parts.h"
#include "base/result.h"

namespace hark::decode {

/// struct sock_filter
struct FilterInstruction {
  std::uint16_t code = 0;
  std::uint8_t jump_true = 0;
  std::uint8_t jump_false = 0;
  std::uint32_t operand = 0;
  bool operator==(const FilterInstruction&) const = default;
};

struct SocketOptions {
  /// By OptionPart; empty where the kernel did not answer.
  std::array<std::optional<std::int32_t>, kOptionParts> values = {};
  std::optional<std::vector<FilterInstruction>> filter = {};  ///< no instructions: no filter
  bool filter_hidden = false;                                 ///< there is one, of eBPF

  [[nodiscard]] std::optional<std::int32_t> value(OptionPart part) const {
    return values[static_cast<std::size_t>(part)];
  }
  bool operator==(const SocketOptions&) const = default;
};

/// Options that are not known are passed over.
[[nodiscard]] Result<SocketOptions> decode_socket_options(ByteView parts);

enum class FilterEffect : std::uint8_t {
  None,        ///< there is no filter
  DropsAll,    ///< whatever comes
  AcceptsAll,  ///< perhaps not all of it: a filter says how many bytes
  Depends,     ///< on the packet, or it could not be read
};
/// What is certain of it without running it; empty: not known whether there is one.
[[nodiscard]] std::optional<FilterEffect> filter_effect(const SocketOptions& options);

}  // namespace hark::decode
