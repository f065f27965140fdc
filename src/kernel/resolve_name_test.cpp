#include "kernel/resolve_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hark::kernel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

// As glibc's getent(1) prints it.
TEST(addresses_of_getent, each_once_and_in_order) {
  EXPECT_THAT(addresses_of_getent("fd00::9         STREAM db.lan\n"
                                  "fd00::9         DGRAM  \n"
                                  "fd00::9         RAW    \n"
                                  "10.0.0.9        STREAM \n"
                                  "10.0.0.9        DGRAM  \n"
                                  "::ffff:10.0.0.7 STREAM \n"
                                  "fe80::1%eth0    STREAM \n"),
              ElementsAre(ip("fd00::9"), ip("10.0.0.9"), ip("10.0.0.7"), ip("fe80::1")));
}

TEST(addresses_of_getent, passes_over_what_is_no_address) {
  EXPECT_THAT(addresses_of_getent(""), IsEmpty());
  EXPECT_THAT(addresses_of_getent("no such thing\n\n  \n10.0.0.300 STREAM\n"), IsEmpty());
  std::string many;
  for (int i = 0; i < 200; ++i) many += "10.0.0." + std::to_string(i) + " STREAM\n";
  EXPECT_EQ(addresses_of_getent(many).size(), 64U);
}

}  // namespace
}  // namespace hark::kernel
