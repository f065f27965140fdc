// The kernel's description of its own types: where a member lies in its structure, how large a
// structure is, which number a function has. Documentation/bpf/btf.rst, linux/btf.h.
//
// The description has some 130,000 types and 2 MB of names, and reading it is part of every answer
// of hark: it is gone through once, and of a type that nobody asked for no more than four bytes of
// its name are looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace hark::kernel {

enum class BtfFact : std::uint8_t {
  Offset,    ///< of a member, in bytes; of a bit field, of the byte with its first bit
  Bit,       ///< of a bit field: its first bit in that byte
  Size,      ///< of a structure or union, in bytes
  Function,  ///< a function's number
};

/// A question and, once asked, its answer.
struct BtfQuestion {
  BtfFact fact = BtfFact::Offset;
  std::string_view type;    ///< a structure, union or function, as C names it; at least 3 bytes
  std::string_view member;  ///< also one of an anonymous structure inside; else empty
  std::optional<std::uint32_t> answer;
};

/// Answers what can be answered; the rest stays empty. `btf` as /sys/kernel/btf/vmlinux gives it.
/// Of several types with one name the first that has the member counts. An error if the bytes are
/// no such description or contradict themselves.
[[nodiscard]] Result<void> ask_btf(ByteView btf, std::span<BtfQuestion> questions);

}  // namespace hark::kernel
