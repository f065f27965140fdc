#include "reach/choices.h"

#include <gtest/gtest.h>

#include <set>

namespace hark::reach {
namespace {

Condition named(const std::string& key) {
  return {.code = "test", .text = key, .key = key, .doubt = Doubt::Opaque};
}

TEST(Choices, WithoutAChoiceThereIsOneRun) {
  unsigned runs = 0;
  EXPECT_TRUE(explore([&runs](Choices&) { ++runs; }));
  EXPECT_EQ(runs, 1U);
}

TEST(Choices, EveryCombinationIsTakenOnce) {
  std::set<std::string> seen;
  unsigned runs = 0;
  EXPECT_TRUE(explore([&](Choices& choices) {
    ++runs;
    std::string way;
    way += std::to_string(choices.pick(named("a"), 3));
    way += choices.pick(named("b")) ? 'y' : 'n';
    seen.insert(way);
  }));
  EXPECT_EQ(runs, 6U);
  EXPECT_EQ(seen.size(), 6U);
}

TEST(Choices, ALaterChoiceMayDependOnAnEarlierOne) {
  std::set<std::string> seen;
  EXPECT_TRUE(explore([&](Choices& choices) {
    std::string way = choices.pick(named("a")) ? "y" : "n";
    if (way == "n") way += choices.pick(named("b")) ? 'y' : 'n';
    seen.insert(way);
  }));
  EXPECT_EQ(seen, (std::set<std::string>{"y", "ny", "nn"}));
}

TEST(Choices, TheSameKeyGetsTheSameAnswer) {
  unsigned runs = 0;
  EXPECT_TRUE(explore([&runs](Choices& choices) {
    ++runs;
    EXPECT_EQ(choices.pick(named("a")), choices.pick(named("a")));
    EXPECT_EQ(choices.taken().size(), 1U);
  }));
  EXPECT_EQ(runs, 2U);
}

TEST(Choices, TooManyRunsAreNotMade) {
  unsigned runs = 0;
  EXPECT_FALSE(explore([&runs](Choices& choices) {
    ++runs;
    for (int i = 0; i < 20; ++i) (void)choices.pick(named(std::to_string(i)));
  }));
  EXPECT_EQ(runs, kMostRuns);
}

}  // namespace
}  // namespace hark::reach
