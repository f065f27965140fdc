#include "base/rare.h"

#include <gtest/gtest.h>

#include <string>

namespace hark {
namespace {

TEST(Rare, IsWhatItWasGiven) {
  Rare<std::string> none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none, Rare<std::string>(std::nullopt));
  Rare<std::string> some = std::string("x");
  ASSERT_TRUE(some);
  EXPECT_EQ(*some, "x");
  EXPECT_EQ(some->size(), 1U);
  EXPECT_NE(some, none);
  some = std::optional<std::string>();
  EXPECT_FALSE(some.has_value());
  some.emplace() = "y";
  EXPECT_EQ(*some, "y");
  some.reset();
  EXPECT_FALSE(some);
}

TEST(Rare, ACopyIsItsOwn) {
  Rare<std::string> first = std::string("x");
  Rare<std::string> second = first;
  *second = "y";
  EXPECT_EQ(*first, "x");
  EXPECT_NE(first, second);
  second = first;
  EXPECT_EQ(first, second);
  const Rare<std::string> moved = std::move(first);
  EXPECT_EQ(*moved, "x");
  EXPECT_EQ(sizeof(moved), sizeof(void*));
}

}  // namespace
}  // namespace hark
