#include "base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <type_traits>

namespace hark {
namespace {

static_assert(!std::is_copy_constructible_v<UniqueFd>);
static_assert(!std::is_copy_assignable_v<UniqueFd>);
static_assert(!std::is_convertible_v<UniqueFd, int>);
static_assert(std::is_nothrow_move_constructible_v<UniqueFd>);

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) != -1;
}

int open_one() {
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_GE(fd, 0);
  return fd;
}

TEST(UniqueFd, IsEmptyAtFirst) {
  const UniqueFd fd;
  EXPECT_FALSE(fd.valid());
  EXPECT_EQ(fd.get(), -1);
}

TEST(UniqueFd, ClosesAtItsEnd) {
  const int raw = open_one();
  {
    const UniqueFd fd(raw);
    EXPECT_TRUE(fd.valid());
    EXPECT_TRUE(is_open(raw));
  }
  EXPECT_FALSE(is_open(raw));
}

TEST(UniqueFd, MovingGivesTheDescriptorOn) {
  const int raw = open_one();
  UniqueFd from(raw);
  UniqueFd to(std::move(from));
  EXPECT_EQ(to.get(), raw);
  EXPECT_EQ(from.get(), -1);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_TRUE(is_open(raw));
}

TEST(UniqueFd, AssigningClosesWhatWasHeld) {
  const int first = open_one();
  const int second = open_one();
  UniqueFd fd(first);
  fd = UniqueFd(second);
  EXPECT_FALSE(is_open(first));
  EXPECT_EQ(fd.get(), second);
  UniqueFd& same = fd;
  fd = std::move(same);
  EXPECT_EQ(fd.get(), second);
  EXPECT_TRUE(is_open(second));
}

TEST(UniqueFd, ReleaseLeavesItOpenAndResetCloses) {
  UniqueFd fd(open_one());
  const int raw = fd.release();
  EXPECT_FALSE(fd.valid());
  EXPECT_TRUE(is_open(raw));
  fd = UniqueFd(raw);
  fd.reset();
  EXPECT_FALSE(fd.valid());
  EXPECT_FALSE(is_open(raw));
}

}  // namespace
}  // namespace hark
