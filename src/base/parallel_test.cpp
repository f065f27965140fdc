#include "base/parallel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <vector>

namespace hark {
namespace {

TEST(Parallel, EachIsDoneOnce) {
  for (const std::size_t threads : {1U, 2U, 7U}) {
    std::vector<std::atomic<int>> done(1000);
    do_each(done.size(), threads, [&](std::size_t i) { ++done[i]; });
    for (const auto& one : done) EXPECT_EQ(one, 1) << threads;
  }
}

TEST(Parallel, NothingIsNothing) {
  do_each(0, 4, [](std::size_t) { FAIL(); });
}

// Would wait for ever if one thread did all.
TEST(Parallel, ThreadsRunAtOnce) {
  std::barrier together(3);
  do_each(3, 3, [&](std::size_t) { together.arrive_and_wait(); });
}

TEST(Parallel, ThereIsAlwaysOneThread) {
  EXPECT_GE(useful_threads(), 1U);
}

}  // namespace
}  // namespace hark
