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

namespace hark::kernel {

/// What to fill in besides the kernel's own facts.
struct BpfGiven {
  std::map<std::string_view, std::uint32_t> numbers;  ///< of "given..NAME"
  std::map<std::string_view, int> areas;              ///< of "area..NAME": descriptors of maps
};

using BpfCode = std::vector<std::uint64_t>;

/// Fills in the symbols of some images, in their order. `btf`: of the running kernel, gone through
/// once for all of them. An error names what this kernel lacks.
[[nodiscard]] Result<std::vector<BpfCode>> link_bpf(std::span<const bpf::BpfImage* const> images,
                                                    ByteView btf, const BpfGiven& given);

/// The number of one of the kernel's functions in its type information.
[[nodiscard]] Result<std::uint32_t> kernel_function(ByteView btf, std::string_view name);

}  // namespace hark::kernel
