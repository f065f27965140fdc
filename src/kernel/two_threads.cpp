#include "kernel/two_threads.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "kernel/thread_elsewhere.h"

namespace hark::kernel {
namespace {

// Things are claimed in blocks, so that the threads seldom meet and neither waits for the other at
// the end for long.
constexpr std::size_t kBlock = 16;
constexpr std::size_t kWorthAThread = 64;

struct Block {
  std::size_t number = 0;
  std::size_t size = 0;  ///< bytes in the thread's output
};

struct Share {
  std::size_t count = 0;
  const std::function<std::unique_ptr<Worker>()>* make = nullptr;
  std::atomic<std::size_t>* next_block = nullptr;
  Bytes out;
  std::vector<Block> blocks;

  void run() {
    const auto worker = (*make)();
    for (;;) {
      const std::size_t number = next_block->fetch_add(1, std::memory_order_relaxed);
      const std::size_t begin = number * kBlock;
      if (begin >= count) return;
      const std::size_t before = out.size();
      for (std::size_t i = begin; i < std::min(begin + kBlock, count); ++i) worker->work(i, out);
      blocks.push_back({number, out.size() - before});
    }
  }
};

void* run_share(void* share) {
  static_cast<Share*>(share)->run();
  return nullptr;
}

/// The two outputs, block by block in the order of their numbers.
Bytes merge(const Share& a, const Share& b) {
  Bytes out;
  out.reserve(a.out.size() + b.out.size());
  std::size_t at_a = 0;
  std::size_t at_b = 0;
  auto next_a = a.blocks.begin();
  auto next_b = b.blocks.begin();
  while (next_a != a.blocks.end() || next_b != b.blocks.end()) {
    const bool take_a =
        next_b == b.blocks.end() || (next_a != a.blocks.end() && next_a->number < next_b->number);
    const Share& from = take_a ? a : b;
    std::size_t& at = take_a ? at_a : at_b;
    const std::size_t size = take_a ? (next_a++)->size : (next_b++)->size;
    append(out, ByteView(from.out).subspan(at, size));
    at += size;
  }
  return out;
}

}  // namespace

Bytes on_two_threads(std::size_t count, const std::function<std::unique_ptr<Worker>()>& make) {
  std::atomic<std::size_t> next_block = 0;
  Share mine{.count = count, .make = &make, .next_block = &next_block, .out = {}, .blocks = {}};
  Share theirs{.count = count, .make = &make, .next_block = &next_block, .out = {}, .blocks = {}};
  std::optional<pthread_t> other;
  if (count >= kWorthAThread) other = start_elsewhere(run_share, &theirs);
  mine.run();
  if (!other) return std::move(mine.out);
  pthread_join(*other, nullptr);
  return merge(mine, theirs);
}

}  // namespace hark::kernel
