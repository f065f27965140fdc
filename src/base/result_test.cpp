#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

namespace hark {
namespace {

TEST(Result, KernelErrorsGiveTheKernelsReason) {
  const Error error = kernel_error(EACCES, "/proc/1/fd");
  EXPECT_EQ(error.code, EACCES);
  EXPECT_EQ(error.what, "/proc/1/fd");
  EXPECT_EQ(reason(error), std::strerror(EACCES));
}

TEST(Result, PlainErrorsGiveTheirOwn) {
  const Error error = plain_error("FILE", "no such word", "try list");
  EXPECT_EQ(error.code, 0);
  EXPECT_EQ(reason(error), "no such word");
  EXPECT_EQ(error.hint, "try list");
}

TEST(Result, AReasonIsNeverEmpty) {
  EXPECT_FALSE(reason(Error{}).empty());
  Error both = kernel_error(EPERM, "x");
  both.why = "needs CAP_NET_ADMIN";
  EXPECT_EQ(reason(both), "needs CAP_NET_ADMIN");
}

TEST(Result, CarriesAValueOrAnError) {
  const Result<int> good = 7;
  const Result<int> bad = fail(kernel_error(ENOENT, "y"));
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, 7);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(), kernel_error(ENOENT, "y"));
}

}  // namespace
}  // namespace hark
