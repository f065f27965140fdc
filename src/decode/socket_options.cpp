#include "decode/socket_options.h"

#include <algorithm>
#include <cerrno>

#include "base/parts.h"

namespace hark::decode {
namespace {

constexpr auto kFilter = static_cast<std::uint16_t>(OptionPart::Filter);
constexpr std::size_t kMostInstructions = 4096;  // BPF_MAXINSNS

// linux/bpf_common.h: the class of an instruction, and what it takes its value from.
constexpr std::uint16_t kClass = 0x07;
constexpr std::uint16_t kLoad = 0x00, kLoadX = 0x01, kArithmetic = 0x04, kReturn = 0x06;
constexpr std::uint16_t kMode = 0xe0;
constexpr std::uint16_t kAbsolute = 0x20, kIndirect = 0x40, kHeaderLength = 0xa0;
constexpr std::uint16_t kOperation = 0xf0;
constexpr std::uint16_t kDivide = 0x30, kModulo = 0x90;
constexpr std::uint16_t kReturnValue = 0x18;  // BPF_K where these bits are 0

bool is_return(const FilterInstruction& one) {
  return (one.code & kClass) == kReturn;
}

bool returns_constant(const FilterInstruction& one, bool zero) {
  return (one.code & kReturnValue) == 0 && (one.operand == 0) == zero;
}

/// A load behind the end of the packet and a division by zero end a filter with 0.
bool may_end_early(const FilterInstruction& one) {
  const std::uint16_t mode = one.code & kMode;
  const std::uint16_t operation = one.code & kOperation;
  switch (one.code & kClass) {
    case kLoad:
    case kLoadX:
      return mode == kAbsolute || mode == kIndirect || mode == kHeaderLength;
    case kArithmetic:
      return operation == kDivide || operation == kModulo;
    default:
      return false;
  }
}

Result<std::vector<FilterInstruction>> decode_filter(ByteView bytes) {
  static_assert(sizeof(FilterInstruction) == 8);
  const std::size_t count = bytes.size() / sizeof(FilterInstruction);
  if (bytes.size() % sizeof(FilterInstruction) != 0 || count > kMostInstructions) {
    return fail(plain_error("socket options", "a filter of an impossible length"));
  }
  std::vector<FilterInstruction> out;
  out.reserve(count);
  ByteReader reader(bytes);
  while (!reader.empty()) out.push_back(reader.value<FilterInstruction>());
  return out;
}

}  // namespace

Result<SocketOptions> decode_socket_options(ByteView parts) {
  SocketOptions out;
  PartReader reader(parts);
  while (const auto part = reader.next()) {
    if (part->tag == 0 || part->tag >= kOptionParts) continue;
    if (part->error != 0) {
      if (part->tag == kFilter) out.filter_hidden = part->error == EACCES;
      continue;
    }
    if (part->tag == kFilter) {
      auto filter = decode_filter(part->bytes);
      if (!filter) return fail(filter.error());
      out.filter = std::move(*filter);
      continue;
    }
    if (part->bytes.size() != sizeof(std::int32_t)) {
      return fail(plain_error("socket options", "a value of an impossible length"));
    }
    out.values[part->tag] = ByteReader(part->bytes).value<std::int32_t>();
  }
  if (reader.broken()) return fail(plain_error("socket options", "a part is cut off"));
  return out;
}

std::optional<FilterEffect> filter_effect(const SocketOptions& options) {
  if (options.filter_hidden) return FilterEffect::Depends;
  if (!options.filter) return std::nullopt;
  const std::vector<FilterInstruction>& filter = *options.filter;
  if (filter.empty()) return FilterEffect::None;
  const auto all_return = [&filter](bool zero) {
    return std::ranges::all_of(filter, [zero](const FilterInstruction& one) {
      return !is_return(one) || returns_constant(one, zero);
    });
  };
  // The kernel takes no filter whose last instruction is no return.
  if (!is_return(filter.back())) return FilterEffect::Depends;
  if (all_return(true)) return FilterEffect::DropsAll;
  if (all_return(false) && std::ranges::none_of(filter, may_end_early)) {
    return FilterEffect::AcceptsAll;
  }
  return FilterEffect::Depends;
}

}  // namespace hark::decode
