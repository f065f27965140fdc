#include "kernel/work_pair.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

namespace hark::kernel {
namespace {

constexpr std::uint32_t kMany = 10'000;

/// How often each number came.
std::vector<std::atomic<int>> numbers() {
  return std::vector<std::atomic<int>>(kMany);
}

void expect_each_once(const std::vector<std::atomic<int>>& times) {
  for (std::uint32_t i = 0; i < kMany; ++i) ASSERT_EQ(times[i], 1) << i;
}

TEST(WorkPair, AloneDoesAll) {
  auto times = numbers();
  WorkPair pair;
  pair.each(kMany, [&](WorkPair::Hand hand, std::uint32_t i) {
    EXPECT_EQ(hand, WorkPair::Hand::First);
    ++times[i];
  });
  expect_each_once(times);
  pair.each(0, [](WorkPair::Hand, std::uint32_t) { FAIL(); });
}

TEST(WorkPair, WhoWaitsHelps) {
  WorkPair pair;
  std::thread helper([&] { pair.help(); });
  for (int round = 0; round < 20; ++round) {
    auto times = numbers();
    std::array<std::atomic<int>, 2> done{};
    pair.each(kMany, [&](WorkPair::Hand hand, std::uint32_t i) {
      ++times[i];
      ++done[static_cast<std::size_t>(hand)];
      // The first lets the second come to it.
      if (i == 0) {
        while (hand == WorkPair::Hand::First && done[1] == 0) std::this_thread::yield();
      }
    });
    // All is done, by whomever, and nobody is at it any more.
    expect_each_once(times);
    EXPECT_EQ(done[0] + done[1], static_cast<int>(kMany));
    EXPECT_GT(done[1], 0);
  }
  pair.finish();
  helper.join();
}

TEST(WorkPair, WhoComesTooLateIsNotKept) {
  WorkPair pair;
  pair.each(2, [](WorkPair::Hand, std::uint32_t) {});
  pair.finish();
  pair.help();
}

}  // namespace
}  // namespace hark::kernel
