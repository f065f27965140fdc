// What has to be put into a compiled BPF program (bpf/image.h) before the running kernel takes it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
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

/// What the running kernel answers to labels: those that some images ask, and some of hark's own in
/// the same form (bpf::BpfSymbol). Labels must outlast this.
class KernelFacts {
 public:
  /// An error names what this kernel lacks of that which is not optional.
  [[nodiscard]] static Result<KernelFacts> ask(std::span<const bpf::BpfImage* const> images,
                                               std::span<const std::string_view> labels,
                                               const KernelTypes& types);

  /// Empty: it was not asked, or the kernel lacks it.
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view label) const;

  /// Fills in the symbols of an image that was asked for.
  [[nodiscard]] Result<BpfCode> link(const bpf::BpfImage& image, const BpfGiven& given) const;

 private:
  std::map<std::string_view, std::optional<std::uint32_t>> answers_;
};

/// What a kernel answers, by label; what it lacks is left out.
[[nodiscard]] std::vector<std::pair<std::string, std::uint32_t>> answers_for(
    std::span<const bpf::BpfImage* const> images, std::span<const std::string_view> labels,
    ByteView btf);

}  // namespace hark::kernel
