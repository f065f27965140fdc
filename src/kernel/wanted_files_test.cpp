#include "kernel/wanted_files.h"

#include <gtest/gtest.h>

#include <array>

namespace hark::kernel {
namespace {

constexpr std::uint64_t kFirst = 0xffff888100000000;
constexpr std::uint64_t kSize = 192;  // of a struct file, more or less

std::uint64_t address(std::uint32_t i) {
  return kFirst + kSize * i;
}

WantedFiles every_third(std::uint32_t count) {
  std::vector<WantedFiles::File> files;
  for (std::uint32_t i = 0; i < count; ++i) files.push_back({address(3 * i), i});
  return WantedFiles(std::move(files));
}

unsigned maybe(const WantedFiles& wanted, const std::array<std::uint64_t, 8>& addresses) {
  return wanted.maybe(reinterpret_cast<const std::byte*>(addresses.data()));
}

TEST(WantedFiles, FindsThemAndNoOthers) {
  for (const std::uint32_t count : {1U, 2U, 100U, 20'000U}) {
    const WantedFiles wanted = every_third(count);
    for (std::uint32_t i = 0; i < 3 * count; ++i) {
      const auto found = wanted.find(address(i));
      ASSERT_EQ(found.has_value(), i % 3 == 0) << i;
      if (found) {
        EXPECT_EQ(wanted.files()[*found].inode, i / 3);
      }
    }
  }
}

TEST(WantedFiles, NoneIsPassedOver) {
  const WantedFiles wanted = every_third(5000);
  for (std::uint32_t i = 0; i < 5000; ++i) {
    std::array<std::uint64_t, 8> group{};
    group.at(i % 8) = address(3 * i);
    EXPECT_NE(maybe(wanted, group) >> i % 8 & 1U, 0U) << i;
  }
}

TEST(WantedFiles, FewOthersAreSuspected) {
  const WantedFiles wanted = every_third(1000);
  unsigned suspects = 0;
  for (std::uint32_t i = 0; i < 8000; i += 8) {
    std::array<std::uint64_t, 8> group{};
    for (std::uint32_t one = 0; one < 8; ++one) group.at(one) = address(3 * (i + one) + 1);
    for (unsigned bits = maybe(wanted, group); bits != 0; bits &= bits - 1) ++suspects;
  }
  EXPECT_LT(suspects, 800U);
}

TEST(WantedFiles, NothingIsWanted) {
  const WantedFiles wanted({{0, 7}, {0, 8}});
  EXPECT_TRUE(wanted.files().empty());
  EXPECT_FALSE(wanted.find(0));
  EXPECT_FALSE(wanted.find(kFirst));
  EXPECT_EQ(maybe(wanted, {1, 2, 3}), 0U);
}

}  // namespace
}  // namespace hark::kernel
