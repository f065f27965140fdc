// bpf(2), as much of it as hark uses: memory shared with a program, loading a program, running it
// once, reading what an iterator writes. Documentation/bpf/; linux/bpf.h.
//
// Nothing is pinned and nothing attached: all ends with the descriptors, at the latest with hark.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace hark::kernel {

/// Memory that BPF programs and hark both see (an array map of one value, BPF_F_MMAPABLE, Linux
/// 5.5), zeroed at first.
class BpfArea {
 public:
  /// EPERM: no CAP_BPF.
  [[nodiscard]] static Result<BpfArea> create(const char* name, std::size_t size);
  BpfArea(BpfArea&& other) noexcept;
  BpfArea& operator=(BpfArea&& other) noexcept;
  BpfArea(const BpfArea&) = delete;
  BpfArea& operator=(const BpfArea&) = delete;
  ~BpfArea();

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// As an array of T; T is a plain structure of bpf/.
  template <typename T>
  [[nodiscard]] std::span<T> as() const {
    return {static_cast<T*>(memory_), size_ / sizeof(T)};
  }

 private:
  BpfArea(UniqueFd fd, void* memory, std::size_t size)
      : fd_(std::move(fd)), memory_(memory), size_(size) {}
  UniqueFd fd_;
  void* memory_ = nullptr;
  std::size_t size_ = 0;
};

/// Loads a linked program that run_bpf() can run. EACCES, EINVAL, E2BIG: the kernel's verifier does
/// not accept it; EPERM: no CAP_BPF and CAP_PERFMON, or the kernel is locked down.
[[nodiscard]] Result<UniqueFd> load_bpf_syscall(const char* name,
                                                std::span<const std::uint64_t> code);

/// Runs a program once, here and now, and returns what it returned. `told` is its argument; it may
/// change it.
[[nodiscard]] Result<std::uint32_t> run_bpf(int program, std::span<std::byte> told);

/// Loads a linked iterator program; `attach` is the number of the iterator's own function
/// (bpf_iter_task and its like) in the kernel's type information.
[[nodiscard]] Result<UniqueFd> load_bpf_iterator(const char* name,
                                                 std::span<const std::uint64_t> code,
                                                 std::uint32_t attach);

/// All that an iterator writes, at most `limit` bytes.
[[nodiscard]] Result<Bytes> read_bpf_iterator(int program, std::size_t limit);

}  // namespace hark::kernel
