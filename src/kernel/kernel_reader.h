// Reads the running kernel's memory, by way of a BPF program that copies what it is asked for
// (bpf/reader.bpf.c). Needs CAP_BPF and CAP_PERFMON, Linux 6.7.
//
// To run the program takes a microsecond, and within one run the processor waits for many reads at
// once: so reads are asked for in numbers, round by round, where each round needs what the one
// before it found. Memory that cannot be read, as it may be gone by now, reads as zeros.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "kernel/bpf_calls.h"
#include "kernel/bpf_link.h"
#include "kernel/kernel_layout.h"

extern "C" {
#include "bpf/shared.h"
}

namespace hark::kernel {

/// A copy of some of the kernel's memory.
class Piece {
 public:
  explicit Piece(const std::byte* memory) : memory_(memory) {}
  template <typename T>
  [[nodiscard]] T at(std::size_t offset) const {
    T out;
    std::memcpy(&out, memory_ + offset, sizeof out);
    return out;
  }
  [[nodiscard]] std::uint64_t pointer(std::size_t offset) const {
    return at<std::uint64_t>(offset);
  }
  [[nodiscard]] const std::byte* memory() const { return memory_; }

 private:
  const std::byte* memory_;
};

/// A part of a structure that has several members which lie close to each other.
class Window {
 public:
  struct Member {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
  };
  explicit Window(std::initializer_list<Member> members) {
    for (const Member& one : members) {
      begin_ = std::min(begin_, one.offset);
      end_ = std::max(end_, one.offset + one.size);
    }
  }
  [[nodiscard]] std::uint32_t begin() const { return begin_; }
  [[nodiscard]] std::uint32_t size() const { return end_ - begin_; }
  /// A member of it, given by its place in the structure.
  template <typename T>
  [[nodiscard]] T get(const Piece& piece, std::uint32_t offset) const {
    return piece.at<T>(offset - begin_);
  }

 private:
  std::uint32_t begin_ = UINT32_MAX;
  std::uint32_t end_ = 0;
};

class KernelReader {
 public:
  static constexpr std::size_t kMostAtOnce = HARK_MOST_COPIED;  ///< bytes of one read
  struct Read {
    std::uint64_t address = 0;
    std::size_t size = 0;
  };

  /// Memory for what is read, where there are so many tasks, more or less. EPERM: no CAP_BPF.
  [[nodiscard]] static Result<BpfArea> make_area(std::size_t tasks);

  /// `facts` were asked for kReadKernel and layout_labels().
  [[nodiscard]] static Result<KernelReader> load(KernelFacts facts, const KernelLayout& layout,
                                                 BpfArea area);

  /// Another one that may read at the same time, from another thread, but neither follow lists nor
  /// ask for tasks; nor may this one meanwhile.
  [[nodiscard]] KernelReader second() const { return {loaded_, 1}; }
  /// What failed for the second failed for this one.
  void take_state(const KernelReader& second) {
    if (!error_) error_ = second.error_;
  }

  /// After the first that failed every read gives zeros: ask once, at the end.
  [[nodiscard]] Result<void> state() const;

  /// Reads of each of `count` things a part of the kernel's memory: where(i) tells its address and
  /// size, and use(i, piece) gets the copy; it must not read by itself.
  template <typename Where, typename Use>
  void read_each(std::size_t count, const Where& where, const Use& use);
  /// The same where all are of one size.
  template <typename AddressOf, typename Use>
  void read_each(std::size_t count, std::size_t size, const AddressOf& address_of, const Use& use) {
    read_each(
        count,
        [&](std::size_t i) {
          return Read{address_of(i), size};
        },
        use);
  }
  template <typename T>
  [[nodiscard]] T read(std::uint64_t address) {
    T out{};
    read_each(
        1, sizeof out, [&](std::size_t) { return address; },
        [&](std::size_t, const Piece& piece) { out = piece.at<T>(0); });
    return out;
  }
  [[nodiscard]] std::uint64_t pointer(std::uint64_t address) {
    return read<std::uint64_t>(address);
  }

  /// The nodes of lists, given by the addresses of their heads: of each list its nodes, then an odd
  /// number. Each list is followed in one go.
  [[nodiscard]] std::vector<std::uint64_t> follow(std::span<const std::uint64_t> heads);

  struct Tasks {
    std::vector<hark_task> tasks;    ///< in the kernel's order, without kernel threads
    std::uint64_t first = 0;         ///< the kernel's first task
    std::uint64_t last_process = 0;  ///< the last leader, perhaps a kernel thread
  };
  [[nodiscard]] Tasks tasks();

  /// hark's own task.
  [[nodiscard]] std::uint64_t self();

 private:
  /// The program and its memory, which has a half for each of two readers.
  struct Loaded {
    KernelFacts facts;
    BpfGiven given;
    std::optional<BpfArea> area = {};
    UniqueFd program = {};
    std::size_t half = 0;  ///< bytes

    [[nodiscard]] Result<void> load_for(BpfArea area);
    [[nodiscard]] std::size_t room() const { return half - sizeof(hark_reader); }
  };
  KernelReader(std::shared_ptr<Loaded> loaded, std::uint64_t half)
      : loaded_(std::move(loaded)), half_(half) {}
  [[nodiscard]] hark_reader& shared() const;
  [[nodiscard]] std::byte* out() const;
  bool run(std::uint32_t work, std::uint32_t requests);
  bool grow(std::size_t room);

  std::shared_ptr<Loaded> loaded_;
  std::uint64_t half_ = 0;  ///< of the memory: which is ours
  std::optional<Error> error_;
};

template <typename Where, typename Use>
void KernelReader::read_each(std::size_t count, const Where& where, const Use& use) {
  // What is read at once should stay in the processor's cache until it is used.
  const std::size_t most = std::min<std::size_t>(loaded_->room() - kMostAtOnce, 192U << 10U);
  hark_reader& reader = shared();
  for (std::size_t done = 0; done < count && !error_;) {
    std::uint32_t used = 0;
    std::uint32_t requests = 0;
    for (; done + requests < count && requests < HARK_MOST_REQUESTS && used <= most; ++requests) {
      const Read read = where(done + requests);
      reader.request[requests] = {
          .address = read.address, .to = used, .size = static_cast<std::uint32_t>(read.size)};
      used += static_cast<std::uint32_t>((read.size + 7) / 8 * 8);
    }
    if (!run(HARK_COPY, requests)) return;
    for (std::uint32_t i = 0; i < requests; ++i) use(done + i, Piece(out() + reader.request[i].to));
    done += requests;
  }
}

}  // namespace hark::kernel
