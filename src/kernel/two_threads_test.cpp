#include "kernel/two_threads.h"

#include <gtest/gtest.h>

#include <string>

namespace hark::kernel {
namespace {

/// Says its number; some say nothing, some much, so that blocks differ in size.
class Counter final : public Worker {
 public:
  void work(std::size_t index, Bytes& out) override {
    if (index % 7 == 0) return;
    std::string word = std::to_string(index);
    if (index % 5 == 0) word += std::string(index, '.');
    append(out, word + "\n");
  }
};

std::string in_one_thread(std::size_t count) {
  Bytes out;
  Counter counter;
  for (std::size_t i = 0; i < count; ++i) counter.work(i, out);
  return std::string(as_text(out));
}

TEST(TwoThreads, KeepsTheOrderWhoeverDoesTheWork) {
  for (const std::size_t count : {0U, 1U, 15U, 16U, 17U, 63U, 64U, 65U, 1000U, 3001U}) {
    const Bytes out = on_two_threads(count, [] { return std::make_unique<Counter>(); });
    EXPECT_EQ(as_text(out), in_one_thread(count)) << count;
  }
}

}  // namespace
}  // namespace hark::kernel
