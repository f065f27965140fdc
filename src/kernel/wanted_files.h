// Addresses of files that are looked for among those of all descriptors.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

namespace hark::kernel {

/// A set of addresses, made for the answer "none of these eight", which nearly always is the one.
class WantedFiles {
 public:
  struct File {
    std::uint64_t address = 0;
    std::uint32_t inode = 0;  ///< of the socket
  };

  /// Files of address 0 are left out.
  explicit WantedFiles(std::vector<File> files) : files_(std::move(files)) {
    std::erase_if(files_, [](const File& one) { return one.address == 0; });
    bits_ = static_cast<unsigned>(std::bit_width(files_.size() * 2 + 1));
    slots_.resize(std::size_t{1} << bits_, kEmpty);
    filter_.resize(std::size_t{1} << (kFilterBits - 6));
    for (std::uint32_t i = 0; i < files_.size(); ++i) add(i);
  }

  [[nodiscard]] const std::vector<File>& files() const { return files_; }

  /// Which of eight addresses may be wanted, a bit each.
  static constexpr std::uint32_t kAtOnce = 8;
  [[nodiscard]] unsigned maybe(const std::byte* addresses) const {
    // All at once: this is what is done with every descriptor of the machine.
    const std::uint64_t* const filter = filter_.data();
    std::uint64_t out = 0;
#pragma GCC unroll 8
    for (unsigned i = 0; i < kAtOnce; ++i) {
      std::uint64_t address = 0;
      std::memcpy(&address, addresses + i * sizeof address, sizeof address);
      const std::uint64_t bit = hash(address) >> (64 - kFilterBits);
      out |= (filter[bit >> 6U] >> (bit & 63U) & 1U) << i;
    }
    return static_cast<unsigned>(out);
  }

  /// Position among files().
  [[nodiscard]] std::optional<std::uint32_t> find(std::uint64_t address) const {
    if (address == 0) return std::nullopt;
    for (std::size_t at = place(address);; at = (at + 1) & (slots_.size() - 1)) {
      const std::uint32_t file = slots_[at];
      if (file == kEmpty) return std::nullopt;
      if (files_[file].address == address) return file;
    }
  }

 private:
  static constexpr unsigned kFilterBits = 18;
  static constexpr std::uint32_t kEmpty = UINT32_MAX;

  static std::uint64_t hash(std::uint64_t address) {
    return address * 0x9e3779b97f4a7c15U;
  }
  [[nodiscard]] std::size_t place(std::uint64_t address) const {
    return hash(address) >> (64U - bits_);
  }
  void add(std::uint32_t file) {
    const std::uint64_t address = files_[file].address;
    std::size_t at = place(address);
    for (; slots_[at] != kEmpty; at = (at + 1) & (slots_.size() - 1)) {
      if (files_[slots_[at]].address == address) return;
    }
    slots_[at] = file;
    const std::uint64_t bit = hash(address) >> (64 - kFilterBits);
    filter_[bit >> 6U] |= std::uint64_t{1} << (bit & 63U);
  }

  std::vector<File> files_;
  unsigned bits_ = 0;
  std::vector<std::uint32_t> slots_;   ///< positions in files_, by their hash
  std::vector<std::uint64_t> filter_;  ///< a bit for each
};

}  // namespace hark::kernel
