#include "kernel/port_variables.h"

#include <gtest/gtest.h>

namespace hark::kernel {
namespace {

TEST(PortVariables, NothingElseIsKept) {
  const std::string all("A=1\0PORT=8080\0PASSWORD=x\0DB_PORT=1\0PORT=x\0PORT\0PORT=0\0HTTP_PORT=80",
                        67);
  const std::string kept = port_variables(all);
  EXPECT_EQ(kept, std::string("PORT=8080\0HTTP_PORT=80\0", 23));
  EXPECT_EQ(port_variables(kept), kept);
}

TEST(PortVariables, OfWhichFiles) {
  EXPECT_TRUE(is_environment("/proc/812/environ"));
  EXPECT_TRUE(is_environment("/proc/self/environ"));
  EXPECT_FALSE(is_environment("/proc/812/status"));
  EXPECT_FALSE(is_environment("/proc/812/root/environ"));
  EXPECT_FALSE(is_environment("/proc/environ"));
}

}  // namespace
}  // namespace hark::kernel
