// What has to be put into a compiled BPF program (bpf/image.h) before the running kernel takes it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "bpf/image.h"
#include "kernel/btf_hints.h"

namespace hark::kernel {

/// What to fill in besides the kernel's own facts.
struct BpfGiven {
  std::map<std::string_view, std::uint32_t> numbers;  ///< of "given..NAME"
  std::map<std::string_view, int> areas;              ///< of "area..NAME": descriptors of maps
};

using BpfCode = std::vector<std::uint64_t>;

/// What is known of the running kernel's types: their description, gone through once for all that
/// is asked at a time, and perhaps answers that were found before (btf_hints.h).
struct KernelTypes {
  ByteView btf;
  const BtfHints* hints = nullptr;  ///< null: none for this kernel
};

/// Fills in the symbols of some images, in their order. An error names what this kernel lacks.
[[nodiscard]] Result<std::vector<BpfCode>> link_bpf(std::span<const bpf::BpfImage* const> images,
                                                    const KernelTypes& types,
                                                    const BpfGiven& given);

/// What a kernel answers to all that an image asks, by symbol; what it lacks is left out.
[[nodiscard]] std::vector<std::pair<std::string, std::uint32_t>> answers_for(
    const bpf::BpfImage& image, ByteView btf);

/// The number of one of the kernel's functions in its type information.
[[nodiscard]] Result<std::uint32_t> kernel_function(const KernelTypes& types,
                                                    std::string_view name);

}  // namespace hark::kernel
