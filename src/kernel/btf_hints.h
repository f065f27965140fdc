// Answers to what hark asks of the kernel's type information, found at build time for the kernel
// that ran then. Reading that information is a quarter of a short answer's time; a host that runs
// what was built on it need not. Whether the answers are for the running kernel is told by its
// build id, which no two kernels share; for any other they are not used.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace hark::kernel {

struct BtfHint {
  std::string_view label;  ///< as bpf::BpfSymbol has it; ascending
  std::uint32_t answer = 0;
};

struct BtfHints {
  std::span<const std::uint8_t> build_id;  ///< empty: there are no hints
  std::span<const BtfHint> hints;

  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view label) const;
};

/// Made by btf_hints_main.cpp.
extern const BtfHints kBtfHints;

/// The build id in the notes of a kernel (/sys/kernel/notes: elf(5), "Notes"); empty: none.
[[nodiscard]] ByteView build_id_in(ByteView notes);

}  // namespace hark::kernel
